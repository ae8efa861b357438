const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

const month = `(?<month>${months.join('|')})`;
const shortDay = '(?:mon|tue|wed|thu|fri|sat|sun)';
const longDay = '(?:mon|tues|wednes|thurs|fri|satur|sun)day';
const clock = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`;

/** The three forms of an HTTP date (RFC 9110, 5.6.7): the current one, RFC 850's and asctime's. All are in UTC. */
const dateForms = [
  String.raw`${shortDay}, (?<day>\d\d) ${month} (?<year>\d{4}) ${clock} GMT`,
  String.raw`${longDay}, (?<day>\d\d)-${month}-(?<year>\d\d) ${clock} GMT`,
  String.raw`${shortDay} ${month} (?<day>[ \d]\d) ${clock} (?<year>\d{4})`,
].map((form) => new RegExp(`^${form}$`, 'i'));

/** A two-digit year is the one with that ending between 49 years ago and 50 years ahead. */
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
  // `Date` turns 30 February into a day of March. Second 60 is a leap second.
  const isReal = date.getUTCDate() === Number(day) && hours < 24 && minutes < 60 && seconds <= 60;
  return isReal ? date.setUTCHours(hours, minutes, seconds) : undefined;
};

/** The limit of RFC 9111 (1.2.2) for every number of seconds: 68 years. */
const maxMs = 2 ** 31 * 1_000;

/**
 * Reads a `Retry-After` header (RFC 9110, 10.2.3): a whole number of seconds, or an HTTP date in one of its three forms.
 *
 * @returns milliseconds from `nowMs`: 0 for a date in the past, at most 68 years; `undefined` if the header is absent or
 * not valid
 */
export const readRetryAfterMs = (header: string | string[] | undefined, nowMs: number): number | undefined => {
  const text = ((Array.isArray(header) ? header[0] : header) ?? '').trim();
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1_000, maxMs);
  const dateMs = readHttpDate(text, nowMs);
  return dateMs === undefined ? undefined : Math.min(Math.max(0, dateMs - nowMs), maxMs);
};
