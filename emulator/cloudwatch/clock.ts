/** The clock of CloudWatch. It runs with the real one, ahead of it by the time that it was advanced. */
export interface Clock {
  /** Unix time in ms. */
  now(): number;
  /** The time of this clock at which something happened, from the real time at which it happened. */
  at(realMs: number): number;
  advance(ms: number): void;
}

/**
 * Creates a clock that can be advanced. Processes, queues and log lines keep the real time. {@link Clock.at} converts it,
 * so that what happened an hour of this clock ago stays there when the clock is advanced.
 */
export const createClock = (realNow: () => number = Date.now): Clock => {
  /** Newest first: since when, in real time, this clock is ahead, and by how much. */
  const shifts: { readonly sinceMs: number; readonly aheadMs: number }[] = [];
  const at = (realMs: number) => realMs + (shifts.find(({ sinceMs }) => sinceMs <= realMs)?.aheadMs ?? 0);
  return {
    now: () => at(realNow()),
    at,
    advance(ms) {
      const sinceMs = realNow();
      const aheadMs = (shifts[0]?.aheadMs ?? 0) + ms;
      if (shifts[0]?.sinceMs === sinceMs) shifts.shift();
      shifts.unshift({ sinceMs, aheadMs });
    },
  };
};
