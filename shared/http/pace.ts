import { setTimeout as sleepFor } from 'node:timers/promises';

export interface PaceOptions {
  /** The API's limit: no more calls than this in any second, wherever that second begins. */
  readonly callsPerSecond: number;
  /** The share of the limit to fill, below 1: what is left of each second is room for jitter on the way. */
  readonly utilization: number;
  /** Ends all waiting, with its reason. */
  readonly signal?: AbortSignal;
  /** Milliseconds of a clock that never jumps. */
  readonly now?: () => number;
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** Waits for its turn; turns come in the order of asking. Rejects with the signal's reason once that is aborted. */
export type Pace = () => Promise<void>;

/** The part of the room that a late timer may use to catch up; the rest is for the network. */
const catchUpShare = 1 / 4;
const longestCatchUpMs = 5;

/**
 * Spaces calls evenly, at `utilization × callsPerSecond`: a token bucket without a burst. After a timer that fired
 * late, calls follow a little closer, by at most 5 ms in all, so that the rate is kept.
 *
 * A call and the one that comes `callsPerSecond` later are at least `1000 / utilization` ms less that catch-up apart:
 * at 8 a second and 0.965, a call may be held up on its way by 31 ms, and still no second holds a ninth. The first turn
 * comes after one interval, in case another process made calls until just now.
 *
 * Own code, because the libraries that were tried let more than the limit through in some second or reach only 80 % of
 * it; `limiter`'s TokenBucket, which does neither, wakes all waiters for each token, in no order, and cannot be ended.
 */
export const createPace = (options: PaceOptions): Pace => {
  const { callsPerSecond, utilization, signal, now = () => performance.now(), sleep = sleepFor } = options;
  const intervalMs = 1_000 / (callsPerSecond * utilization);
  const catchUpMs = Math.min(longestCatchUpMs, (1_000 / utilization - 1_000) * catchUpShare);
  let freeAtMs = now() + intervalMs;
  let last: Promise<void> = Promise.resolve();

  const takeTurn = async (): Promise<void> => {
    signal?.throwIfAborted();
    // A timer may fire a little early.
    for (let waitMs = freeAtMs - now(); waitMs > 0; waitMs = freeAtMs - now()) {
      await sleep(Math.ceil(waitMs));
      signal?.throwIfAborted();
    }
    freeAtMs = Math.max(freeAtMs, now() - catchUpMs) + intervalMs;
  };

  return () => {
    const turn = last.then(takeTurn);
    last = turn.catch(() => undefined);
    return turn;
  };
};
