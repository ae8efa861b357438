import type { CompletedCommand, CompletedOption, Value } from './commands';
import type { shells } from './values';

/** A word in single quotes. */
const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

interface ValueOption extends CompletedOption {
  readonly value: Value;
}

const hasValue = (option: CompletedOption): option is ValueOption => option.value !== undefined;

/** The patterns of options with a value: ` orders replay --status`. */
const valuePatterns = ({ at, options }: CompletedCommand): string[] =>
  options.filter(hasValue).flatMap(({ flags }) => flags.map((flag) => quote(`${at} ${flag}`)));

const commandPatterns = (commands: readonly CompletedCommand[]): string =>
  commands
    .filter(({ at }) => at !== '')
    .map(({ at }) => quote(at))
    .join('|');

/** What bash and zsh have in common: the loop that finds the command, and the cases that complete. */
interface PosixShell {
  readonly head: readonly string[];
  /** Index of the first word after the name of the program. */
  readonly first: number;
  readonly word: string;
  readonly end: string;
  readonly foot: readonly string[];
  /** Completes one of these words, each with its description if there is one. */
  readonly offer: (words: readonly (readonly [word: string, description?: string])[]) => string;
  readonly offerFiles: string;
}

const completeValue = ({ offer, offerFiles }: PosixShell, value: Value): string =>
  value === 'file' ? offerFiles : value === 'text' ? ':' : offer(value.map((word) => [word]));

const posix = (shell: PosixShell, commands: readonly CompletedCommand[]): string => {
  const line = (pattern: string, action: string) => `    ${pattern}) ${action} ;;`;
  const values = commands.flatMap((command) =>
    command.options
      .filter(hasValue)
      .map(({ flags, value }) =>
        line(flags.map((flag) => quote(`${command.at} ${flag}`)).join('|'), `${completeValue(shell, value)}; return`),
      ),
  );
  const options = commands.map(({ at, options: all }) =>
    line(
      quote(at),
      shell.offer(all.flatMap(({ flags, description }) => flags.map((flag) => [flag, description] as const))),
    ),
  );
  const words = commands.flatMap(({ at, commands: children, arguments: values }) =>
    children.length > 0
      ? [line(quote(`${at} 0`), shell.offer(children.map(({ name, description }) => [name, description])))]
      : values.map((value, position) => line(quote(`${at} ${position}`), completeValue(shell, value))),
  );
  return [
    ...shell.head,
    "  local at='' position=0 i word",
    `  for ((i = ${shell.first}; i < ${shell.end}; i++)); do`,
    `    word=${shell.word}`,
    '    case "$at $word" in',
    ...[commands.flatMap(valuePatterns).join('|')].map((patterns) => `      ${patterns}) ((i++)) ;;`),
    `      ${commandPatterns(commands)}) at="$at $word" ;;`,
    "      *' -'*) ;;",
    '      *) ((position++)) ;;',
    '    esac',
    '  done',
    '  case "$at $prev" in',
    ...values,
    '  esac',
    '  if [[ $cur == -* ]]; then',
    '    case "$at" in',
    ...options.map((one) => `  ${one}`),
    '    esac',
    '    return',
    '  fi',
    '  case "$at $position" in',
    ...words,
    '  esac',
    '}',
    ...shell.foot,
    '',
  ].join('\n');
};

const bash: PosixShell = {
  head: [
    '# Completion of pipeline for bash. Load it with: source <(pipeline completion bash)',
    '_pipeline() {',
    `  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}`,
    '  COMPREPLY=()',
  ],
  first: 1,
  word: `\${COMP_WORDS[i]}`,
  end: 'COMP_CWORD',
  foot: ['complete -F _pipeline pipeline'],
  offer: (words) => `COMPREPLY=($(compgen -W ${quote(words.map(([word]) => word).join(' '))} -- "$cur"))`,
  offerFiles: 'compopt -o filenames 2> /dev/null; COMPREPLY=($(compgen -f -- "$cur"))',
};

const zsh: PosixShell = {
  head: [
    '#compdef pipeline',
    '# Completion of pipeline for zsh. Load it with: source <(pipeline completion zsh)',
    '_pipeline() {',
    `  local cur=\${words[CURRENT]} prev=\${words[CURRENT-1]}`,
    '  local -a offered',
  ],
  first: 2,
  word: `\${words[i]}`,
  end: 'CURRENT',
  foot: ['compdef _pipeline pipeline'],
  offer: (words) => {
    const entries = words.map(([word, description]) =>
      quote(description === undefined ? word : `${word}:${description.replaceAll(':', '\\:')}`),
    );
    return `offered=(${entries.join(' ')}); _describe value offered`;
  },
  offerFiles: '_files',
};

const fish = (commands: readonly CompletedCommand[]): string => {
  const complete = (condition: string, ...rest: readonly string[]) =>
    ['complete -c pipeline -n', quote(condition), ...rest].join(' ');
  const takes = (value: Value): string =>
    value === 'file' ? '-r -F' : `-x${value === 'text' ? '' : ` -a ${quote(value.join(' '))}`}`;
  const optionLines = commands.flatMap(({ at, options }) =>
    options.map(({ flags, description, value }) =>
      complete(
        `__pipeline_at ${quote(at)}`,
        ...flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)),
        ...(value === undefined ? [] : [takes(value)]),
        `-d ${quote(description)}`,
      ),
    ),
  );
  const wordLines = commands.flatMap(({ at, commands: children, arguments: values }) =>
    children.length > 0
      ? children.map(({ name, description }) =>
          complete(`__pipeline_at ${quote(at)} 0`, `-a ${name}`, `-d ${quote(description)}`),
        )
      : values.flatMap((value, position) =>
          typeof value === 'string'
            ? []
            : [complete(`__pipeline_at ${quote(at)} ${position}`, `-a ${quote(value.join(' '))}`)],
        ),
  );
  const patterns = (text: string): string => text.replaceAll("'|'", "' '");
  return [
    '# Completion of pipeline for fish. Load it with: pipeline completion fish | source',
    '# Whether the command is $argv[1] and, if given, the number of its arguments so far $argv[2].',
    'function __pipeline_at',
    "  set -l at ''",
    '  set -l position 0',
    '  set -l isValue 0',
    '  for word in (commandline -opc)[2..]',
    '    if test $isValue = 1',
    '      set isValue 0',
    '      continue',
    '    end',
    '    switch "$at $word"',
    `      case ${patterns(commands.flatMap(valuePatterns).join('|'))}`,
    '        set isValue 1',
    `      case ${patterns(commandPatterns(commands))}`,
    '        set at "$at $word"',
    "      case '* -*'",
    "      case '*'",
    '        set position (math $position + 1)',
    '    end',
    '  end',
    '  test "$at" = "$argv[1]"; and begin; test (count $argv) = 1; or test $position = $argv[2]; end',
    'end',
    'complete -c pipeline -f',
    ...wordLines,
    ...optionLines,
    '',
  ].join('\n');
};

/** The scripts that complete commands, options, stages and other fixed values. They run without the program. */
export const scripts: Readonly<Record<(typeof shells)[number], (commands: readonly CompletedCommand[]) => string>> = {
  bash: (commands) => posix(bash, commands),
  zsh: (commands) => posix(zsh, commands),
  fish,
};
