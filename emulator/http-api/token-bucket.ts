/**
 * The throttle of a stage: lets through `burst` requests at once, and `ratePerSecond` over time.
 * @param nowMs a clock that never goes back, unlike the time of day: a step would block every request for as long
 * @returns whether one more request is let through
 */
export const createTokenBucket = (
  ratePerSecond: number,
  burst: number,
  nowMs: () => number = () => performance.now(),
): (() => boolean) => {
  let tokens = burst;
  let filledAtMs = nowMs();
  return () => {
    const now = nowMs();
    tokens = Math.min(burst, tokens + ((now - filledAtMs) / 1000) * ratePerSecond);
    filledAtMs = now;
    if (tokens < 1) {
      return false;
    }
    tokens -= 1;
    return true;
  };
};
