/**
 * The one grammar for times from outside: ISO 8601 in its common spellings, and epochs (docs/contracts/qualia.md,
 * docs/contracts/internal-api.md). All code that reads such a time uses this module.
 */

/** A moment. */
export interface Instant {
  /** Milliseconds since 1970, truncated. */
  readonly ms: number;
  /** Digits of the fraction after the milliseconds, without trailing zeros. Unlimited length. */
  readonly subMsDigits: string;
  /** Precision of the text: 60,000 without seconds, 1,000 without a fraction, 100 or 10 with one or two digits, else 1. */
  readonly precisionMs: number;
}

/** A calendar day (`YYYY-MM-DD`), or a moment. */
export type Time = { readonly day: string } | { readonly instant: Instant };

const dayPattern = /^(\d{4})(-?)(\d{2})\2(\d{2})$/;
const instantPattern =
  /^(\d{4}-\d{2}-\d{2})[Tt ]((?:[01]\d|2[0-3]):[0-5]\d)(?::([0-5]\d)(?:[.,](\d+))?)? ?(?:([Zz])|([+-])([01]\d|2[0-3])(?::?([0-5]\d))?)?$/;
const epochPattern = /^([1-9]\d{8,15})(?:\.(\d+))?$/;

const firstMs = Date.parse('0001-01-01T00:00:00Z');
const lastMs = Date.parse('9999-12-31T23:59:59.999Z');

/** From this value on, an epoch is in milliseconds; below it, in seconds. */
const firstEpochMs = 1e11;
const firstEpochSeconds = 1e8;
/** An epoch after the year 2100 is not accepted. */
const endOfEpochsMs = Date.parse('2101-01-01T00:00:00Z');

/** A regular expression would take quadratic time on a long run of zeros. */
const withoutTrailingZeros = (digits: string): string => {
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  return digits.slice(0, end);
};

/** The instant `fraction` seconds after a whole second. */
const instantAt = (wholeSecondMs: number, fraction: string): Instant => ({
  ms: wholeSecondMs + Number(fraction.slice(0, 3).padEnd(3, '0')),
  subMsDigits: withoutTrailingZeros(fraction.slice(3)),
  precisionMs: 10 ** Math.max(0, 3 - fraction.length),
});

/** Reads a calendar day, `2026-01-05` or `20260105`, as `YYYY-MM-DD`. */
export const parseDay = (text: string): string | undefined => {
  const [, year, , month, date] = dayPattern.exec(text) ?? [];
  const day = `${year}-${month}-${date}`;
  const ms = Date.parse(`${day}T00:00:00Z`);
  return ms >= firstMs && new Date(ms).toISOString().startsWith(day) ? day : undefined;
};

const readInstant = (text: string, isOffsetRequired: boolean): Instant | undefined => {
  const match = instantPattern.exec(text);
  if (match === null) return undefined;
  const [, date = '', time, seconds, fraction = '', z, sign, offsetHours = 0, offsetMinutes = 0] = match;
  const day = parseDay(date);
  if (day === undefined || (isOffsetRequired && z === undefined && sign === undefined)) return undefined;
  const offsetMs = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === '-' ? -60_000 : 60_000);
  const instant = instantAt(Date.parse(`${day}T${time}:${seconds ?? '00'}Z`) - offsetMs, fraction);
  if (instant.ms < firstMs || instant.ms > lastMs) return undefined;
  return seconds === undefined ? { ...instant, precisionMs: 60_000 } : instant;
};

const parseEpoch = (text: string): Instant | undefined => {
  const [, digits, fraction = ''] = epochPattern.exec(text) ?? [];
  const value = Number(digits ?? 0);
  if (value < firstEpochSeconds) return undefined;
  const instant =
    value >= firstEpochMs
      ? { ms: value, subMsDigits: withoutTrailingZeros(fraction), precisionMs: 1 }
      : instantAt(value * 1_000, fraction);
  return instant.ms < endOfEpochsMs ? instant : undefined;
};

/**
 * Reads an ISO 8601 instant: with an offset (`+02:00`, `+0200`, `+02`) or `Z`, a `T` or a space before the time,
 * letters in either case, with or without seconds, `.` or `,` before a fraction of any length.
 *
 * @returns `undefined` for any other text, and for one that is not a real instant of the years 1 to 9999
 *
 * @example
 * parseInstant('2026-11-26t10:00:00,1005+0200'); // { ms: 1795680000100, subMsDigits: '5', precisionMs: 1 }
 */
export const parseInstant = (text: string): Instant | undefined => readInstant(text, true);

/**
 * Reads any form of a time: a day, an instant (UTC if it has no offset), or an epoch in seconds or milliseconds from 10^8
 * seconds (1973) to the end of the year 2100. Eight digits are always a day.
 *
 * @returns `undefined` for any other text
 */
export const parseTime = (text: string): Time | undefined => {
  const day = parseDay(text);
  if (day !== undefined) return { day };
  const instant = parseEpoch(text) ?? readInstant(text, false);
  return instant && { instant };
};

/** Writes an instant as ISO 8601 UTC, in the precision of the text that it was read from. */
export const formatInstant = ({ ms, subMsDigits, precisionMs }: Instant): string => {
  const text = new Date(ms).toISOString();
  if (precisionMs >= 60_000) return `${text.slice(0, 16)}Z`;
  if (precisionMs >= 1_000) return `${text.slice(0, 19)}Z`;
  return `${text.slice(0, -1)}${subMsDigits}Z`;
};
