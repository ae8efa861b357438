import { clearScreenDown, createInterface, moveCursor } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';
import { createColors } from 'picocolors';
import { formatAge, formatDuration, oneLine } from '../format';

export { formatAge, formatDuration, formatMs, oneLine, plural } from '../format';

/** Everything that a command uses besides AWS. */
export interface Surroundings {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Default of `--state`: the state folder of the embedded AWS. */
  readonly localStateDirectory: string;
  /** Folder for files without a given path. */
  readonly temporaryDirectory: string;
  /** Epoch ms. */
  readonly now: () => number;
  /** Runs work that Ctrl-C stops: the signal then aborts. */
  readonly interruptible: <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T>;
}

/** Minimum time between two progress lines where lines cannot be redrawn. */
const lineIntervalMs = 5_000;

/**
 * The output of a verb. The result goes to stdout, as text or, with `--json`, as one document. Everything else goes to
 * stderr.
 */
export const createTerminal = ({ stdin, stdout, stderr, environment, now }: Surroundings, json: boolean) => {
  const colourful = !environment.NO_COLOR && environment.TERM !== 'dumb';
  const colors = createColors(colourful && stdout.isTTY === true);
  const noteColors = createColors(colourful && stderr.isTTY === true);
  const print = (stream: Writable, text: string): void => {
    stream.write(`${text}\n`);
  };

  return {
    /** Colours for stdout; none if stdout is not a terminal. */
    colors,

    /** Prints a line for the operator on stderr. */
    note: (text: string): void => print(stderr, text),

    /** Starts lines that are redrawn on stderr. */
    live: (): Live =>
      stderr.isTTY === true && environment.TERM !== 'dumb' ? createRedrawn(stderr) : createAppended(stderr),

    /** Prints one line of a growing result; with `--json`, on stderr. */
    report: (text: string): void => print(json ? stderr : stdout, text),

    /** Prints the result: `document` with `--json`, otherwise `text()`. */
    result: (document: unknown, toText: () => string): void => print(stdout, json ? toJson(document) : toText()),

    /** Prints the error that ends a verb. */
    error: (message: string, details: Readonly<Record<string, unknown>>): void => {
      print(stderr, `${noteColors.red('error:')} ${message}`);
      if (json) print(stdout, toJson({ error: { message, ...details } }));
    },

    /**
     * Asks questions one after the other until one is not answered with yes.
     *
     * @returns whether each was answered with yes. The end of the input and Ctrl-C count as no.
     */
    confirm: async (...questions: readonly string[]): Promise<boolean> => {
      const reader = createInterface({ input: stdin, output: stderr });
      let ended = false;
      reader.once('SIGINT', () => reader.close());
      reader.once('close', () => {
        ended = true;
      });
      // Lines that arrive together are kept for the next questions.
      const lines = reader[Symbol.asyncIterator]();
      try {
        for (const question of questions) {
          const prompt = `${question} [y/N] `;
          reader.setPrompt(prompt);
          if (ended) stderr.write(prompt);
          else reader.prompt();
          const { value, done } = await lines.next();
          // The operator did not press Enter, so the line has no end yet.
          if (done) stderr.write('\n');
          if (done || !/^y(es)?$/i.test(value.trim())) return false;
        }
        return true;
      } finally {
        reader.close();
      }
    },

    /** Formats an instant as its age: `3h ago`. */
    age: (iso: string | Date): string => formatAge(now() - new Date(iso).getTime()),

    /** Formats an instant as ISO 8601, with its age or, in the future, the time until then. */
    time: (iso: string | Date): string => {
      const date = new Date(iso);
      const ageMs = now() - date.getTime();
      const relative = ageMs <= -1_000 ? `in ${formatDuration(-ageMs / 1_000)}` : formatAge(ageMs);
      return `${date.toISOString()} ${colors.dim(`(${relative})`)}`;
    },
  };
};

export type Terminal = ReturnType<typeof createTerminal>;

/** Lines on stderr that are redrawn. */
export interface Live {
  /** Maximum width of a line; undefined where lines cannot be redrawn. */
  readonly columns: () => number | undefined;
  readonly show: (lines: readonly string[]) => void;
  /** Ends the redrawing. The newest lines stay. */
  readonly end: () => void;
}

/** Redraws the lines in place. */
const createRedrawn = (stderr: Surroundings['stderr']): Live => {
  let drawn = 0;
  return {
    // Some terminals wrap a line that fills its row.
    columns: () => (stderr.columns ?? 80) - 1,
    show: (lines) => {
      if (drawn > 0) moveCursor(stderr, 0, -drawn);
      clearScreenDown(stderr);
      // Lines that have scrolled off the screen cannot be redrawn.
      const shown = lines.slice(0, Math.max(1, (stderr.rows ?? 24) - 1));
      drawn = shown.length;
      for (const line of shown) stderr.write(`${line}\n`);
    },
    end: () => undefined,
  };
};

/** Prints the changed lines every few seconds. */
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

/** Width of the screen for which all output is made. */
export const screenWidth = 80;
/** A last column that would be narrower is not wrapped: its words would be torn apart. */
const narrowest = 16;
const gap = 2;

const visibleLength = (text: string): number => stripVTControlCharacters(text).length;

/** Wraps the cells of the last column, so that the table fits the screen. A word that is too long stays whole, to copy it. */
const wrapLastColumn = (rows: readonly (readonly string[])[]): string[][] => {
  const last = Math.max(0, ...rows.map((row) => row.length)) - 1;
  const widths = Array.from({ length: Math.max(0, last) }, (_, column) =>
    Math.max(0, ...rows.map((row) => visibleLength(row[column] ?? ''))),
  );
  const left = screenWidth - widths.reduce((sum, width) => sum + width + gap, 0);
  return rows.map((row) => {
    const cell = row[last];
    if (cell === undefined || left < narrowest || visibleLength(cell) <= left) return [...row];
    return [...row.slice(0, last), wrapWords(cell.split(' '), left).join('\n')];
  });
};

/** Renders each row below the one before, with a line for each cell that is not empty. */
const renderBlocks = (rows: readonly (readonly string[])[], head: readonly string[]): string => {
  const label = Math.max(...head.map((name) => name.length)) + gap;
  const blockOf = (row: readonly string[]): string[] =>
    row.flatMap((cell, column) =>
      cell === ''
        ? []
        : wrapWords(cell.split(/\s/), screenWidth - label).map(
            (line, index) => (index === 0 ? (head[column] ?? '') : '').padEnd(label) + line,
          ),
    );
  return rows.map((row) => blockOf(row).join('\n')).join('\n\n');
};

/**
 * Renders a table without borders. The last column is wrapped at the edge of the screen. If the table is too wide anyway,
 * its rows become blocks. So no line is wider than the screen, unless it has only one word.
 */
export const renderTable = (rows: readonly (readonly string[])[], head?: readonly string[]): string => {
  const [wrappedHead, ...wrapped] = wrapLastColumn([head ?? [], ...rows]);
  const table = new Table({
    chars: { ...bareBorders, middle: '  ' },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    ...(head && wrappedHead && { head: wrappedHead }),
  });
  table.push(...wrapped);
  const lines = table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
  const fits = lines.every((line) => visibleLength(line) <= screenWidth);
  return fits || head === undefined ? lines.join('\n') : renderBlocks(rows, head);
};

/** Formats JSON. Escapes characters that a terminal interprets. */
export const toJson = (document: unknown): string =>
  JSON.stringify(document, undefined, 2).replace(
    /[^\P{Cc}\n]|[\p{Cf}\u2028\u2029]/gu,
    // A character outside the Basic Multilingual Plane needs two escapes.
    (character) =>
      character
        .split('')
        .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
        .join(''),
  );

/**
 * Joins words into lines of a width, for text in columns. A longer word has a line of its own.
 *
 * @param separator between the words of a line
 */
export const wrapWords = (words: readonly string[], width: number, separator = ' '): string[] => {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + separator.length + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last + separator + word;
  }
  return lines;
};

/** Breaks untrusted text into lines of a width. */
export const wrapText = (text: string, width: number): string[] => wrapWords(oneLine(text).split(' '), width);
