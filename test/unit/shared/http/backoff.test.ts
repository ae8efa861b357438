import fc from 'fast-check';
import { fullJitterMs, redeliveryDelaySeconds } from '../../../../shared/http/backoff';

const nearlyOne = () => 1 - Number.EPSILON;
const attempts = fc.integer({ min: 1, max: 100 });
const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('fullJitterMs', () => {
  test.each([
    [1, 500],
    [2, 1_000],
    [3, 2_000],
    [4, 4_000],
    [5, 8_000],
    [6, 8_000],
    [60, 8_000],
  ])('attempt %i waits up to %i ms', (attempt, ceilingMs) => {
    expect(fullJitterMs(attempt, 500, 8_000, nearlyOne)).toBe(ceilingMs);
    expect(fullJitterMs(attempt, 500, 8_000, () => 0.5)).toBe(ceilingMs / 2);
    expect(fullJitterMs(attempt, 500, 8_000, () => 0)).toBe(0);
  });
});

describe('redeliveryDelaySeconds', () => {
  test.each([
    [1, 30],
    [2, 60],
    [3, 120],
    [4, 240],
    [5, 480],
    [6, 900],
    [50, 900],
  ])('receive %i hides the message for %i s, minus up to 20 percent', (receiveCount, seconds) => {
    expect(redeliveryDelaySeconds(receiveCount, () => 0)).toBe(seconds);
    expect(redeliveryDelaySeconds(receiveCount, nearlyOne)).toBe(Math.round(seconds * 0.8));
  });
});

test('property: every wait is a whole number within its limits', () => {
  fc.assert(
    fc.property(attempts, randoms, (attempt, random) => {
      const jitter = fullJitterMs(attempt, 500, 8_000, () => random);
      const delay = redeliveryDelaySeconds(attempt, () => random);
      return (
        Number.isInteger(jitter) &&
        jitter >= 0 &&
        jitter <= 8_000 &&
        Number.isInteger(delay) &&
        delay >= 24 &&
        delay <= 900
      );
    }),
  );
});
