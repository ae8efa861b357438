import { createRandom } from '../../../samples/random';
import { type ChangingContent, createChangingContents } from './contents';

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

/** The objects whose write a trap waits for. */
export const trapped = {
  rows: /^runs\/[^/]+\/iterable\/parts\/(rows|changed|base|extracted)/,
  results: /^runs\/[^/]+\/iterable\/parts\/results\//,
  report: /^runs\/[^/]+\/iterable\/(parts\/join\/|integration_results)/,
  job: /^runs\/[^/]+\/netlife\/[^/]+\/parts\/job/,
  turn: /^runs\/[^/]+\/.+\/parts\/turn\//,
} as const;

/** Something that happens right after a run writes an object, at the moment at which it matters most. */
export interface Trap {
  readonly on: keyof typeof trapped;
  /** Earlier writes do not matter. */
  readonly fromMs: number;
  /** The number of such writes before the one that matters. */
  readonly skips: number;
  readonly action: 'crash' | 'stop' | 'abort';
  /** When an execution that was stopped or aborted is redriven. Default: only after all faults have ended. */
  readonly redriveAfterMs?: number | undefined;
}

/** A customer who changes, and changes back. */
export interface Flip {
  readonly atMs: number;
  readonly backAtMs: number;
}

/** A history of sync runs. It is made before it runs. */
export interface SyncHistory {
  readonly seed: number;
  readonly isOperated: boolean;
  /** Whether what was added later is left out: subjects without an access key, updates that Iterable shows late, … */
  readonly isEarly: boolean;
  readonly traps: readonly Trap[];
  readonly flips: readonly Flip[];
  readonly portals: readonly { readonly name: string; readonly jobs: number; readonly subjectsPerJob: number }[];
  readonly users: number;
  /** When customers change, and when one joins. */
  readonly changes: readonly { readonly atMs: number; readonly joins: boolean }[];
  /** What changes in the portals. */
  readonly contents: readonly ChangingContent[];
  readonly runs: readonly PlannedRun[];
  readonly disturbances: readonly Disturbance[];
  /** The share of calls that fail. */
  readonly faultShare: number;
  /** The input of the last run, which starts after all faults have ended. */
  readonly lastInput: { readonly netlife: object; readonly iterable?: object; readonly after: string };
  readonly endsAtMs: number;
}

export const startMs = Date.parse('2026-01-05T00:00:00Z');
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const portalNames = ['nowandgen', 'legacyphoto'] as const;

/**
 * What was added to the histories later. It is drawn from a random stream of its own, so that a history without it stays
 * the same.
 */
const laterActions = (seed: number, runs: readonly PlannedRun[], isOperated: boolean) => {
  const random = createRandom(seed + 1_000_003);
  const oneRun = (): PlannedRun => random.pick(runs as [PlannedRun]);
  const traps = Array.from({ length: random.integer(0, 4) }, (): Trap => {
    const action = isOperated ? random.pick(['crash', 'stop', 'abort', 'abort'] as const) : 'crash';
    return {
      on: random.pick(['rows', 'results', 'results', 'report', 'job', 'job', 'turn']),
      fromMs: oneRun().atMs,
      skips: random.integer(0, 2),
      action,
      redriveAfterMs:
        action !== 'crash' && random.chance(0.6) ? random.pick([500, 1_500, 20_000, 10 * minuteMs]) : undefined,
    };
  });
  const flips = Array.from({ length: random.integer(0, 12) }, (): Flip => {
    const { atMs } = oneRun();
    return { atMs: atMs - random.integer(1_000, 60_000), backAtMs: atMs + random.integer(5_000, 30 * minuteMs) };
  });
  // The second of three nights sends customers who change back before the third, and does not end in between: the third
  // must not compare its users with those of the first.
  const [, second, third] = runs.filter(({ id }) => id.startsWith('night-'));
  if (!isOperated || second === undefined || third === undefined) return { traps, flips };
  const fromMs = second.atMs;
  traps.push({ on: 'results', fromMs, skips: 0, action: 'abort' });
  for (let count = 0; count < 10; count++) {
    flips.push({ atMs: fromMs - random.integer(1_000, 60_000), backAtMs: fromMs + random.integer(10, 60) * minuteMs });
  }
  return { traps, flips };
};

/**
 * The history of a seed.
 *
 * @param isEarly leaves out what was added later: for the corpus
 */
export const createSyncHistory = (seed: number, { isEarly = false } = {}): SyncHistory => {
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
  // A key that somebody else creates while we create one would be one of two.
  const contentsOf = (): readonly ChangingContent[] =>
    createChangingContents(seed, portals, runs).filter(({ kind }) => kind !== 'key' || !create_access_keys);
  return {
    seed,
    isOperated,
    isEarly,
    ...(isEarly ? { traps: [], flips: [] } : laterActions(seed, runs, isOperated)),
    contents: isEarly ? [] : contentsOf(),
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
