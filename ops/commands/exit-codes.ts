/** The exit codes of the command, also printed by `--help`. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  aborted: 130,
} as const;

const meanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  done: 'success, also if there was nothing to do; a watched run succeeded',
  failed: 'no such order or run; work failed or was not proved; `status` is red',
  usage: 'wrong usage; nothing was done',
  unreachable: 'the stage does not exist, is not reachable, or denies access',
  aborted: 'aborted: a question was not answered with yes, or Ctrl-C',
};

/** The exit codes as lines of `--help`. */
export const exitCodesHelp = [
  'Exit codes:',
  ...Object.entries(meanings).map(([name, meaning]) => {
    const code = exitCodes[name as keyof typeof exitCodes];
    return `  ${String(code).padEnd(4)} ${meaning}`;
  }),
].join('\n');
