import { inputDifferences, previousRunOf, totalsOf, usualSecondsOf } from '../../../../ops/services/run-history';
import type { ListedRun } from '../../../../ops/services/sync-runs';

const startMs = Date.parse('2026-01-31T02:00:00Z');
const dayMs = 86_400_000;
/** A run on a day, counted from the first. */
const runOn = (day: number, seconds: number, more: Partial<ListedRun> = {}): ListedRun => ({
  runId: `run-${day}`,
  status: 'SUCCEEDED',
  jobs: ['iterable'],
  isDryRun: false,
  message: undefined,
  startedAt: new Date(startMs + day * dayMs).toISOString(),
  finishedAt: new Date(startMs + day * dayMs + seconds * 1_000).toISOString(),
  ...more,
});

test('compares the duration with the median of the other complete runs of the same jobs', () => {
  const others = [
    ...[runOn(1, 10), runOn(2, 40), runOn(3, 20, { status: 'PARTIAL' })],
    ...[runOn(4, 900, { status: 'FAILED' }), runOn(5, 900, { jobs: ['netlife'] }), runOn(6, 900, { isDryRun: true })],
  ];
  const run = runOn(9, 900);
  expect(usualSecondsOf(run, [run, ...others])).toBe(20);
  expect(usualSecondsOf(run, [...others, runOn(7, 30)])).toBe(25);
  expect(usualSecondsOf(run, others.slice(0, 2))).toBeUndefined();
});

test('the previous run is the newest earlier one of the same jobs', () => {
  const runs = [runOn(1, 10), runOn(3, 10, { jobs: ['netlife'] }), runOn(2, 10), runOn(5, 10)];
  expect(previousRunOf(runOn(4, 10), runs)?.runId).toBe('run-2');
  expect(previousRunOf(runOn(0, 10), runs)).toBeUndefined();
});

test('lists the keys of the input that differ', () => {
  const before = { run_id: 'a', iterable: { mode: 'bulk', pages: ['pricing'], days: 7 } };
  const now = { run_id: 'b', dry_run: true, iterable: { mode: 'bulk', pages: ['pricing', 'settings'], days: 7 } };
  expect(inputDifferences(before, now)).toEqual([
    { key: 'iterable.pages', before: ['pricing'], now: ['pricing', 'settings'] },
    { key: 'dry_run', before: undefined, now: true },
  ]);
});

test('adds the counts of the jobs up', () => {
  const outcomes = [
    { counts: { subjects_total: 10, contacts_written: 8, jobs_failed: 1, rows_rejected: 1 } },
    { counts: { total_users: 5, successful: 2, partial_failures: 1, total_failures: 2, rejected: 3 } },
  ];
  expect(totalsOf(outcomes)).toEqual({ read: 15, sent: 10, failed: 4, rejected: 4 });
});
