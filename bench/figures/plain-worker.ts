import { availableParallelism } from 'node:os';
import type { FigureSet } from '../figure';
import { runPipeline } from '../pipeline/run';
import { median, round } from '../statistics';

/** Processes of each function: while one waits, another one uses the core. */
const processes = availableParallelism() + 1;

/**
 * Latencies of the two APIs, how many orders each side processes (the plain worker is slow), and how many times.
 * `warmUpOrders`: for one process. V8 compiles in each process what it runs often, and the plain program is one process.
 */
const circumstances = {
  atOnce: { qualiaLatencyMs: 0, internalApiLatencyMs: 0, ours: 3_000, plain: 1_000, warmUpOrders: 1_000, rounds: 5 },
  slow: { qualiaLatencyMs: 200, internalApiLatencyMs: 100, ours: 1_000, plain: 60, warmUpOrders: 20, rounds: 1 },
} as const;

/**
 * Our workers compared with a plain program that does the same work one message at a time, on the same embedded AWS,
 * behind the same webhook.
 *
 * At 0 ms, the cores limit our workers, and the sequence of its calls limits the plain program. The speed of a shared
 * machine changes by a factor of two within minutes, so the two run in turn, and the median of the ratios counts. Other
 * load lowers it: with ten busy processes, 1.7 was measured instead of about 3.
 */
export const plainWorker: FigureSet<'plain_worker_ratio' | 'plain_worker_ratio_slow_apis'> = {
  title: 'Our workers and a plain program',
  bars: {
    plain_worker_ratio: { unit: 'ours ÷ plain, APIs at 0 ms', bar: 3, better: 'higher' },
    plain_worker_ratio_slow_apis: { unit: 'ours ÷ plain, at 200 and 100 ms', bar: 10, better: 'higher' },
  },
  measure: async (note) => {
    const ratioOf = async ({
      ours,
      plain,
      warmUpOrders,
      rounds,
      ...latencies
    }: (typeof circumstances)[keyof typeof circumstances]): Promise<number> => {
      const rateOf = async (workers: 'lambdas' | 'plain', orders: number): Promise<number> => {
        const done = await runPipeline({
          ...latencies,
          orders,
          workers,
          warmUpOrders: workers === 'plain' ? warmUpOrders : warmUpOrders * processes,
          maxConcurrency: processes,
          metered: false,
        });
        return done.orders / done.seconds;
      };
      const ratios: number[] = [];
      for (let turn = 0; turn < rounds; turn++) {
        const ourRate = await rateOf('lambdas', ours);
        const plainRate = await rateOf('plain', plain);
        const apis = `APIs at ${latencies.qualiaLatencyMs} and ${latencies.internalApiLatencyMs} ms`;
        note(`${apis}: our workers ${round(ourRate, 1)} orders/s, a plain program ${round(plainRate, 1)}`);
        ratios.push(ourRate / plainRate);
      }
      return median(ratios);
    };
    return {
      plain_worker_ratio: round(await ratioOf(circumstances.atOnce), 2),
      plain_worker_ratio_slow_apis: round(await ratioOf(circumstances.slow), 1),
    };
  },
};
