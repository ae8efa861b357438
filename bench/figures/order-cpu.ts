import { availableParallelism } from 'node:os';
import type { FigureSet } from '../figure';
import { runPipeline } from '../pipeline/run';
import { percentile, round } from '../statistics';

const orders = 5_000;

/** CPU time of our Lambda processes, all three of them, for one clean order. */
export const orderCpu: FigureSet<'order_cpu_ms'> = {
  title: 'CPU time of the Lambdas for an order',
  bars: { order_cpu_ms: { unit: 'ms', bar: 8, better: 'lower' } },
  measure: async (note) => {
    const run = await runPipeline({
      orders,
      warmUpOrders: 1_000,
      qualiaLatencyMs: 0,
      internalApiLatencyMs: 0,
      maxConcurrency: availableParallelism(),
      metered: false,
    });
    const [p50, p95] = [0.5, 0.95].map((share) => round(percentile(run.endToEndMs, share) / 1_000, 2));
    note(`${orders} orders: ${round(orders / run.seconds, 1)} per second, end to end p50 ${p50} s, p95 ${p95} s`);
    return { order_cpu_ms: round(run.lambdaCpuMs / orders, 2) };
  },
};
