/** What a field or an expression holds; nothing for what an event does not have. Truths are 1 and 0. */
export type Value = string | number | Date | undefined;

/** The number that a value is or that its text spells; nothing for any other. */
export function toNumber(value: Value): number | undefined {
  if (typeof value === 'number') {
    return value;
  }
  if (value instanceof Date) {
    return value.getTime();
  }
  const number = value === undefined || value.trim() === '' ? Number.NaN : Number(value);
  return Number.isNaN(number) ? undefined : number;
}

/** A value as results show it; moments as `2026-11-22 08:30:00.000`, in UTC. */
export function toText(value: Value): string | undefined {
  return value instanceof Date ? value.toISOString().replace('T', ' ').replace('Z', '') : value?.toString();
}

/** Whether a filter lets it through. */
export const isTrue = (value: Value): boolean => value !== undefined && value !== 0 && value !== '';

/**
 * Numbers by their size, also those that stand there as text, all else as text.
 * @returns negative, zero or positive; nothing if one of the two is missing
 */
export function compare(a: Value, b: Value): number | undefined {
  if (a === undefined || b === undefined) {
    return undefined;
  }
  const [left, right] = [toNumber(a), toNumber(b)];
  if (left !== undefined && right !== undefined) {
    return left - right;
  }
  const [leftText, rightText] = [String(toText(a)), String(toText(b))];
  return leftText === rightText ? 0 : leftText < rightText ? -1 : 1;
}

const natural = new Intl.Collator('en', { numeric: true });

/** The order of `sort`, ascending: texts, then numbers; `direction` -1 turns it round. What is missing comes last. */
export function compareForSort(a: Value, b: Value, direction: 1 | -1): number {
  if (a === undefined || b === undefined) {
    return Number(a === undefined) - Number(b === undefined);
  }
  const [left, right] = [toNumber(a), toNumber(b)];
  if (left === undefined || right === undefined) {
    const kinds = Number(left !== undefined) - Number(right !== undefined);
    return direction * (kinds || natural.compare(String(a), String(b)));
  }
  return direction * (left - right);
}
