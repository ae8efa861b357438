import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import * as fc from 'fast-check';
import { captureOutput } from './capture-output';
import { toAscii } from './to-ascii';
import { watchProcess } from './watch-process';

/** Code that reads untrusted input. */
export interface FuzzTarget<Input = unknown, Outcome = unknown> {
  readonly name: string;
  /** Inputs that every run tests, by description. */
  readonly corpus: Readonly<Record<string, Input>>;
  readonly arbitrary: fc.Arbitrary<Input>;
  /**
   * Runs one input. A thrown error counts as a crash.
   *
   * @param pause to be called where the code would wait, and after a response is prepared. The time limit applies to the
   *   time between two calls.
   */
  run(input: Input, pause: () => void): Promise<Outcome>;
  /** Checks the outcome. @returns a sentence for each fault */
  check(outcome: Outcome, input: Input): readonly string[];
  /** Texts that must not be printed. */
  readonly secretTexts: readonly string[];
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

/** A slow input is repeated, because the machine may have been busy. */
const maxAttempts = 20;

/** Runs inputs and checks their outcomes, output, duration and side effects. */
const createExaminer = (target: FuzzTarget, { maxMs, onInput }: FuzzOptions) => {
  const watch = watchProcess();
  const output = captureOutput();
  let inputs = 0;
  let slowestMs = 0;

  /**
   * Measures the CPU time of the main thread plus its idle time. Other processes that use the CPU do not increase them.
   * The idle time includes the wait for the threads that decompress, so their CPU time is not added.
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
      const leaks = target.secretTexts.filter((text) => printed.includes(text)).map((text) => `it printed ${text}`);
      return { faults: [...target.check(outcome, input), ...leaks], ms };
    } catch (thrown) {
      return { faults: [`it threw ${thrown instanceof Error ? thrown.stack : String(thrown)}`], ms };
    }
  };

  return {
    examine: async (input: unknown): Promise<readonly string[]> => {
      inputs += 1;
      onInput?.();
      // Timers and reports of unhandled rejections run only between ticks of the event loop.
      if (inputs % 64 === 0) await yieldToEventLoop();
      let { faults, ms } = await attempt(input);
      for (let attempts = 1; attempts < maxAttempts && faults.length === 0 && ms > maxMs; attempts++) {
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
      await yieldToEventLoop();
      output.stop();
      await target.close?.();
      return watch.stop();
    },
  };
};

/**
 * Runs a target's corpus, then a number of inputs of its arbitrary. Stops at the first failure and shrinks it.
 *
 * Uses fast-check without coverage guidance. Guidance needs instrumented modules: jazzer.js has a native addon, which
 * `npm ci` must build where no binary fits, and jsfuzz depends on a release of nyc from 2019. Schemas read these inputs, and
 * changed documents reach the branches of a schema.
 */
export const fuzz = async (target: FuzzTarget, options: FuzzOptions): Promise<FuzzReport> => {
  const { inputs, seed } = options;
  const startedAtMs = performance.now();
  const examiner = createExaminer(target, options);
  const findFailure = async (): Promise<FuzzReport['failure']> => {
    for (const [name, input] of Object.entries(target.corpus)) {
      const faults = await examiner.examine(input);
      if (faults.length > 0) return { faults: faults.join('; '), input: `corpus: ${name}` };
    }
    let lastFaults: readonly string[] = [];
    const property = fc.asyncProperty(target.arbitrary, async (input) => {
      const faults = await examiner.examine(input);
      if (faults.length > 0) lastFaults = faults;
      return faults.length === 0;
    });
    const { failed, counterexample } = await fc.check(property, { numRuns: inputs, seed });
    return failed ? { faults: lastFaults.join('; '), input: toAscii(counterexample?.[0]) } : undefined;
  };
  const failure = await findFailure();
  const { inputs: inputCount, slowestMs } = examiner.figures();
  const lateFaults = await examiner.close();
  return {
    inputs: inputCount,
    seconds: (performance.now() - startedAtMs) / 1_000,
    slowestMs,
    failure:
      failure ??
      (lateFaults.length > 0
        ? { faults: lateFaults.join('; '), input: 'unknown: the fault was noticed after the last input' }
        : undefined),
  };
};
