import { percentile } from './statistics';

const meanAndVariance = (values: readonly number[]): readonly [mean: number, variance: number] => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return [mean, values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)];
};

/** Share of the calls that are compared. The slowest ones mostly show other load on the machine. */
const keptShare = 0.9;

/**
 * Welch's t between two classes of times: the distance of their means in standard errors. Above 4.5 they differ,
 * according to a method that finds leaks in cryptographic code (Reparaz, Balasch, Verbauwhede: "Dude, is my code constant time?"). The
 * slowest tenth of both together is left out.
 */
export const welchT = (one: readonly number[], other: readonly number[]): number => {
  const highest = percentile([...one, ...other], keptShare);
  const compared = [one, other].map((values) => values.filter((value) => value <= highest));
  const [[meanOne = 0, varianceOne = 0] = [], [meanOther = 0, varianceOther = 0] = []] = compared.map(meanAndVariance);
  const [countOne = 0, countOther = 0] = compared.map(({ length }) => length);
  return (meanOne - meanOther) / Math.sqrt(varianceOne / countOne + varianceOther / countOther);
};
