import { isDeepStrictEqual } from 'node:util';
import { ValidationFault } from './validation-fault';

/** A value of an attribute, as the document client takes and returns it. Sets and binary values are not modelled. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [name: string]: Value };
export type Item = Readonly<Record<string, Value>>;

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value));

/**
 * Copies a value, without undefined fields, as the document client does with our settings.
 *
 * @throws {Error} for a value that the model has no type for, such as a set
 */
export const copyOf = (value: unknown): Value => {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value;
      break;
    default:
      if (value === null) return null;
      if (Array.isArray(value)) return value.filter((one) => one !== undefined).map(copyOf);
      if (isMap(value)) return copyOfItem(value);
  }
  throw new Error(`The tables have no model of the value ${String(value)}`);
};

export const copyOfItem = (item: Readonly<Record<string, unknown>>): Record<string, Value> => {
  const copy: Record<string, Value> = {};
  for (const name in item) {
    const value = item[name];
    if (value !== undefined) copy[name] = copyOf(value);
  }
  return copy;
};

/** DynamoDB's name of a value's type. */
export const typeOf = (value: Value): 'S' | 'N' | 'BOOL' | 'NULL' | 'L' | 'M' => {
  if (typeof value === 'string') return 'S';
  if (typeof value === 'number') return 'N';
  if (typeof value === 'boolean') return 'BOOL';
  if (value === null) return 'NULL';
  return Array.isArray(value) ? 'L' : 'M';
};

export const isEqual = (a: Value | undefined, b: Value | undefined): boolean =>
  a === b || (typeof a === 'object' && typeof b === 'object' && isDeepStrictEqual(a, b));

/** DynamoDB orders strings by their bytes in UTF-8. UTF-16 puts the surrogates before U+E000; this moves them behind. */
const rankOf = (codeUnit: number): number => {
  if (codeUnit < 0xd800) return codeUnit;
  return codeUnit < 0xe000 ? codeUnit + 0x2000 : codeUnit - 0x800;
};

const compareStrings = (a: string, b: string): number => {
  const shorter = Math.min(a.length, b.length);
  for (let at = 0; at < shorter; at++) {
    const difference = rankOf(a.charCodeAt(at)) - rankOf(b.charCodeAt(at));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
};

/** @returns the order of two strings or of two numbers; undefined if the values have no order */
export const compare = (a: Value | undefined, b: Value | undefined): number | undefined => {
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return undefined;
};

/**
 * Adds integers exactly. DynamoDB adds decimals, which a number of JavaScript cannot.
 *
 * @throws {ValidationFault} if one of them is not a number
 */
export const add = (a: Value | undefined, b: Value | undefined): number => {
  if (typeof a !== 'number' || typeof b !== 'number') {
    throw new ValidationFault('An operand in the update expression has an incorrect data type');
  }
  if (Number.isSafeInteger(a) && Number.isSafeInteger(b)) return a + b;
  throw new Error('The tables have no model of sums of fractions');
};
