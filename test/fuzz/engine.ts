import { setImmediate as nextTurn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { captureOutput } from './capture-output';
import { toAscii } from './to-ascii';
import { watchProcess } from './watch-process';

/** A part of the system that reads untrusted input. */
export interface FuzzTarget<Input = unknown, Outcome = unknown> {
  readonly name: string;
  /** Inputs of every run, by description. */
  readonly corpus: Readonly<Record<string, Input>>;
  readonly arbitrary: fc.Arbitrary<Input>;
  /**
   * Runs one input. A thrown error counts as a crash.
   *
   * @param pause called where the system would wait, and after the test has prepared a response: the time after it is
   *   measured separately
   */
  run(input: Input, pause: () => void): Promise<Outcome>;
  /** @returns a sentence for each fault of the outcome */
  judge(outcome: Outcome, input: Input): readonly string[];
  /** Texts that must not be printed. */
  readonly unspeakable: readonly string[];
  /** Releases the resources of `run`. */
  close?(): Promise<void>;
}

export interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
  /** Time limit per input, for any size. */
  readonly maxMs: number;
  /** Called before each input, so that an input that never ends can be detected. */
  readonly onInput?: () => void;
}

/** The result of a target's inputs. */
export interface FuzzReport {
  readonly inputs: number;
  readonly seconds: number;
  readonly slowestMs: number;
  readonly failure: { readonly faults: string; readonly input: string } | undefined;
}

/** Number of retries of a slow input, because a pause of the machine is not the input's fault. */
const tries = 5;

/** Runs inputs, and returns the faults of each. */
const createExaminer = (target: FuzzTarget, { maxMs, onInput }: FuzzOptions) => {
  const watch = watchProcess();
  const output = captureOutput();
  let inputs = 0;
  let slowestMs = 0;

  /**
   * CPU time of the main thread plus its idle time, which do not grow when other processes use the CPU. The idle time
   * includes the wait for the threads that decompress, so their CPU time must not count a second time.
   */
  const measure = () => {
    const cpuBefore = process.threadCpuUsage();
    const loopBefore = performance.eventLoopUtilization();
    return (): number => {
      const { user, system } = process.threadCpuUsage(cpuBefore);
      return (user + system) / 1_000 + performance.eventLoopUtilization(loopBefore).idle;
    };
  };

  const attempt = async (input: unknown): Promise<{ readonly faults: readonly string[]; readonly ms: number }> => {
    output.clear();
    let elapsedMs = measure();
    let ms = 0;
    const pause = (): void => {
      ms = Math.max(ms, elapsedMs());
      elapsedMs = measure();
    };
    try {
      const outcome = await target.run(input, pause);
      pause();
      const printed = output.text();
      const said = target.unspeakable.filter((text) => printed.includes(text)).map((text) => `it printed ${text}`);
      return { faults: [...target.judge(outcome, input), ...said], ms };
    } catch (thrown) {
      return { faults: [`it threw ${thrown instanceof Error ? thrown.stack : String(thrown)}`], ms };
    }
  };

  return {
    examine: async (input: unknown): Promise<readonly string[]> => {
      inputs += 1;
      onInput?.();
      // Timers run and unhandled rejections are reported only between ticks of the event loop.
      if (inputs % 64 === 0) await nextTurn();
      let { faults, ms } = await attempt(input);
      for (let again = 1; again < tries && faults.length === 0 && ms > maxMs; again++) {
        const next = await attempt(input);
        faults = next.faults;
        ms = Math.min(ms, next.ms);
      }
      slowestMs = Math.max(slowestMs, ms);
      const slow = ms > maxMs ? [`it took ${Math.round(ms)} ms`] : [];
      return [...faults, ...slow, ...watch.findings()];
    },
    figures: () => ({ inputs, slowestMs }),
    close: async (): Promise<readonly string[]> => {
      await nextTurn();
      output.stop();
      await target.close?.();
      return watch.stop();
    },
  };
};

/**
 * Runs a target's corpus, then a number of inputs of its arbitrary. Stops at the first failure and shrinks it.
 *
 * Uses fast-check without coverage guidance, which would have to instrument every module: jazzer.js uses a native addon,
 * which `npm ci` would have to build where no binary fits; jsfuzz uses a release of nyc from 2019. The inputs here are read
 * by schemas, whose branches are reached by changed documents.
 */
export const fuzz = async (target: FuzzTarget, options: FuzzOptions): Promise<FuzzReport> => {
  const { inputs, seed } = options;
  const startedAtMs = performance.now();
  const examiner = createExaminer(target, options);
  const attack = async (): Promise<FuzzReport['failure']> => {
    for (const [name, input] of Object.entries(target.corpus)) {
      const faults = await examiner.examine(input);
      if (faults.length > 0) return { faults: faults.join('; '), input: `of the corpus: ${name}` };
    }
    let newest: readonly string[] = [];
    const property = fc.asyncProperty(target.arbitrary, async (input) => {
      const faults = await examiner.examine(input);
      if (faults.length > 0) newest = faults;
      return faults.length === 0;
    });
    const { failed, counterexample } = await fc.check(property, { numRuns: inputs, seed });
    return failed ? { faults: newest.join('; '), input: toAscii(counterexample?.[0]) } : undefined;
  };
  const failure = await attack();
  const { inputs: tried, slowestMs } = examiner.figures();
  const late = await examiner.close();
  return {
    inputs: tried,
    seconds: (performance.now() - startedAtMs) / 1_000,
    slowestMs,
    failure:
      failure ?? (late.length > 0 ? { faults: late.join('; '), input: 'unknown: it was noticed late' } : undefined),
  };
};
