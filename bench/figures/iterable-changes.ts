import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as z from 'zod';
import type { FigureSet } from '../figure';
import { round, sum } from '../statistics';
import type { IterableChangesOptions } from '../sync/iterable-changes';
import { runSender } from '../sync/sender';
import { withSimulator } from '../sync/simulator';
import { usageSchema } from '../sync/usage';

const apiKey = 'bench-key';

const reportSchema = usageSchema.extend({
  succeeded: z.number(),
  compared: z.object({ added: z.number(), changed: z.number(), unchanged: z.number() }),
});
const arrivalsSchema = z.object({ calls: z.record(z.string(), z.object({ calls: z.number() })) });

/** Compares users with an earlier run in which every n-th one differs. @returns the report of the second comparison */
const compareTwice = async (users: number, changedEach: number, baseUrl?: string) => {
  const root = mkdtempSync(path.join(tmpdir(), 'bench-changes-'));
  const [base, folder] = [path.join(root, 'first'), path.join(root, 'second')];
  const run = (options: Partial<IterableChangesOptions>) =>
    runSender('iterable-changes', { users, apiKey, folder, ...options }, reportSchema);
  try {
    await run({ folder: base });
    const report = await run({ base, changedEach, ...(baseUrl !== undefined && { baseUrl }) });
    const { added, changed, unchanged } = report.compared;
    if (added !== 0 || changed !== Math.floor(users / changedEach) || changed + unchanged !== users) {
      throw new Error(`The comparison found ${JSON.stringify(report.compared)}`);
    }
    return report;
  } finally {
    rmSync(root, { recursive: true });
  }
};

type ChangesFigure = 'iterable_changed_calls' | 'iterable_diff_peak_mb' | 'iterable_diff_s_per_million';

/** The comparison of a run with the users that Iterable has. */
export const iterableChanges: FigureSet<ChangesFigure> = {
  title: 'Iterable: only what changed',
  bars: {
    iterable_changed_calls: { unit: 'bulk calls for 200 of 10000 users', bar: 2, better: 'lower' },
    iterable_diff_peak_mb: { unit: 'MiB for 1000000 users', bar: 256, better: 'lower' },
    iterable_diff_s_per_million: { unit: 'CPU s per 1000000 users', bar: 60, better: 'lower' },
  },
  measure: async (note) => {
    const calls = await withSimulator(
      { api: 'iterable', credentials: { api_key: apiKey }, latencyMs: 0, keep: 'counts' },
      async ({ url, readControl }) => {
        const { succeeded } = await compareTwice(10_000, 50, url);
        if (succeeded !== 200) throw new Error(`${succeeded} of 200 users were accepted`);
        const arrivals = await readControl('arrivals', arrivalsSchema);
        return sum(Object.values(arrivals.calls).map((call) => call.calls));
      },
    );
    const { peakMib, cpuMs, elapsedMs } = await compareTwice(1_000_000, 50);
    note(`1,000,000 users compared in ${round(elapsedMs / 1_000, 1)} s, of which ${round(cpuMs / 1_000, 1)} s of CPU`);
    return {
      iterable_changed_calls: calls,
      iterable_diff_peak_mb: round(peakMib, 1),
      iterable_diff_s_per_million: round(cpuMs / 1_000, 1),
    };
  },
};
