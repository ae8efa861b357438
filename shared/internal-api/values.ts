/** How one value of Qualia's was read: a value, nothing there, or something that is not what it should be. */
export type Reading<T> = { readonly value: T } | 'absent' | 'unreadable';

const numeral = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** Reads a finite number, written as a number or as a numeral. */
export const readNumber = (source: unknown): Reading<number> => {
  if (source === null || source === undefined) return 'absent';
  const value = typeof source === 'string' && numeral.test(source.trim()) ? Number(source) : source;
  return typeof value === 'number' && Number.isFinite(value) ? { value } : 'unreadable';
};

const dateOnly = /^(\d{4})-(\d{2})-(\d{2})$/;
const dateAndTime = /^(\d{4}-\d{2}-\d{2})[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d([.,]\d+)?)?\s*(Z|[+-]\d{2}(:?\d{2})?)?$/i;
const epoch = /^-?\d+(\.\d+)?$/;

/** From here on an epoch counts milliseconds, below it seconds (docs/contracts/qualia.md). */
const firstEpochMs = 1e11;

const firstInstantMs = Date.parse('0001-01-01T00:00:00Z');
const lastInstantMs = Date.parse('9999-12-31T23:59:59.999Z');

const isCalendarDay = (text: string): boolean => {
  const [, year = '', month = '', day = ''] = dateOnly.exec(text) ?? [];
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.getUTCDate() === Number(day) && Number(year) > 0;
};

const isoInstant = (ms: number): Reading<string> =>
  ms >= firstInstantMs && ms <= lastInstantMs ? { value: new Date(ms).toISOString() } : 'unreadable';

/** `2026-01-05 10:00:00,5 +0200`, in whatever of ISO 8601's spellings, as the one spelling that `Date.parse` must know. */
const parseIso = (text: string): number => {
  const [, day = '', , seconds, , offset = 'Z'] = dateAndTime.exec(text) ?? [];
  if (!isCalendarDay(day)) return Number.NaN;
  const time = text.slice(11, 16) + (seconds ?? ':00').replace(',', '.').replace(/(\.\d{3})\d+/, '$1');
  const zone = /^z$/i.test(offset) ? 'Z' : `${offset.slice(0, 3)}:${offset.replace(':', '').slice(3) || '00'}`;
  return Date.parse(`${day}T${time}${zone}`);
};

/**
 * Reads a date: `YYYY-MM-DD` stays a day; ISO 8601 with a time (UTC where no offset is given) and an epoch, in seconds
 * or milliseconds, become ISO 8601 UTC.
 */
export const readDate = (source: unknown): Reading<string> => {
  if (source === null || source === undefined) return 'absent';
  if (typeof source !== 'number' && typeof source !== 'string') return 'unreadable';
  const text = String(source).trim();
  if (dateOnly.test(text)) return isCalendarDay(text) ? { value: text } : 'unreadable';
  if (epoch.test(text)) {
    const value = Number(text);
    return isoInstant(Math.abs(value) >= firstEpochMs ? value : value * 1_000);
  }
  return typeof source === 'number' ? 'unreadable' : isoInstant(parseIso(text));
};
