import type { SourceRow } from '../../../shared/iterable/rows';
import type { UserSource } from '../../../shared/iterable/source';
import type { RunPlan } from '../../../shared/runs/plan';
import { unconfigured } from '../../support/unconfigured';
import type { System } from './system';

export const row = (id: number, change: Partial<SourceRow> = {}): SourceRow => ({
  id: String(id),
  email: `user${id}@example.com`,
  first_name: 'Ada',
  last_name: `Example ${id}`,
  plan_type: 'pro',
  candidate: null,
  page: 'pricing',
  device: 'desktop',
  browser: 'Firefox',
  location: null,
  event_time: '2026-01-02 03:04:05',
  ...change,
});

/** A source that returns the rows after `afterId`, at most `limit`. Records the `afterId` of each read. */
export const createSource = (rows: readonly SourceRow[]) => {
  const reads: (string | undefined)[] = [];
  const source: UserSource = {
    async *rows({ afterId = '0', limit }) {
      reads.push(afterId);
      const rest = rows.filter(({ id }) => Number(id) > Number(afterId));
      yield* limit === 0 ? rest : rest.slice(0, limit);
    },
    leavers: unconfigured('leavers'),
    customer: unconfigured('customer'),
    missingColumns: unconfigured('missingColumns'),
  };
  return { source, reads };
};

/** A clock on which a turn ends after this many reads of the clock. */
export const turnOf = (clockReads: number) => {
  let readSoFar = 0;
  return { clock: () => Date.now() + (++readSoFar > clockReads ? 600_000 : 0) };
};

export const stampOf = (run: RunPlan) => run.started_at.replaceAll(/[-:]|\.\d+Z/g, '').replace('T', '_');
/** A file of a run; `path` is relative to the folder of the job. */
export const read = async (system: System, run: RunPlan, path: string) =>
  (await system.folder(run.run_id).readText(`iterable/${path}`)) ?? '';
export const results = async (system: System, run: RunPlan) =>
  JSON.parse(await read(system, run, `integration_results_${stampOf(run)}.json`));
