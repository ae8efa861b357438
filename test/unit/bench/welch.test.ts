import { welchT } from '../../../bench/welch';

const goldenRatio = 0.618_034;

/** Times from `leastUs` to 10 µs more, the same in every run, with occasional slow ones. */
const times = (leastUs: number, shift: number): number[] =>
  Array.from({ length: 2_000 }, (_, index) => {
    const spread = ((index + shift) * goldenRatio) % 1;
    return leastUs + 10 * spread + (index % 50 === 0 ? 1_000 : 0);
  });

test('equal classes are within a few standard errors', () => {
  expect(Math.abs(welchT(times(30, 0), times(30, 7)))).toBeLessThan(2);
});

test('a difference of 1 µs in 30 is detected despite occasional slow times', () => {
  expect(welchT(times(31, 0), times(30, 7))).toBeGreaterThan(4.5);
  expect(welchT(times(30, 0), times(31, 7))).toBeLessThan(-4.5);
});
