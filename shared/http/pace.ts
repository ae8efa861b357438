import { setTimeout as sleepFor } from 'node:timers/promises';

export interface PaceOptions {
  /** The API's limit: no more calls than this in any second, wherever that second begins. */
  readonly callsPerSecond: number;
  /** The share of the limit to fill, below 1: what is left of each second is room for jitter on the way. */
  readonly utilization: number;
  /**
   * The share that calls may fill while they catch up. By default that is `utilization`: then a call that was late keeps
   * the ones a second after it from being on time.
   */
  readonly catchUpUtilization?: number;
  /** Ends all waiting, with its reason. */
  readonly signal?: AbortSignal;
  /** Milliseconds of a clock that never jumps. */
  readonly now?: () => number;
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** Waits for its turn; turns come in the order of asking. Rejects with the signal's reason once that is aborted. */
export type Pace = () => Promise<void>;

/** How far behind the even spacing calls may fall and still catch up: this, or half an interval if that is more. */
const leastCatchUpMs = 100;
/** A cold process sends later than it thinks: for a second's worth of calls, the spacing is this much wider. */
const coldSpacing = 1.03;

/**
 * Spaces calls evenly, at `utilization × callsPerSecond`. After a timer that fired late, calls follow closer until they
 * have caught up, so that the rate is kept. But a call never comes less than `1000 / catchUpUtilization` ms after the one
 * `callsPerSecond` before it. At 8 a second and 0.962 this leaves 39.5 ms: a call may be held up on its way by that much,
 * and still no second holds a ninth. The first turn comes after one interval, in case another process made calls until
 * just now.
 *
 * Own code, because the libraries that were tried let more than the limit through in some second or reach only 80 % of
 * it; `limiter`'s TokenBucket, which does neither, wakes all waiters for each token, in no order, and cannot be ended.
 */
export const createPace = (options: PaceOptions): Pace => {
  const { callsPerSecond, utilization, signal, now = () => performance.now(), sleep = sleepFor } = options;
  const windowMs = 1_000 / (options.catchUpUtilization ?? utilization);
  const intervalMs = 1_000 / utilization / callsPerSecond;
  const catchUpMs = Math.max(leastCatchUpMs, intervalMs / 2);
  const callsPerWindow = Math.max(1, Math.floor(callsPerSecond));
  /** The newest calls: the n-th at `n % callsPerWindow`. */
  const newest: { madeAtMs: number }[] = [];
  let made = 0;
  let freeAtMs = now() + intervalMs;
  let last: Promise<void> = Promise.resolve();

  const takeTurn = async (askedAtMs: number): Promise<void> => {
    signal?.throwIfAborted();
    const dueAtMs = Math.max(freeAtMs, askedAtMs);
    const slot = made % callsPerWindow;
    const earliestMs = Math.max(dueAtMs, (newest[slot]?.madeAtMs ?? Number.NEGATIVE_INFINITY) + windowMs);
    // A timer may fire a little early.
    for (let waitMs = earliestMs - now(); waitMs > 0; waitMs = earliestMs - now()) {
      await sleep(Math.ceil(waitMs));
      signal?.throwIfAborted();
    }
    const nowMs = now();
    const call = { madeAtMs: nowMs };
    newest[slot] = call;
    // The call is written in this turn of the event loop, which a garbage collection may draw out: it counts from the end.
    setImmediate(() => {
      call.madeAtMs = now();
    });
    made += 1;
    freeAtMs = Math.max(dueAtMs, nowMs - catchUpMs) + intervalMs * (made < callsPerSecond ? coldSpacing : 1);
  };

  return () => {
    const askedAtMs = now();
    const turn = last.then(() => takeTurn(askedAtMs));
    last = turn.catch(() => undefined);
    return turn;
  };
};
