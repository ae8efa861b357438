/** A rate limit for any sliding second. */
export interface SlidingSecond {
  /** @returns whether the event is within the limit. A refused event does not count against later ones. */
  take(atMs: number): boolean;
  /** The maximum number of events, accepted or refused, within any second. */
  most(): number;
}

/** The times of the events in the last second, oldest first. */
const createWindow = () => {
  let timesMs: number[] = [];
  let oldest = 0;
  return {
    add: (atMs: number) => void timesMs.push(atMs),
    countAt: (atMs: number): number => {
      while (oldest < timesMs.length && atMs - (timesMs[oldest] ?? 0) >= 1_000) oldest += 1;
      if (oldest > 10_000) {
        timesMs = timesMs.slice(oldest);
        oldest = 0;
      }
      return timesMs.length - oldest;
    },
  };
};

/** @param limit called for each event, so that the limit can change */
export const createSlidingSecond = (limit: () => number): SlidingSecond => {
  const arrived = createWindow();
  const taken = createWindow();
  let most = 0;
  return {
    take: (atMs) => {
      arrived.add(atMs);
      most = Math.max(most, arrived.countAt(atMs));
      if (taken.countAt(atMs) >= limit()) return false;
      taken.add(atMs);
      return true;
    },
    most: () => most,
  };
};
