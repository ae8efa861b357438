import * as fc from 'fast-check';
import { readRetryAfterMs } from '../../../../shared/http/retry-after';

const nowMs = Date.parse('2026-01-01T00:00:00Z');
const longestMs = 2 ** 31 * 1_000;

test.each([
  ['0', 0],
  ['1', 1_000],
  ['120', 120_000],
  ['000120', 120_000],
  [' 7 ', 7_000],
  [['7', '9'], 7_000],
  ['9999999999', longestMs],
  ['9'.repeat(400), longestMs],
  ['2026'.repeat(4), longestMs],
  ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
  ['Thursday, 01-Jan-26 00:00:30 GMT', 30_000],
  ['Thu Jan  1 00:00:30 2026', 30_000],
  ['thu, 01 jan 2026 00:00:30 gmt', 30_000],
  ['Wed, 31 Dec 2025 23:59:60 GMT', 0],
  ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
  ['Sun, 06 Nov 1994 08:49:37 GMT', 0],
  ['Sunday, 06-Nov-94 08:49:37 GMT', 0],
  ['Sun Nov  6 08:49:37 1994', 0],
  ['Fri, 31 Dec 9999 23:59:59 GMT', longestMs],
])('%j is %d ms', (header, ms) => {
  expect(readRetryAfterMs(header, nowMs)).toBe(ms);
});

test.each<[string | string[] | undefined]>([
  [undefined],
  [[]],
  ...[
    ...['', '  ', 'soon', '-5', '-1', '1.5', '+5', '1e3', '0x10', '5 s', '5s', '٥', '120, 120', '120,120', '1 2'],
    ...['wait 5', 'after 5', 'sec 10', 'may 5', 'Retry-After: 5', 'tomorrow', '5 Jan', 'Jan 5', 'PT5S'],
    ...['2026-01-01T00:00:30Z', '2026-01-01', '01/01/2026', '01 Jan 2026 00:00:30 GMT', 'Thu, 01 Jan 2026'],
    'Thu, 01 Jan 2026 00:00:30',
    'Thu, 01 Jan 2026 00:00:30 EST',
    'Thu, 01 Jan 2026 00:00:30 +0000',
    'Thu, 01 Jan 26 00:00:30 GMT',
    'Thu, 1 Jan 2026 00:00:30 GMT',
    'Thu, 30 Feb 2026 00:00:30 GMT',
    'Thu, 00 Jan 2026 00:00:30 GMT',
    'Thu, 01 Jan 2026 24:00:00 GMT',
    'Thu, 01 Jan 2026 00:60:00 GMT',
    'Thu, 01 Jan 2026 00:00:61 GMT',
    'Thu, 01 Foo 2026 00:00:30 GMT',
    'Thu, 01 Jan 2026 00:00:30 GMT, Thu, 01 Jan 2026 00:00:30 GMT',
    'wait until Thu, 01 Jan 2026 00:00:30 GMT',
  ].map((text): [string] => [text]),
])('%j is ignored', (header) => {
  expect(readRetryAfterMs(header, nowMs)).toBeUndefined();
});

const dayNames = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** A date in each of the three forms, derived from that of `toUTCString`: `Thu, 01 Jan 2026 00:00:30 GMT`. */
const formsOf = (date: Date) => {
  const [, day = '', month = '', year = '', time = ''] = date.toUTCString().split(' ');
  const longDay = dayNames[date.getUTCDay()] ?? '';
  return {
    imf: date.toUTCString(),
    rfc850: `${longDay}, ${day}-${month}-${year.slice(-2)} ${time} GMT`,
    asctime: `${longDay.slice(0, 3)} ${month} ${String(date.getUTCDate()).padStart(2)} ${time} ${year}`,
  };
};

test('property: every date is read in each of the three forms', () => {
  // The form of RFC 850 has a two-digit year, which reaches at most 50 years ahead.
  const ahead = fc.integer({ min: 0, max: 49 * 365 * 86_400 });
  fc.assert(
    fc.property(ahead, (seconds) => {
      for (const text of Object.values(formsOf(new Date(nowMs + seconds * 1_000)))) {
        expect(readRetryAfterMs(text, nowMs)).toBe(seconds * 1_000);
      }
    }),
  );
});

test('property: every past date is 0, in each of the three forms', () => {
  const behind = fc.integer({ min: 1, max: 49 * 365 * 86_400 });
  fc.assert(
    fc.property(behind, (seconds) => {
      for (const text of Object.values(formsOf(new Date(nowMs - seconds * 1_000)))) {
        expect(readRetryAfterMs(text, nowMs)).toBe(0);
      }
    }),
  );
});

test('a two-digit year is the nearest one, before or after the turn of a century', () => {
  const lateMs = Date.parse('2099-12-31T23:59:00Z');
  expect(readRetryAfterMs('Friday, 01-Jan-00 00:00:00 GMT', lateMs)).toBe(60_000);
  expect(readRetryAfterMs('Friday, 01-Jan-49 00:00:00 GMT', lateMs)).toBeGreaterThan(0);
  expect(readRetryAfterMs('Saturday, 01-Jan-50 00:00:00 GMT', lateMs)).toBe(0);
});

test('property: a larger number of seconds is never a shorter wait', () => {
  const digits = fc.stringMatching(/^[0-9]{1,60}$/);
  fc.assert(
    fc.property(digits, (text) => {
      const seconds = BigInt(text);
      const expected = seconds > 2n ** 31n ? longestMs : Number(seconds) * 1_000;
      expect(readRetryAfterMs(text, nowMs)).toBe(expected);
    }),
  );
});

test('property: any other text gives no wait', () => {
  const words = fc.constantFrom('wait', 'after', 'May', 'Sun', 'GMT', 'Jan', '5', '10', '2026', '00:00:30', '-', ',');
  const texts = fc.oneof(
    fc.array(words, { minLength: 2, maxLength: 8 }).map((list) => list.join(' ')),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  );
  fc.assert(
    fc.property(texts, (text) => {
      fc.pre(!/^\d+$/.test(text.trim()));
      expect(readRetryAfterMs(text, nowMs)).toBeUndefined();
    }),
    { numRuns: 1_000 },
  );
});
