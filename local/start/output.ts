import { createProgress, type Progress } from './progress';

/** Where a start prints what happens. */
export interface Output {
  readonly progress: Progress;
  /** Prints a line. */
  readonly line: (text: string) => void;
  /** Prints a paragraph: its lines, and an empty one. */
  readonly say: (text: string) => void;
}

/** @param json whether standard output is kept free for the summary */
export const createOutput = (json: boolean): Output => {
  const progress = createProgress(json ? process.stderr : process.stdout);
  return { progress, line: progress.note, say: (text) => progress.note(`${text}\n`) };
};
