import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import Table from 'cli-table3';
import { createColors } from 'picocolors';

/** What a command touches of the world besides AWS. */
export interface Surroundings {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folder in which the embedded AWS keeps its state. */
  readonly localStateDirectory: string;
  /** Epoch ms. */
  readonly now: () => number;
  /** Does work that Ctrl-C ends in good order: the signal tells it. */
  readonly interruptible: <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T>;
}

/**
 * Where a verb's words go. Results go to stdout: text, or with `--json` one document. Everything else that a person
 * reads goes to stderr.
 */
export const createTerminal = ({ stdin, stdout, stderr, environment, now }: Surroundings, json: boolean) => {
  const colourful = !environment.NO_COLOR && environment.TERM !== 'dumb';
  const colors = createColors(colourful && stdout.isTTY === true);
  const noteColors = createColors(colourful && stderr.isTTY === true);
  const print = (stream: Writable, text: string): void => {
    stream.write(`${text}\n`);
  };

  return {
    /** Colours for what goes to stdout; none where a program reads it. */
    colors,

    /** A word to the person in front of it. */
    note: (text: string): void => print(stderr, text),

    /** One line of a result that grows; with `--json` only a note. */
    report: (text: string): void => print(json ? stderr : stdout, text),

    /** The result: a document for programs, or text for people, made only when it is wanted. */
    result: (document: unknown, toText: () => string): void =>
      print(stdout, json ? JSON.stringify(document, undefined, 2) : toText()),

    /** The end of a verb that could not do it. */
    error: (message: string, details: Readonly<Record<string, unknown>>): void => {
      print(stderr, `${noteColors.red('error:')} ${message}`);
      if (json) print(stdout, JSON.stringify({ error: { message, ...details } }, undefined, 2));
    },

    /** Whether the answer is yes. No answer, such as the end of the input or Ctrl-C, is none. */
    confirm: async (question: string): Promise<boolean> => {
      const reader = createInterface({ input: stdin, output: stderr });
      const answer = await new Promise<string>((resolve) => {
        reader.once('close', () => resolve('\n'));
        reader.once('SIGINT', () => reader.close());
        reader.question(`${question} [y/N] `, resolve);
      });
      reader.close();
      // Nobody typed a new line.
      if (answer === '\n') stderr.write(answer);
      return /^y(es)?$/i.test(answer.trim());
    },

    /** An instant in ISO 8601, and how long ago that is. */
    time: (iso: string | Date): string => {
      const date = new Date(iso);
      return `${date.toISOString()} ${colors.dim(`(${formatAge(now() - date.getTime())})`)}`;
    },
  };
};

export type Terminal = ReturnType<typeof createTerminal>;

const bareBorders = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right', 'left', 'left-mid']
    .concat(['mid', 'mid-mid', 'right', 'right-mid'])
    .map((name) => [name, '']),
);

/** Columns side by side, without lines around them. */
export const renderTable = (rows: readonly (readonly string[])[], head?: readonly string[]): string => {
  const table = new Table({
    chars: { ...bareBorders, middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    ...(head && { head: [...head] }),
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
};

/** Text of strangers on one line, without anything that a terminal would obey. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();

const steps = [
  { unit: 'd', ms: 86_400_000 },
  { unit: 'h', ms: 3_600_000 },
  { unit: 'm', ms: 60_000 },
] as const;

/** How long ago in the largest unit that fits: `3h ago`. */
export const formatAge = (ageMs: number): string => {
  const step = steps.find(({ ms }) => ageMs >= ms) ?? { unit: 's', ms: 1_000 };
  return `${Math.max(0, Math.floor(ageMs / step.ms))}${step.unit} ago`;
};

/** `1 order`, `2 orders`. */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
