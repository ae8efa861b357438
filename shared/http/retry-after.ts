const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

const month = `(?<month>${months.join('|')})`;
const shortDay = '(?:mon|tue|wed|thu|fri|sat|sun)';
const longDay = '(?:mon|tues|wednes|thurs|fri|satur|sun)day';
const clock = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`;

/** The three forms of an HTTP date (RFC 9110, 5.6.7): of today, of RFC 850, of C's asctime. All are in UTC. */
const dateForms = [
  String.raw`${shortDay}, (?<day>\d\d) ${month} (?<year>\d{4}) ${clock} GMT`,
  String.raw`${longDay}, (?<day>\d\d)-${month}-(?<year>\d\d) ${clock} GMT`,
  String.raw`${shortDay} ${month} (?<day>[ \d]\d) ${clock} (?<year>\d{4})`,
].map((form) => new RegExp(`^${form}$`, 'i'));

/** Two digits are the year with that ending from 49 years ago to 50 years ahead. */
const fullYear = (digits: string, nowMs: number): number => {
  if (digits.length === 4) return Number(digits);
  const earliest = new Date(nowMs).getUTCFullYear() - 49;
  return earliest + ((Number(digits) - (earliest % 100) + 100) % 100);
};

const readHttpDate = (text: string, nowMs: number): number | undefined => {
  const parts = dateForms.map((form) => form.exec(text)?.groups).find((groups) => groups !== undefined);
  if (parts === undefined) return undefined;
  const { day = '', month: name = '', year = '', hour, minute, second } = parts;
  const [hours, minutes, seconds] = [Number(hour), Number(minute), Number(second)];
  const date = new Date(0);
  date.setUTCFullYear(fullYear(year, nowMs), months.indexOf(name.toLowerCase()), Number(day));
  // The 30th of February has become a day of March. A 60th second is a leap second.
  const isReal = date.getUTCDate() === Number(day) && hours < 24 && minutes < 60 && seconds <= 60;
  return isReal ? date.setUTCHours(hours, minutes, seconds) : undefined;
};

/** As RFC 9111 (1.2.2) bounds every number of seconds: 68 years. */
const longestMs = 2 ** 31 * 1_000;

/**
 * Reads a `Retry-After` header (RFC 9110, 10.2.3): a whole number of seconds, or an HTTP date in one of its three forms.
 *
 * @returns milliseconds from `nowMs` on, from 0 for a date in the past to 68 years; `undefined` when the header is absent
 * or anything else
 */
export const readRetryAfterMs = (header: string | string[] | undefined, nowMs: number): number | undefined => {
  const text = ((Array.isArray(header) ? header[0] : header) ?? '').trim();
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1_000, longestMs);
  const dateMs = readHttpDate(text, nowMs);
  return dateMs === undefined ? undefined : Math.min(Math.max(0, dateMs - nowMs), longestMs);
};
