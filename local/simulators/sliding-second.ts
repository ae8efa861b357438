/** A rate limit for any sliding second. */
export interface SlidingSecond {
  /** @returns whether the event is within the limit. A refused event does not count against later ones. */
  take(atMs: number): boolean;
  /** The maximum number of events, accepted or refused, within any second. */
  most(): number;
}

/** Moments of the last second, oldest first. */
const createWindow = () => {
  let moments: number[] = [];
  let oldest = 0;
  return {
    add: (atMs: number) => void moments.push(atMs),
    countAt: (atMs: number): number => {
      while (oldest < moments.length && atMs - (moments[oldest] ?? 0) >= 1_000) oldest += 1;
      if (oldest > 10_000) {
        moments = moments.slice(oldest);
        oldest = 0;
      }
      return moments.length - oldest;
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
