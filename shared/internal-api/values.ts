import { parseTime } from '../time';

/** The result of reading one of Qualia's values: the value, absent, or not of the expected kind. */
export type ReadResult<T> = { readonly value: T } | 'absent' | 'unreadable';

/** Characters without width, which text copied from a web page often contains. */
const invisible = /\p{Default_Ignorable_Code_Point}/gu;

/** Removes invisible characters, and replaces each run of white space by one space. */
export const visibleText = (text: string): string => text.replace(invisible, '').trim().replace(/\s+/g, ' ');

const visible = /[^\s\p{Default_Ignorable_Code_Point}]/u;

/** Whether a text has no visible character. */
export const isBlank = (text: string): boolean => !visible.test(text);

const numeral = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** Reads a finite number, written as a number or as a numeral. */
export const readNumber = (source: unknown): ReadResult<number> => {
  if (source === null || source === undefined) return 'absent';
  const value = typeof source === 'string' && numeral.test(source.trim()) ? Number(source) : source;
  return typeof value === 'number' && Number.isFinite(value) ? { value } : 'unreadable';
};

/**
 * Reads a date: a day becomes `YYYY-MM-DD`, an instant or an epoch becomes ISO 8601 UTC (docs/contracts/internal-api.md).
 */
export const readDate = (source: unknown): ReadResult<string> => {
  if (source === null || source === undefined) return 'absent';
  if (typeof source !== 'number' && typeof source !== 'string') return 'unreadable';
  const time = parseTime(String(source).trim());
  if (time === undefined) return 'unreadable';
  return { value: 'day' in time ? time.day : new Date(time.instant.ms).toISOString() };
};
