import { addTo, aggregateOf, statisticNamed } from '../../../../emulator/cloudwatch/aggregate';

const statisticsOf = (values: readonly number[], ...names: string[]) => {
  const [first = 0, ...others] = values;
  const all = aggregateOf(first, 1);
  for (const value of others) addTo(all, aggregateOf(value, 1));
  return names.map((name) => statisticNamed(name)?.(all));
};

test('the simple statistics', () => {
  expect(statisticsOf([4, 1, 7, 4], 'Sum', 'Average', 'Minimum', 'Maximum', 'SampleCount')).toEqual([16, 4, 1, 7, 4]);
});

test('a percentile is the smallest value that this share of the values does not exceed', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  expect(statisticsOf(hundred, 'p0', 'p1', 'p50', 'p95', 'p99.5', 'p100')).toEqual([1, 1, 50, 95, 100, 100]);
  expect(statisticsOf([3], 'p99')).toEqual([3]);
});

test('percentiles of equal values need no distribution', () => {
  expect(statisticsOf([5, 5, 5], 'p50', 'SampleCount')).toEqual([5, 3]);
  expect(statisticsOf([5, 5, 9], 'p50', 'p90')).toEqual([5, 9]);
});

test('percentiles of large values are within half a percent, and a period keeps a bounded number of values', () => {
  const values = Array.from({ length: 20_000 }, (_, index) => 10_000 + index + 0.123);
  const all = aggregateOf(10_000, 1);
  for (const value of values) addTo(all, aggregateOf(value, 1));
  expect(all.values?.size).toBeLessThan(400);
  const p90 = statisticNamed('p90')?.(all) ?? 0;
  expect(Math.abs(p90 / 28_000 - 1)).toBeLessThan(0.005);
});

test.each(['p', 'p101', 'p-1', 'tm90', 'IQM', 'sum', 'toString'])('the statistic %s is not supported', (name) => {
  expect(statisticNamed(name)).toBeUndefined();
});
