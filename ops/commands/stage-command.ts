import type { GlobalOptions } from './input';
import { oneLine } from './terminal';

/** A word of a command to copy into a POSIX shell. */
export const shellWord = (text: string): string => {
  const word = oneLine(text);
  return /^[\w./@:+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
};

const selectionOf = ({ stage, region, local, state }: GlobalOptions): readonly string[] => {
  if (state !== undefined) return ['--state', shellWord(state)];
  if (local) return ['--local'];
  return ['--stage', stage, ...(region === undefined ? [] : ['--region', region])];
};

/** The beginning of a command on the same stage: `pipeline --stage prod`. Commands that the verbs print start with it. */
export const stageCommandOf = (global: GlobalOptions): string => ['pipeline', ...selectionOf(global)].join(' ');
