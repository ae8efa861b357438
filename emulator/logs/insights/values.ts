/** The value of a field or an expression; undefined if the event lacks it. True is 1, false is 0. */
export type Value = string | number | Date | undefined;

/** Converts a number or numeric text to a finite number; undefined for any other value. */
export const toNumber = (value: Value): number | undefined => {
  const isBlank = value === undefined || (typeof value === 'string' && value.trim() === '');
  const number = isBlank ? Number.NaN : Number(value);
  return Number.isFinite(number) ? number : undefined;
};

/** Formats a value for results; a time as `2026-11-22 08:30:00.000`, in UTC. */
export const toText = (value: Value): string | undefined =>
  value instanceof Date ? value.toISOString().replace('T', ' ').replace('Z', '') : value?.toString();

/** Whether a filter passes a row with this value. */
export const isTrue = (value: Value): boolean => value !== undefined && value !== 0 && value !== '';

/**
 * Compares numbers and numeric texts by size, and other values as text. Two numeric texts are compared as text if one
 * has more digits than a number can represent.
 * @returns negative, zero or positive; undefined if a value is missing
 */
export const compare = (a: Value, b: Value): number | undefined => {
  if (a === undefined || b === undefined) {
    return undefined;
  }
  const [leftText, rightText] = [String(toText(a)), String(toText(b))];
  if (leftText === rightText) {
    return 0;
  }
  const [left, right] = [toNumber(a), toNumber(b)];
  const areTexts = typeof a === 'string' && typeof b === 'string';
  if (left !== undefined && right !== undefined && !(areTexts && (isLong(left) || isLong(right)))) {
    return left - right;
  }
  return leftText < rightText ? -1 : 1;
};

/** Whether a number is too large to be exact. */
const isLong = (number: number): boolean => Math.abs(number) > Number.MAX_SAFE_INTEGER;

const natural = new Intl.Collator('en', { numeric: true });

/** The order of `sort`: ascending, texts before numbers; `direction` -1 reverses it. Missing values come last. */
export const compareForSort = (a: Value, b: Value, direction: 1 | -1): number => {
  if (a === undefined || b === undefined) {
    return Number(a === undefined) - Number(b === undefined);
  }
  const [left, right] = [toNumber(a), toNumber(b)];
  if (left === undefined || right === undefined) {
    const kinds = Number(left !== undefined) - Number(right !== undefined);
    return direction * (kinds || natural.compare(String(a), String(b)));
  }
  return direction * (left - right || natural.compare(String(a), String(b)));
};
