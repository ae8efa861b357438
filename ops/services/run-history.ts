import type { JobOutcome } from './run-report';
import { hasEnded } from './run-status';
import type { ListedRun } from './sync-runs';

/** A key of a run's input that differs from another run's. Absent values are undefined. */
export interface InputDifference {
  /** Such as `iterable.mode`. */
  readonly key: string;
  readonly before: unknown;
  readonly now: unknown;
}

/** The runs that a duration is compared with. A median of fewer says little. */
const fewestForMedian = 3;
/** Keys that differ in every run, or that say nothing about the work. */
const ignoredKeys: readonly string[] = ['run_id', 'after'];

const isSameWork = (a: ListedRun, b: ListedRun): boolean =>
  a.jobs.join() === b.jobs.join() && a.isDryRun === b.isDryRun;

/** The newest earlier run of the same jobs. */
export const previousRunOf = (run: ListedRun, runs: readonly ListedRun[]): ListedRun | undefined =>
  runs
    .filter((other) => other.startedAt < run.startedAt && other.jobs.join() === run.jobs.join())
    .toSorted((a, b) => b.startedAt.localeCompare(a.startedAt))[0];

/** The median duration in seconds of the other complete runs of the same jobs; undefined if there are few. */
export const usualSecondsOf = (run: ListedRun, runs: readonly ListedRun[]): number | undefined => {
  const durations = runs
    .filter((other) => other.runId !== run.runId && isSameWork(run, other))
    .filter(({ status }) => status === 'SUCCEEDED' || status === 'PARTIAL')
    .flatMap((other) => durationSecondsOf(other) ?? [])
    .toSorted((a, b) => a - b);
  if (durations.length < fewestForMedian) return undefined;
  const middle = durations.length / 2;
  return ((durations[Math.ceil(middle) - 1] ?? 0) + (durations[Math.floor(middle)] ?? 0)) / 2;
};

/** The duration of a run that has ended, in seconds. */
export const durationSecondsOf = ({ status, startedAt, finishedAt }: ListedRun): number | undefined =>
  finishedAt === undefined || !hasEnded(status) ? undefined : (Date.parse(finishedAt) - Date.parse(startedAt)) / 1_000;

/** The keys of two inputs that differ. */
export const inputDifferences = (before: object, now: object): InputDifference[] => {
  const [old, current] = [flatten(before), flatten(now)];
  return [...new Set([...old.keys(), ...current.keys()])]
    .filter((key) => !ignoredKeys.includes(key))
    .filter((key) => JSON.stringify(old.get(key)) !== JSON.stringify(current.get(key)))
    .map((key) => ({ key, before: old.get(key), now: current.get(key) }));
};

const flatten = (value: object, prefix = ''): Map<string, unknown> =>
  new Map(
    Object.entries(value).flatMap(([key, inner]): [string, unknown][] =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? [...flatten(inner, `${prefix}${key}.`)]
        : [[`${prefix}${key}`, inner]],
    ),
  );

/** What a run read and sent, over all of its jobs. */
export interface RunTotals {
  /** Subjects of Netlife, and users of the query for Iterable. */
  readonly read: number;
  /** Contacts written, and users that Iterable took. */
  readonly sent: number;
  /** Photo jobs and users that failed. */
  readonly failed: number;
  readonly rejected: number;
}

/** The counts of the statistics that make up each total (docs/contracts/sync-jobs.md). */
const totals: Readonly<Record<keyof RunTotals, readonly string[]>> = {
  read: ['subjects_total', 'total_users'],
  sent: ['contacts_written', 'successful'],
  failed: ['jobs_failed', 'partial_failures', 'total_failures'],
  rejected: ['rows_rejected', 'rejected'],
};

/** Adds the counts of a run's jobs up. */
export const totalsOf = (outcomes: readonly Pick<JobOutcome, 'counts'>[]): RunTotals => {
  const sum = (names: readonly string[]): number =>
    outcomes.reduce((total, { counts }) => names.reduce((own, name) => own + (counts[name] ?? 0), total), 0);
  return { read: sum(totals.read), sent: sum(totals.sent), failed: sum(totals.failed), rejected: sum(totals.rejected) };
};
