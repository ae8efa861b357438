import { clearScreenDown, createInterface, moveCursor } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import Table from 'cli-table3';
import { createColors } from 'picocolors';

/** What a command touches of the world besides AWS. */
export interface Surroundings {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folder in which the embedded AWS keeps its state. */
  readonly localStateDirectory: string;
  /** Epoch ms. */
  readonly now: () => number;
  /** Does work that Ctrl-C ends in good order: the signal tells it. */
  readonly interruptible: <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T>;
}

/** Between two lines about the same thing, where lines cannot be redrawn. */
const lineIntervalMs = 5_000;

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

    /** Lines that change while a person watches. */
    live: (): Live =>
      stderr.isTTY === true && environment.TERM !== 'dumb' ? createRedrawn(stderr) : createAppended(stderr),

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

/** Lines that change while a person watches them on stderr. */
export interface Live {
  /** How wide a line may be; nothing where lines stay as they were written. */
  readonly columns: () => number | undefined;
  readonly show: (lines: readonly string[]) => void;
  /** Leaves the newest lines behind. */
  readonly end: () => void;
}

/** Each time in place of the lines before. */
const createRedrawn = (stderr: Surroundings['stderr']): Live => {
  let drawn = 0;
  return {
    // A line that fills its row would wrap on some terminals.
    columns: () => (stderr.columns ?? 80) - 1,
    show: (lines) => {
      if (drawn > 0) moveCursor(stderr, 0, -drawn);
      clearScreenDown(stderr);
      // What has left the screen at its top cannot be redrawn.
      const shown = lines.slice(0, Math.max(1, (stderr.rows ?? 24) - 1));
      drawn = shown.length;
      for (const line of shown) stderr.write(`${line}\n`);
    },
    end: () => undefined,
  };
};

/** One after the other: what changed, every few seconds. */
const createAppended = (stderr: Surroundings['stderr']): Live => {
  let written: readonly string[] = [];
  let newest: readonly string[] = [];
  let writtenAtMs = Number.NEGATIVE_INFINITY;
  const write = (): void => {
    for (const line of newest.filter((one) => !written.includes(one))) stderr.write(`${line}\n`);
    written = newest;
    writtenAtMs = performance.now();
  };
  return {
    columns: () => undefined,
    show: (lines) => {
      newest = lines;
      if (performance.now() - writtenAtMs >= lineIntervalMs) write();
    },
    end: write,
  };
};

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

/** A duration in its two largest units: `45s`, `3m 20s`, `1h 02m`. */
export const formatDuration = (seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds));
  const minutes = Math.floor(whole / 60);
  const twoDigits = (count: number): string => String(count).padStart(2, '0');
  if (minutes === 0) return `${whole}s`;
  if (minutes < 60) return `${minutes}m ${twoDigits(whole % 60)}s`;
  return `${Math.floor(minutes / 60)}h ${twoDigits(minutes % 60)}m`;
};

/** `1 order`, `2 orders`. */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
