/**
 * Creates a throttle that admits `burst` requests at once and `ratePerSecond` over time.
 * @param nowMs a monotonic clock: if the time of day were set back, all requests would be blocked for that long
 * @returns a function that returns whether to admit one more request
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
