import fc from 'fast-check';
import { compareWithBar } from '../../../bench/figure';
import { median, percentile, round, sum } from '../../../bench/statistics';

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

  test.each([
    [0.01, 1],
    [0.5, 50],
    [0.95, 95],
    [0.99, 99],
    [1, 100],
  ])('share %d of 1 to 100 is %d', (share, expected) => {
    expect(percentile(hundred, share)).toBe(expected);
  });

  test('of one value is that value', () => {
    expect([0.01, 0.5, 1].map((share) => percentile([7], share))).toEqual([7, 7, 7]);
  });

  test('an empty list has none', () => {
    expect(() => percentile([], 0.5)).toThrow('An empty list has no percentile.');
  });

  test('is one of the values, and the smallest that covers its share', () => {
    const values = fc.array(fc.double({ noNaN: true }), { minLength: 1 });
    const shares = fc.double({ min: 0.001, max: 1, noNaN: true });
    fc.assert(
      fc.property(values, shares, (list, share) => {
        const value = percentile(list, share);
        expect(list).toContain(value);
        expect(list.filter((one) => one <= value).length).toBeGreaterThanOrEqual(list.length * share - 1e-9);
        expect(list.filter((one) => one < value).length).toBeLessThan(list.length * share);
      }),
    );
  });

  test('does not change the values', () => {
    const values = [3, 1, 2];
    percentile(values, 0.5);
    expect(values).toEqual([3, 1, 2]);
  });
});

test('the median of an odd number of values is the one in the middle', () => {
  expect(median([9, 1, 5])).toBe(5);
});

test('a sum of nothing is 0', () => {
  expect([sum([]), sum([1, 2, 3.5])]).toEqual([0, 6.5]);
});

test('rounding returns a number', () => {
  expect([round(1.2345, 2), round(1.996, 2), round(12, 1)]).toEqual([1.23, 2, 12]);
});

describe('a figure passes', () => {
  test.each([
    ['lower', 299.9, true],
    ['lower', 300, true],
    ['lower', 300.1, false],
    ['higher', 299.9, false],
    ['higher', 300, true],
    ['higher', 300.1, true],
  ] as const)('where %s is better than 300, %d: %s', (better, value, holds) => {
    expect(compareWithBar(value, { unit: 'kB', bar: 300, better })).toEqual({
      value,
      unit: 'kB',
      bar: 300,
      better,
      holds,
    });
  });
});
