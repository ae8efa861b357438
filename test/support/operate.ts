import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
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
  /** Interrupts the command as soon as this is so. `output` is what it has printed so far. */
  readonly interruptWhen?: (output: string) => boolean | Promise<boolean>;
}

type Interruptible = Parameters<typeof run>[1]['interruptible'];

const pollMs = 10;

const interruptibleOf =
  ({ interruptAfterMs, interruptWhen }: OperateOptions, output: () => string): Interruptible =>
  async (work) => {
    const interrupt = new AbortController();
    if (interruptWhen === undefined) {
      return work(interruptAfterMs === undefined ? interrupt.signal : AbortSignal.timeout(interruptAfterMs));
    }
    let hasEnded = false;
    const watch = async (): Promise<void> => {
      while (!hasEnded && !interrupt.signal.aborted) {
        if (await interruptWhen(output())) interrupt.abort();
        else await sleep(pollMs);
      }
    };
    const working = work(interrupt.signal).finally(() => {
      hasEnded = true;
    });
    const [result] = await Promise.all([working, watch()]);
    return result;
  };

/** What has been written to a stream so far. */
const readerOf = (stream: PassThrough): (() => string) => {
  let text = '';
  return () => {
    text += String(stream.read() ?? '');
    return text;
  };
};

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
  const [readStdout, readStderr] = [readerOf(stdout), readerOf(stderr)];
  stdin.end(options.answer ?? '');
  const exitCode = await run(args, {
    stdin,
    stdout,
    stderr,
    environment: {},
    localStateDirectory: options.localStateDirectory ?? 'nowhere',
    temporaryDirectory: options.localStateDirectory ?? 'nowhere',
    now: options.now,
    interruptible: interruptibleOf(options, () => readStdout() + readStderr()),
  });
  const outcome = { exitCode, stdout: readStdout(), stderr: readStderr() };
  if (!args.includes('--json')) expectNarrow(outcome.stdout);
  return outcome;
};
