/** What a field or an expression holds; nothing for what an event does not have. Truths are 1 and 0. */
export type Value = string | number | Date | undefined;

/** The finite number that a value is or that its text spells; nothing for any other. */
export const toNumber = (value: Value): number | undefined => {
  const isBlank = value === undefined || (typeof value === 'string' && value.trim() === '');
  const number = isBlank ? Number.NaN : Number(value);
  return Number.isFinite(number) ? number : undefined;
};

/** A value as results show it; moments as `2026-11-22 08:30:00.000`, in UTC. */
export const toText = (value: Value): string | undefined =>
  value instanceof Date ? value.toISOString().replace('T', ' ').replace('Z', '') : value?.toString();

/** Whether a filter lets it through. */
export const isTrue = (value: Value): boolean => value !== undefined && value !== 0 && value !== '';

/**
 * Numbers by their size, also those that stand there as text, all else as text; so are two texts of more digits than a
 * number holds.
 * @returns negative, zero or positive; nothing if one of the two is missing
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

/** Whether it may stand for its neighbours as well. */
const isLong = (number: number): boolean => Math.abs(number) > Number.MAX_SAFE_INTEGER;

const natural = new Intl.Collator('en', { numeric: true });

/** The order of `sort`, ascending: texts, then numbers; `direction` -1 turns it round. What is missing comes last. */
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
