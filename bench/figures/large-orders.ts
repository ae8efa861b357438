import { bundleOf, readBundles, synthesized } from '../bundle';
import type { FigureSet } from '../figure';
import { runBatches } from '../large-orders/batch';
import { round } from '../statistics';

const memoryMb = 512;
const orders = 20;
/** A common content, and the one that takes the most memory, one order at a time and several. */
const batches = [
  { kind: 'people', bytes: 3_000_000 },
  { kind: 'nested', bytes: 3_000_000 },
  { kind: 'nested', bytes: 1_000_000 },
] as const;

/**
 * Peak memory (RSS) of the shipped workers, each with one batch of large orders. Lambda kills a process at the memory of its
 * function, 512 MiB.
 */
export const largeOrders: FigureSet<'large_orders_peak_mib'> = {
  title: 'A batch of large orders',
  bars: { large_orders_peak_mib: { unit: 'MiB', bar: 400, better: 'lower' } },
  measure: async (note) => {
    const bundles = readBundles(synthesized());
    const peaks: number[] = [];
    for (const worker of ['download', 'processing'] as const) {
      for (const { kind, bytes } of batches) {
        const bundle = bundleOf(bundles, worker);
        const run = await runBatches({ worker, bundle, memoryMb, kind, orders, bytes, batches: 1 });
        if (run.returned > 0) throw new Error(`${run.returned} orders went back to the queue`);
        note(`${worker}, ${orders} orders of ${bytes / 1e6} MB, ${kind}: ${round(run.peakMib, 0)} MiB`);
        peaks.push(run.peakMib);
      }
    }
    return { large_orders_peak_mib: round(Math.max(...peaks), 0) };
  },
};
