import { availableParallelism } from 'node:os';
import type { FigureSet } from '../figure';
import { type PipelineRun, runPipeline } from '../pipeline/run';
import { percentile, round, sum } from '../statistics';

const small = 1_000;
const medium = 5_000;
const large = 20_000;

const describe = ({ orders, seconds, endToEndMs, peaks }: PipelineRun): string => {
  const [p50, p95] = [0.5, 0.95].map((share) => round(percentile(endToEndMs, share) / 1000, 2));
  const rate = round(orders / seconds, 1);
  const [own, family] = [round(peaks.ownMb, 0), round(peaks.familyMb, 0)];
  return `${orders} orders: ${rate} per second, end to end p50 ${p50} s, p95 ${p95} s, peak ${family} MB (without Lambdas ${own} MB)`;
};

/**
 * The whole pipeline on the embedded AWS, with simulators that respond at once. The webhooks are sent without a pause, so
 * the end-to-end time of an order is mostly a wait for earlier orders.
 */
export const throughput: FigureSet<
  'pipeline_orders_per_s' | 'pipeline_scale_ratio' | 'pipeline_peak_mb' | 'pipeline_memory_ratio'
> = {
  title: 'The whole pipeline on the embedded AWS',
  bars: {
    // No target was set for these two; the bars only detect a drop by half.
    pipeline_orders_per_s: { unit: 'orders/s', bar: 50, better: 'higher' },
    pipeline_peak_mb: { unit: 'MB', bar: 2000, better: 'lower' },
    pipeline_scale_ratio: { unit: `${large} ÷ ${small} orders`, bar: 0.9, better: 'higher' },
    pipeline_memory_ratio: { unit: `${large} ÷ ${medium} orders`, bar: 1.15, better: 'lower' },
  },
  measure: async (note) => {
    const run = (orders: number) =>
      runPipeline({
        orders,
        warmUpOrders: 300,
        qualiaLatencyMs: 0,
        internalApiLatencyMs: 0,
        maxConcurrency: availableParallelism(),
        metered: false,
        watchesMemory: true,
      });
    // The small runs come before and after the large one, so that a change of the machine's speed does not bias the ratio.
    const runs: PipelineRun[] = [];
    for (const orders of [small, medium, large, small]) {
      const done = await run(orders);
      note(describe(done));
      runs.push(done);
    }
    const rateOf = (done: readonly PipelineRun[]): number =>
      sum(done.map(({ orders }) => orders)) / sum(done.map(({ seconds }) => seconds));
    const many = runs.filter(({ orders }) => orders === large);
    const few = runs.filter(({ orders }) => orders === small);
    note('peak: the embedded AWS and all of its Lambdas, without the simulators and the sender');
    // Without the Lambdas: only the embedded AWS can grow with the number of orders, and the Lambdas' memory would hide it.
    const ownPeakMb = (wanted: number): number =>
      Math.max(...runs.filter(({ orders }) => orders === wanted).map(({ peaks }) => peaks.ownMb));
    return {
      pipeline_orders_per_s: round(rateOf(many), 1),
      pipeline_scale_ratio: round(rateOf(many) / rateOf(few), 2),
      pipeline_peak_mb: round(Math.max(...runs.map(({ peaks }) => peaks.familyMb)), 0),
      pipeline_memory_ratio: round(ownPeakMb(large) / ownPeakMb(medium), 3),
    };
  },
};
