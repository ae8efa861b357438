/** The values of a metric in one period. */
export interface Aggregate {
  readonly sum: number;
  readonly count: number;
  readonly min: number;
  readonly max: number;
  /** Value → how often it occurred, for percentiles. Absent while all values are equal. */
  readonly values?: Map<number, number>;
}

type Mutable = { -readonly [Key in keyof Aggregate]: Aggregate[Key] };

/** Percentiles keep three significant digits of each value, so that a period has a bounded number of them. */
const rounded = (value: number): number =>
  Number.isInteger(value) && value < 1_000 ? value : Number(value.toPrecision(3));

const distributionOf = ({ values, min, count }: Aggregate): Map<number, number> =>
  values ?? new Map(count > 0 ? [[rounded(min), count]] : []);

export const aggregateOf = (value: number, count: number): Aggregate => ({
  sum: value * count,
  count,
  min: value,
  max: value,
});

export const copyOf = (aggregate: Aggregate): Aggregate => ({
  ...aggregate,
  ...(aggregate.values && { values: new Map(aggregate.values) }),
});

/** Adds `other` to `target`. */
export const addTo = (target: Aggregate, other: Aggregate): void => {
  const result: Mutable = target;
  if (target.values || other.values || target.min !== other.min) {
    const values = distributionOf(target);
    for (const [value, count] of distributionOf(other)) values.set(value, (values.get(value) ?? 0) + count);
    result.values = values;
  }
  result.sum += other.sum;
  result.count += other.count;
  result.min = Math.min(target.min, other.min);
  result.max = Math.max(target.max, other.max);
};

/** Reads a statistic from the values of a period. */
export type Statistic = (aggregate: Aggregate) => number;

const simpleStatistics: Readonly<Record<string, Statistic>> = {
  Sum: ({ sum }) => sum,
  Average: ({ sum, count }) => sum / count,
  Minimum: ({ min }) => min,
  Maximum: ({ max }) => max,
  SampleCount: ({ count }) => count,
};

/** Finds a statistic by its name, such as `Sum` or `p99.9`; undefined for one that is not supported. */
export const statisticNamed = (name: string): Statistic | undefined => {
  const [, percent] = /^p(\d{1,2}(?:\.\d{1,10})?|100)$/.exec(name) ?? [];
  if (percent !== undefined) return percentile(Number(percent));
  return Object.hasOwn(simpleStatistics, name) ? simpleStatistics[name] : undefined;
};

/** The smallest value that at least `percent` of the values do not exceed. */
const percentile =
  (percent: number): Statistic =>
  (aggregate) => {
    const wanted = (percent / 100) * aggregate.count;
    let seen = 0;
    for (const [value, count] of [...distributionOf(aggregate)].sort(([a], [b]) => a - b)) {
      seen += count;
      if (seen >= wanted) return Math.min(Math.max(value, aggregate.min), aggregate.max);
    }
    return aggregate.max;
  };
