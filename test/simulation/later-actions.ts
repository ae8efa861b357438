import { createRandom } from '../../samples/random';
import type { Release } from './release';

/** How a release that is no longer deployed left an order. */
export const inheritances = [
  'processed',
  'processed, then changed without a webhook',
  'notified',
  'notified, without a message',
  'downloaded',
  'downloaded and posted',
  'downloaded, without a message',
  'exhausted in the download',
  'exhausted',
  'exhausted after a post',
  'refused',
] as const;
export type Inheritance = (typeof inheritances)[number];

/** Actions that are drawn apart from the others, so that earlier seeds keep their histories. */
export type LaterAction =
  /** The first release left this order, in its formats. */
  | { readonly kind: 'inherit'; readonly orderId: string; readonly left: Inheritance; readonly ageMs: number }
  /** A release is deployed. For `ms`, invocations still reach processes of the other one. */
  | { readonly kind: 'release'; readonly release: Release; readonly ms: number }
  /** For `ms`, each process of a worker is killed right after it writes an order. */
  | { readonly kind: 'interrupt'; readonly worker: 'webhook' | 'download' | 'reconciler'; readonly ms: number }
  /** An operator replays an open order; the command is killed between its write and its message. */
  | { readonly kind: 'abandon'; readonly orderId: string }
  /** An order changes so that it fails for good: we cannot map it, or the internal API refuses it. Then it changes again. */
  | { readonly kind: 'spoil'; readonly orderId: string; readonly how: 'unmappable' | 'refused'; readonly ms: number }
  /**
   * The internal API takes an order and responds with errors, or its requests take seconds and its responses up to a
   * minute. The order changes meanwhile.
   */
  | {
      readonly kind: 'muddle';
      readonly orderId: string;
      readonly how: 'swallowed' | 'dragged';
      readonly ms: number;
      readonly changesAfterMs: readonly number[];
    };

export interface LaterOptions {
  readonly seed: number;
  readonly endsAtMs: number;
  readonly orderCount: number;
}

type Timed = LaterAction & { readonly atMs: number };

/** Separates this stream of random numbers from that of the other actions. */
const stream = 0x5bd1e995;
const dayMs = 86_400_000;

/** Draws the later actions of a history. */
export const createLaterActions = ({ seed, endsAtMs, orderCount }: LaterOptions): readonly Timed[] => {
  const random = createRandom(seed + stream);
  const orderId = (): string => `QO-${random.integer(1, orderCount)}`;
  const anyTime = (): number => random.integer(0, endsAtMs);
  const soonMs = (): number => random.integer(0, random.pick([2_000, 20_000, 60_000]));
  const many = <T>(most: number, create: () => T): T[] => Array.from({ length: random.integer(0, most) }, create);

  /** Half of the histories begin with the earlier release. Its successor is deployed, and perhaps rolled back for a time. */
  const releases = (): readonly Timed[] => {
    if (random.chance(0.5)) return [];
    const release = (of: Release, atMs: number): Timed => ({
      kind: 'release',
      release: of,
      ms: random.pick([0, 30_000, 300_000, endsAtMs]),
      atMs,
    });
    const [first, second, third] = [anyTime(), anyTime(), anyTime()].toSorted((a, b) => a - b) as [
      number,
      number,
      number,
    ];
    const rollback = random.chance(0.3) ? [release('earlier', second), release('present', third)] : [];
    return [{ kind: 'release', release: 'earlier', ms: 0, atMs: 0 }, release('present', first), ...rollback];
  };

  /** Some of these orders change later, and some never do. */
  const inherited = random.chance(0.5)
    ? Array.from({ length: 20 }, (_, index) => (index < 10 ? orderId() : `QO-${orderCount + index}`))
    : [];
  return [
    ...releases(),
    ...inherited.map(
      (id): Timed => ({
        kind: 'inherit',
        orderId: id,
        left: random.pick(inheritances),
        ageMs: random.integer(60_000, 3 * dayMs),
        atMs: 0,
      }),
    ),
    ...many(
      3,
      (): Timed => ({
        kind: 'interrupt',
        worker: random.pick(['webhook', 'download', 'reconciler']),
        ms: random.pick([1_000, 10_000, 30_000]),
        atMs: anyTime(),
      }),
    ),
    ...many(4, (): Timed => ({ kind: 'abandon', orderId: orderId(), atMs: anyTime() })),
    ...many(
      3,
      (): Timed => ({
        kind: 'spoil',
        orderId: orderId(),
        how: random.pick(['unmappable', 'refused']),
        ms: random.pick([2_000, 60_000, 600_000]),
        atMs: anyTime(),
      }),
    ),
    ...many(3, (): Timed => {
      const ms = random.pick([60_000, 300_000, 1_500_000]);
      return {
        kind: 'muddle',
        orderId: orderId(),
        how: 'swallowed',
        ms,
        changesAfterMs: [0, ms + soonMs()],
        atMs: anyTime(),
      };
    }),
    ...many(
      6,
      (): Timed => ({
        kind: 'muddle',
        orderId: orderId(),
        how: 'dragged',
        ms: random.pick([60_000, 300_000]),
        changesAfterMs: [0, soonMs(), soonMs(), soonMs()],
        atMs: anyTime(),
      }),
    ),
  ];
};
