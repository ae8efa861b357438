import { parseTime } from '../time';

/** How one value of Qualia's was read: a value, nothing there, or something that is not what it should be. */
export type ReadResult<T> = { readonly value: T } | 'absent' | 'unreadable';

/** Characters without a width of their own, as they come along when text is copied from a web page. */
const invisible = /\p{Default_Ignorable_Code_Point}/gu;

/** Removes what cannot be seen, and makes one space of each run of white space. */
export const visibleText = (text: string): string => text.replace(invisible, '').trim().replace(/\s+/g, ' ');

const visible = /[^\s\p{Default_Ignorable_Code_Point}]/u;

/** Whether a text holds nothing that can be seen. */
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
