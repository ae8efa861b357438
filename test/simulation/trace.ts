import { hash } from 'node:crypto';

/** What happened in a simulation. Its hash identifies the run; the lines are kept only if somebody reads them. */
export interface Trace {
  /** Adds a line. `where` is a process, or another part of the world. */
  readonly add: (where: string, what: string) => void;
  readonly hash: () => string;
  readonly lines: () => readonly string[];
}

/** Lines are hashed in portions of this many characters. */
const portion = 64 * 1_024;

export const createTrace = (now: () => number, keepsLines: boolean): Trace => {
  const kept: string[] = [];
  let sum = '';
  let text = '';
  const close = (): void => {
    sum = hash('sha256', sum + text, 'hex');
    text = '';
  };
  return {
    add: (where, what) => {
      const line = `${new Date(now()).toISOString().slice(5, 23)} ${where.padEnd(14)} ${what}`;
      text += `${line}\n`;
      if (text.length > portion) close();
      if (keepsLines) kept.push(line);
    },
    hash: () => {
      close();
      return sum.slice(0, 16);
    },
    lines: () => kept,
  };
};
