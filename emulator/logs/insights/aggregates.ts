import { compare, toNumber, toText, type Value } from './values';

/** Computes one aggregate of one group. */
export interface Accumulator {
  /** @param values values of the aggregate's arguments in one row; `time` is the row's time, in ms */
  add(values: readonly Value[], time: number): void;
  /** Undefined if no row had a value to aggregate. */
  result(): Value;
}

/** Aggregates the rows that have a value. */
const over =
  <State>(
    start: () => State,
    add: (state: State, value: Exclude<Value, undefined>, time: number) => State,
    finish: (state: State) => Value,
  ) =>
  (): Accumulator => {
    let state = start();
    return {
      add: ([value], time) => {
        if (value !== undefined) {
          state = add(state, value, time);
        }
      },
      result: () => finish(state),
    };
  };

/** Aggregates the rows that have a number, and keeps all numbers in memory. */
const ofNumbers = (finish: (numbers: readonly number[], percent: number) => number) => (): Accumulator => {
  const numbers: number[] = [];
  let percent = 50;
  return {
    add: ([value, second]) => {
      const number = toNumber(value);
      percent = toNumber(second) ?? percent;
      if (number !== undefined) {
        numbers.push(number);
      }
    },
    result: () => (numbers.length === 0 ? undefined : finish(numbers, percent)),
  };
};

/** Keeps the value that comes first in an order. */
const first = (before: (order: number) => boolean) =>
  over<Value>(
    () => undefined,
    (best, value) => (best === undefined || before(compare(value, best) ?? 0) ? value : best),
    (best) => best,
  );

/** Keeps the value of the first or last row by time. */
const atTime = (takes: (time: number, than: number) => boolean) =>
  over<{ readonly value: Value; readonly time: number } | undefined>(
    () => undefined,
    (best, value, time) => (best === undefined || takes(time, best.time) ? { value, time } : best),
    (best) => best?.value,
  );

interface Total {
  readonly sum: number;
  readonly count: number;
}

/** Aggregates the rows that have a number, without keeping the numbers. */
const ofTotal = (finish: (total: Total) => number) =>
  over<Total>(
    () => ({ sum: 0, count: 0 }),
    ({ sum, count }, value) => {
      const number = toNumber(value);
      return number === undefined ? { sum, count } : { sum: sum + number, count: count + 1 };
    },
    (total) => (total.count === 0 ? undefined : finish(total)),
  );

const deviation = (numbers: readonly number[]): number => {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const middle = mean(numbers);
  return Math.sqrt(mean(numbers.map((number) => (number - middle) ** 2)));
};

/** The smallest number that the given percentage of the numbers does not exceed. */
const percentile = (numbers: readonly number[], percent: number): number => {
  const sorted = Float64Array.from(numbers).sort();
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
};

type Aggregate = readonly [least: number, most: number, start: () => Accumulator];

const count = (): Accumulator => {
  let rows = 0;
  return {
    add: (values) => {
      rows += Number(values.length === 0 || values[0] !== undefined);
    },
    result: () => rows,
  };
};

const distinct = over(
  () => new Set<string | undefined>(),
  (seen, value) => seen.add(toText(value)),
  (seen) => seen.size,
);

const table: Readonly<Record<string, Aggregate>> = {
  count: [0, 1, count],
  count_distinct: [1, 1, distinct],
  sum: [1, 1, ofTotal(({ sum }) => sum)],
  avg: [1, 1, ofTotal(({ sum, count }) => sum / count)],
  min: [1, 1, first((order) => order < 0)],
  max: [1, 1, first((order) => order > 0)],
  median: [1, 1, ofNumbers(percentile)],
  pct: [2, 2, ofNumbers(percentile)],
  stddev: [1, 1, ofNumbers(deviation)],
  earliest: [1, 1, atTime((time, than) => time < than)],
  latest: [1, 1, atTime((time, than) => time >= than)],
  sortsfirst: [1, 1, first((order) => order < 0)],
  sortslast: [1, 1, first((order) => order > 0)],
};

/** The aggregates of `stats`: name in lower case → minimum and maximum number of arguments, and its initial state. */
export const aggregates: ReadonlyMap<string, Aggregate> = new Map(Object.entries(table));
