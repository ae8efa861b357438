import { welchT } from '../../../bench/welch';

const goldenRatio = 0.618_034;

/** Times from `leastUs` to 10 µs more, the same at every run, with a slow one now and then. */
const times = (leastUs: number, shift: number): number[] =>
  Array.from({ length: 2_000 }, (_, index) => {
    const spread = ((index + shift) * goldenRatio) % 1;
    return leastUs + 10 * spread + (index % 50 === 0 ? 1_000 : 0);
  });

test('classes that are alike lie within a few standard errors', () => {
  expect(Math.abs(welchT(times(30, 0), times(30, 7)))).toBeLessThan(2);
});

test('a difference of 1 µs in 30 is seen, whatever the slow ones are', () => {
  expect(welchT(times(31, 0), times(30, 7))).toBeGreaterThan(4.5);
  expect(welchT(times(30, 0), times(31, 7))).toBeLessThan(-4.5);
});
