import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { run } from '../../ops/commands/program';

/** The exit code and output of a command. */
export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface OperateOptions {
  /** The operator's input. Default: end of input. */
  readonly answer?: string;
  readonly localStateDirectory?: string;
  readonly now: () => number;
  /** Interrupts the command after this time, like Ctrl-C. */
  readonly interruptAfterMs?: number;
}

/** Only columns have several spaces between words. The terminal itself breaks sentences. */
const isRow = (line: string): boolean => /\S {2,}\S/.test(line);
/** A cell of one word, such as a path, stays whole. */
const isWord = (line: string): boolean => /^(\S+ {2,})?\S+$/.test(line);

/** @throws {Error} if a row of a table does not fit 80 columns */
const expectNarrow = (text: string): void => {
  const rows = stripVTControlCharacters(text).split('\n').filter(isRow);
  const wide = rows.filter((row) => row.length > 80 && !isWord(row.trim()));
  if (wide.length > 0) throw new Error(`Wider than 80 columns:\n${wide.join('\n')}`);
};

/** Runs the `pipeline` command in this process. Its tables must fit 80 columns. */
export const operate = async (args: readonly string[], options: OperateOptions): Promise<Outcome> => {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end(options.answer ?? '');
  const exitCode = await run(args, {
    stdin,
    stdout,
    stderr,
    environment: {},
    localStateDirectory: options.localStateDirectory ?? 'nowhere',
    temporaryDirectory: options.localStateDirectory ?? 'nowhere',
    now: options.now,
    interruptible: (work) => {
      const { interruptAfterMs } = options;
      return work(
        interruptAfterMs === undefined ? new AbortController().signal : AbortSignal.timeout(interruptAfterMs),
      );
    },
  });
  const textOf = (stream: PassThrough): string => String(stream.read() ?? '');
  const outcome = { exitCode, stdout: textOf(stdout), stderr: textOf(stderr) };
  if (!args.includes('--json')) expectNarrow(outcome.stdout);
  return outcome;
};
