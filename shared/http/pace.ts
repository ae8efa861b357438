import { setTimeout as sleepFor } from 'node:timers/promises';

export interface PaceOptions {
  /** The API's limit: the maximum number of calls in any sliding second. */
  readonly callsPerSecond: number;
  /** The share of the limit to use, below 1. The rest of each second allows for network jitter. */
  readonly utilization: number;
  /**
   * The share of the limit to use while late calls catch up. Default: `utilization`, with which a late call delays the
   * calls one second after it.
   */
  readonly catchUpUtilization?: number;
  /** Rejects all waiting calls with its reason. */
  readonly signal?: AbortSignal;
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** Waits for a slot. Slots are given in the order of the requests. Rejects with the signal's reason after an abort. */
export type Pace = () => Promise<void>;

/** Calls that are late by up to this time catch up; or by up to half an interval, if that is more. */
const minCatchUpMs = 100;
/** A cold process sends with a delay, so the calls of the first second are spaced wider by this factor. */
const coldSpacing = 1.03;

/**
 * Spaces calls evenly, at `utilization × callsPerSecond`. After a timer fired late, calls follow more closely until they
 * have caught up, so that the rate is kept. But each call comes at least `1000 / catchUpUtilization` ms after the one
 * `callsPerSecond` before it. At 8 calls per second and 0.962, this leaves 39.5 ms: a call may be delayed on the network
 * by that time, and still no second has a ninth call. The first slot comes after one interval, in case another process
 * made calls until now.
 *
 * We wrote this because the libraries that we tried exceed the limit in some seconds or reach only 80 % of it.
 * `limiter`'s TokenBucket does neither, but it wakes all waiting calls for each token, in no order, and cannot be stopped.
 */
export const createPace = (options: PaceOptions): Pace => {
  const { callsPerSecond, utilization, signal, now = () => performance.now(), sleep = sleepFor } = options;
  const windowMs = 1_000 / (options.catchUpUtilization ?? utilization);
  const intervalMs = 1_000 / utilization / callsPerSecond;
  const catchUpMs = Math.max(minCatchUpMs, intervalMs / 2);
  const callsPerWindow = Math.max(1, Math.floor(callsPerSecond));
  /** The newest calls: the n-th at `n % callsPerWindow`. */
  const newest: { madeAtMs: number }[] = [];
  let made = 0;
  let freeAtMs = now() + intervalMs;
  let last: Promise<void> = Promise.resolve();

  const takeSlot = async (requestedAtMs: number): Promise<void> => {
    signal?.throwIfAborted();
    const dueAtMs = Math.max(freeAtMs, requestedAtMs);
    const index = made % callsPerWindow;
    const earliestMs = Math.max(dueAtMs, (newest[index]?.madeAtMs ?? Number.NEGATIVE_INFINITY) + windowMs);
    // A timer may fire a little early.
    for (let waitMs = earliestMs - now(); waitMs > 0; waitMs = earliestMs - now()) {
      await sleep(Math.ceil(waitMs));
      signal?.throwIfAborted();
    }
    const nowMs = now();
    const call = { madeAtMs: nowMs };
    newest[index] = call;
    // The call is sent in this event-loop tick. GC can prolong the tick, so take the timestamp when it ends.
    setImmediate(() => {
      call.madeAtMs = now();
    });
    made += 1;
    freeAtMs = Math.max(dueAtMs, nowMs - catchUpMs) + intervalMs * (made < callsPerSecond ? coldSpacing : 1);
  };

  return () => {
    const requestedAtMs = now();
    const slot = last.then(() => takeSlot(requestedAtMs));
    last = slot.catch(() => undefined);
    return slot;
  };
};
