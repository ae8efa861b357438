/** What the command exits with: the one table of it, also printed by `--help`. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  aborted: 130,
} as const;

const meanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  done: 'done, also when there was nothing to do; a watched run succeeded',
  failed: 'no such order or run, or some of it failed or could not be proved',
  usage: 'wrong usage: nothing was done',
  unreachable: 'the stage does not exist, cannot be reached, or refuses (permissions)',
  aborted: 'aborted: the question was not answered with yes, or Ctrl-C',
};

/** Lines for `--help`. */
export const exitCodesHelp = [
  'Exit codes:',
  ...Object.entries(meanings).map(([name, meaning]) => {
    const code = exitCodes[name as keyof typeof exitCodes];
    return `  ${String(code).padEnd(4)} ${meaning}`;
  }),
].join('\n');
