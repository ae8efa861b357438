import { compare, isTrue, toNumber, toText, type Value } from './values';

type Apply = (...values: readonly Value[]) => Value;

/** A function or an operator: minimum and maximum number of arguments, and its implementation. */
type InsightsFunction = readonly [least: number, most: number, apply: Apply];

const compared =
  (holds: (order: number) => boolean): Apply =>
  (a, b) => {
    const order = compare(a, b);
    return Number(order !== undefined && holds(order));
  };

/** A function of numbers: undefined if an argument or the result is not a number. */
const numeric =
  (calculate: (...numbers: number[]) => number): Apply =>
  (...values) => {
    const numbers = values.flatMap((value) => toNumber(value) ?? []);
    const result = numbers.length === values.length ? calculate(...numbers) : Number.NaN;
    return Number.isFinite(result) ? result : undefined;
  };

/** A function of texts: undefined if an argument is missing. */
const textual =
  (work: (...texts: string[]) => Value): Apply =>
  (...values) => {
    const texts = values.flatMap((value) => toText(value) ?? []);
    return texts.length === values.length ? work(...texts) : undefined;
  };

/** Rounds a time to the start or the end of its period, in ms. */
const edge =
  (round: (periods: number) => number): Apply =>
  (value, period) => {
    const [ms, periodMs] = [toNumber(value), toNumber(period)];
    return ms === undefined || !periodMs ? undefined : new Date(round(ms / periodMs) * periodMs);
  };

const any = Number.POSITIVE_INFINITY;

const table: Readonly<Record<string, InsightsFunction>> = {
  or: [2, 2, (a, b) => Number(isTrue(a) || isTrue(b))],
  and: [2, 2, (a, b) => Number(isTrue(a) && isTrue(b))],
  not: [1, 1, (value) => Number(!isTrue(value))],
  '=': [2, 2, compared((order) => order === 0)],
  '!=': [2, 2, (a, b) => Number(compare(a, b) !== 0)],
  '<': [2, 2, compared((order) => order < 0)],
  '<=': [2, 2, compared((order) => order <= 0)],
  '>': [2, 2, compared((order) => order > 0)],
  '>=': [2, 2, compared((order) => order >= 0)],
  in: [1, any, (value, ...list) => Number(list.some((one) => compare(value, one) === 0))],

  '+': [2, 2, numeric((a, b) => a + b)],
  '-': [2, 2, numeric((a, b) => a - b)],
  '*': [2, 2, numeric((a, b) => a * b)],
  '/': [2, 2, numeric((a, b) => a / b)],
  '%': [2, 2, numeric((a, b) => a % b)],
  '^': [2, 2, numeric((a, b) => a ** b)],
  abs: [1, 1, numeric(Math.abs)],
  ceil: [1, 1, numeric(Math.ceil)],
  floor: [1, 1, numeric(Math.floor)],
  greatest: [1, any, numeric(Math.max)],
  least: [1, any, numeric(Math.min)],
  log: [1, 1, numeric(Math.log)],
  sqrt: [1, 1, numeric(Math.sqrt)],

  ispresent: [1, 1, (value) => Number(value !== undefined)],
  coalesce: [1, any, (...values) => values.find((value) => value !== undefined)],
  isempty: [1, 1, (value) => Number(value === undefined || value === '')],
  isblank: [1, 1, (value) => Number(value === undefined || toText(value)?.trim() === '')],
  strlen: [1, 1, textual((text) => text.length)],
  tolower: [1, 1, textual((text) => text.toLowerCase())],
  toupper: [1, 1, textual((text) => text.toUpperCase())],
  trim: [1, 1, textual((text) => text.trim())],
  ltrim: [1, 1, textual((text) => text.trimStart())],
  rtrim: [1, 1, textual((text) => text.trimEnd())],
  concat: [1, any, textual((...texts) => texts.join(''))],
  replace: [3, 3, textual((text, search = '', replacement = '') => text.replaceAll(search, replacement))],
  strcontains: [2, 2, textual((text, part = '') => Number(text.includes(part)))],
  substr: [
    2,
    3,
    textual((text, start, length) => text.slice(Number(start)).slice(0, length ? Number(length) : undefined)),
  ],

  datefloor: [2, 2, edge(Math.floor)],
  dateceil: [2, 2, edge(Math.ceil)],
  frommillis: [1, 1, (value) => edge(Math.floor)(value, 1)],
  tomillis: [1, 1, toNumber],
  now: [0, 0, () => Math.floor(Date.now() / 1_000)],
};

/** Operators and functions: name in lower case → definition. A missing value is not equal to any value. */
export const functions: ReadonlyMap<string, InsightsFunction> = new Map(Object.entries(table));
