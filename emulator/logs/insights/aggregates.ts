import { compare, toNumber, toText, type Value } from './values';

/** Adds up one aggregate of one group. */
export interface Accumulator {
  /** @param values those of the aggregate's arguments in one row; `time` is the row's, in ms */
  add(values: readonly Value[], time: number): void;
  /** Nothing when no row had what it adds up. */
  result(): Value;
}

/** Of the rows that have the value. */
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

/** Of the rows that have a number. All of them are kept. */
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

/** The value that stands before the others. */
const first = (before: (order: number) => boolean) =>
  over<Value>(
    () => undefined,
    (best, value) => (best === undefined || before(compare(value, best) ?? 0) ? value : best),
    (best) => best,
  );

/** The value of the first or the last row by time. */
const atTime = (takes: (time: number, than: number) => boolean) =>
  over<{ value: Value; time: number } | undefined>(
    () => undefined,
    (best, value, time) => (best === undefined || takes(time, best.time) ? { value, time } : best),
    (best) => best?.value,
  );

interface Total {
  readonly sum: number;
  readonly count: number;
}

/** Of the rows that have a number. None of them is kept. */
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

/** The smallest of the numbers that so many percent of them do not exceed. */
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

/** What `stats` can add up, by its name in lower case: fewest and most arguments, and how it begins. */
export const aggregates: ReadonlyMap<string, Aggregate> = new Map(Object.entries(table));
