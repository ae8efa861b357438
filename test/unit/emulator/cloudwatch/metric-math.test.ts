import { compileMetricMath, type Series } from '../../../../emulator/cloudwatch/metric-math';

const metrics: Readonly<Record<string, Series>> = {
  a: [1, undefined, 3, 4],
  b: [2, 0, undefined, 8],
  zero: [0, 0, 0, 0],
};
const evaluate = (text: string) =>
  compileMetricMath(text).evaluate({
    metricIds: Object.keys(metrics),
    series: (id) => metrics[id] ?? [],
    length: 4,
    periodSeconds: 300,
  });
const none = undefined;

test.each<[string, Series]>([
  ['a', [1, none, 3, 4]],
  ['a + b', [3, none, none, 12]],
  ['2 * a - 1', [1, none, 5, 7]],
  ['-a ^ 2', [1, none, 9, 16]],
  ['10 - 2 - 3', [5, 5, 5, 5]],
  ['a / b', [0.5, none, none, 0.5]],
  ['a / zero', [none, none, none, none]],
  ['(a + 1) * 2', [4, none, 8, 10]],
  ['FILL(a, 0) + FILL(b, 0)', [3, 0, 3, 12]],
  ['FILL(a, REPEAT)', [1, 1, 3, 4]],
  ['FILL(a, b)', [1, 0, 3, 4]],
  ['a > 2', [0, none, 1, 1]],
  ['a >= 3 && b > 1', [0, none, none, 1]],
  ['a == 1 OR a == 4', [1, none, 0, 1]],
  ['IF(a > 2, 100 * a / b, 0)', [0, none, none, 50]],
  ['IF(b < 5, a)', [1, none, none, none]],
  ['IF(1, a, b)', [1, none, 3, 4]],
  ['SUM(METRICS())', [3, 0, 3, 12]],
  ["SUM(METRICS('a'))", [1, none, 3, 4]],
  ['MAX([a, b])', [2, 0, 3, 8]],
  ['MIN([a, b])', [1, 0, 3, 4]],
  ['AVG([a, b])', [1.5, 0, 3, 6]],
  ['AVG(a)', [8 / 3, 8 / 3, 8 / 3, 8 / 3]],
  ['SUM(FILL(METRICS(), 1))', [3, 1, 4, 12]],
  ['SUM(a) / PERIOD(a)', [8 / 300, 8 / 300, 8 / 300, 8 / 300]],
  ['ABS(0 - a) + CEIL(a / 2) + FLOOR(a / 2)', [2, none, 6, 8]],
])('%s', (text, expected) => {
  expect(evaluate(text)).toEqual(expected);
});

test('knows the ids that an expression reads', () => {
  expect(compileMetricMath('IF(a > b, SUM([a, c]), 0)')).toMatchObject({ ids: ['a', 'b', 'c'], readsAll: false });
  expect(compileMetricMath('SUM(METRICS())').readsAll).toBe(true);
});

test.each([
  ['RATE(a)', 'The embedded AWS does not support the function RATE of metric math.'],
  ["SEARCH('{N} x', 'Sum')", 'The embedded AWS does not support the function SEARCH of metric math.'],
  ['ANOMALY_DETECTION_BAND(a, 2)', 'does not support the function ANOMALY_DETECTION_BAND'],
  ['FILL(a, LINEAR)', 'does not support LINEAR in FILL'],
  ['IF(a)', 'IF of metric math takes 2 or 3 arguments, not 1.'],
  ['a +', 'cannot read the metric math "a +"'],
  ['SELECT SUM(x) FROM y', 'cannot read the metric math'],
])('%s is refused when it is loaded', (text, message) => {
  expect(() => compileMetricMath(text)).toThrow(message);
});

test('several time series are no result', () => {
  expect(() => evaluate('METRICS()')).toThrow('returns several time series');
});
