import { createRandom } from '../../../samples/random';

/** A run that starts in a history. */
export interface PlannedRun {
  readonly id: string;
  readonly atMs: number;
  readonly input: object;
}

/** Something that happens to the runs. `share` chooses among what there is, from 0 to 1. */
export interface Disturbance {
  readonly kind: 'crash' | 'freeze' | 'cut' | 'slow' | 'stop' | 'abort' | 'redrive';
  readonly atMs: number;
  readonly share: number;
  readonly ms: number;
  readonly service: 'dynamodb' | 's3' | 'secrets' | 'netlife' | 'iterable' | 'database';
}

/** A history of sync runs. It is made before it runs. */
export interface SyncHistory {
  readonly seed: number;
  readonly portals: readonly { readonly name: string; readonly jobs: number; readonly subjectsPerJob: number }[];
  readonly users: number;
  /** When customers change, and when one joins. */
  readonly changes: readonly { readonly atMs: number; readonly joins: boolean }[];
  readonly runs: readonly PlannedRun[];
  readonly disturbances: readonly Disturbance[];
  /** The share of calls that fail. */
  readonly faultShare: number;
  /** The input of the last run, which starts after all faults have ended. */
  readonly lastInput: object;
  readonly endsAtMs: number;
}

export const startMs = Date.parse('2026-01-05T00:00:00Z');
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const portalNames = ['nowandgen', 'legacyphoto'] as const;

/** The history of a seed. */
export const createSyncHistory = (seed: number): SyncHistory => {
  const random = createRandom(seed);
  const nights = random.integer(2, 3);
  const endsAtMs = startMs + nights * dayMs;
  const portals = portalNames.slice(0, random.integer(1, 2)).map((name) => ({
    name,
    jobs: random.integer(1, 4),
    subjectsPerJob: random.pick([3, 30, 80]),
  }));
  const mode = random.pick(['bulk', 'bulk', 'single']);
  const users = mode === 'single' ? random.integer(5, 60) : random.pick([3, 20, 60, 1_100, 2_300]);
  const on_removed = random.pick(['ignore', 'clear']);
  const create_access_keys = random.chance(0.5);
  const netlife = { portals: portals.map(({ name }) => name), create_access_keys };
  const iterable = { mode, days: 30, confirm: random.pick([0, 3]), only_changed: true, on_removed };
  const both = { netlife, iterable };
  const nightly = { after: 'skip', ...both };

  const everyone = { ...iterable, only_changed: false, on_removed: 'ignore' };
  const manual = (): object => ({
    after: random.pick(['fail', 'wait', 'skip']),
    ...random.pick<object>([
      both,
      { netlife },
      { iterable },
      { iterable: everyone },
      { iterable: { ...iterable, full: true } },
    ]),
  });
  const nightlyRuns = Array.from({ length: nights }, (_, night) => ({
    id: `night-${night + 1}`,
    atMs: startMs + night * dayMs + 2 * hourMs,
    input: nightly,
  }));
  /** Near a nightly run, or at any time. */
  const anyTime = (spanMs: number): number =>
    random.chance(0.8)
      ? random.pick(nightlyRuns as [PlannedRun]).atMs + random.integer(-Math.floor(spanMs / 4), spanMs)
      : random.integer(startMs, endsAtMs);
  const manualRuns = Array.from({ length: random.integer(0, 5) }, (_, index) => ({
    id: `manual-${index + 1}`,
    atMs: anyTime(random.pick([2_000, 20_000, 2 * minuteMs])),
    input: manual(),
  }));
  const runs = [...nightlyRuns, ...manualRuns];

  // A worker notices a stop within 5 s, unless it is frozen or cut off from DynamoDB during this time (docs/adr/0025).
  const isOperated = random.chance(0.4);
  const kinds = isOperated
    ? (['crash', 'stop', 'stop', 'abort', 'redrive', 'redrive'] as const)
    : (['crash', 'crash', 'freeze', 'cut', 'slow', 'redrive'] as const);
  const disturbances = Array.from({ length: random.integer(0, 14) }, (): Disturbance => {
    const run = random.pick(runs as [PlannedRun]);
    return {
      kind: random.pick(kinds),
      atMs: run.atMs + random.integer(0, random.pick([20_000, 90_000, 20 * minuteMs])),
      share: random.fraction(),
      ms: random.pick([1_000, 8_000, 60_000, 7 * minuteMs, 20 * minuteMs]),
      service: random.pick(['dynamodb', 's3', 'secrets', 'netlife', 'iterable', 'database']),
    };
  });
  return {
    seed,
    portals,
    users,
    changes: Array.from({ length: random.integer(5, 60) }, () => ({
      atMs: anyTime(90_000),
      joins: random.chance(0.1),
    })),
    runs,
    disturbances,
    faultShare: isOperated ? 0 : random.pick([0, 0.002, 0.01]),
    lastInput: { ...both, after: 'fail' },
    endsAtMs,
  };
};
