/**
 * The smallest of `values` that at least `share` of them do not exceed (nearest rank).
 *
 * @param share above 0, at most 1: 0.5 is the median
 * @throws {Error} if there are no values
 */
export const percentile = (values: readonly number[], share: number): number => {
  const value = values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1];
  if (value === undefined) throw new Error('An empty list has no percentile.');
  return value;
};

/** @throws {Error} if there are no values */
export const median = (values: readonly number[]): number => percentile(values, 0.5);

export const sum = (values: Iterable<number>): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

/** Rounds to a number of decimal places. */
export const round = (value: number, digits: number): number => Number(value.toFixed(digits));
