import fc from 'fast-check';
import { parseDay, parseInstant, parseTime } from '../../../shared/time';

const firstMs = Date.parse('0001-01-01T00:00:00Z');
const lastMs = Date.parse('9999-12-31T23:59:59.999Z');

const twoDigits = (value: number): string => String(value).padStart(2, '0');
const trimmed = (digits: string): string => digits.replace(/0+$/, '');

/** Whole seconds, far enough from the limits for every offset. */
const wholeSeconds = fc.integer({ min: firstMs / 1_000 + 86_400, max: Math.floor(lastMs / 1_000) - 86_400 });
const digits = (maxLength: number) => fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength });

const offset = fc.record({
  minutes: fc.integer({ min: -(23 * 60 + 59), max: 23 * 60 + 59 }),
  separator: fc.constantFrom(':', ''),
  isShort: fc.boolean(),
  zulu: fc.option(fc.constantFrom('Z', 'z'), { nil: undefined }),
});

/** An instant and one of its spellings. */
const writtenInstants = fc
  .record({
    seconds: wholeSeconds,
    fraction: fc.option(digits(40), { nil: '' }),
    point: fc.constantFrom('.', ','),
    letter: fc.constantFrom('T', 't', ' '),
    gap: fc.constantFrom('', '', ' '),
    offset,
  })
  .map(({ seconds, fraction, point, letter, gap, offset: { minutes, separator, isShort, zulu } }) => {
    const offsetMinutes = zulu === undefined ? minutes : 0;
    const [day, time] = new Date((seconds + offsetMinutes * 60) * 1_000).toISOString().slice(0, 19).split('T');
    const [hours, rest] = [Math.trunc(Math.abs(offsetMinutes) / 60), Math.abs(offsetMinutes) % 60];
    const zone =
      zulu ??
      `${minutes < 0 ? '-' : '+'}${twoDigits(hours)}${isShort && rest === 0 ? '' : `${separator}${twoDigits(rest)}`}`;
    return {
      text: `${day}${letter}${time}${fraction === '' ? '' : point + fraction}${gap}${zone}`,
      instant: {
        ms: seconds * 1_000 + Number(fraction.slice(0, 3).padEnd(3, '0')),
        subMsDigits: trimmed(fraction.slice(3)),
        precisionMs: [1_000, 100, 10][fraction.length] ?? 1,
      },
    };
  });

test('property: an instant is the same in every accepted spelling', () => {
  fc.assert(
    fc.property(writtenInstants, ({ text, instant }) => {
      expect([text, parseInstant(text)]).toEqual([text, instant]);
      expect(parseTime(text)).toEqual({ instant });
    }),
    { numRuns: 2_000 },
  );
});

test('property: without seconds, an instant has the precision of a minute', () => {
  fc.assert(
    fc.property(wholeSeconds, (seconds) => {
      const ms = seconds * 1_000 - ((((seconds * 1_000) % 60_000) + 60_000) % 60_000);
      const text = `${new Date(ms).toISOString().slice(0, 16)}Z`;
      expect(parseInstant(text)).toEqual({ ms, subMsDigits: '', precisionMs: 60_000 });
    }),
  );
});

test('property: a text without an offset is not an instant, and as a time it is in UTC', () => {
  fc.assert(
    fc.property(wholeSeconds, (seconds) => {
      const text = new Date(seconds * 1_000).toISOString().slice(0, 19);
      expect(parseInstant(text)).toBeUndefined();
      expect(parseTime(text)).toEqual({ instant: { ms: seconds * 1_000, subMsDigits: '', precisionMs: 1_000 } });
    }),
  );
});

const lengthOfMonth = (year: number, month: number): number => {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
};

test('property: every calendar day has two spellings, and no other eight digits are a day', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9999 }), fc.nat(99), fc.nat(99), (year, month, date) => {
      const day = `${String(year).padStart(4, '0')}-${twoDigits(month)}-${twoDigits(date)}`;
      const isReal = year > 0 && month >= 1 && month <= 12 && date >= 1 && date <= lengthOfMonth(year, month);
      expect(parseDay(day)).toBe(isReal ? day : undefined);
      expect(parseTime(day.replaceAll('-', ''))).toEqual(isReal ? { day } : undefined);
      expect(parseInstant(`${day}T00:00:00Z`) !== undefined).toBe(isReal);
    }),
    { numRuns: 5_000 },
  );
});

describe('digits only', () => {
  test.each([
    ['100000000', '1973-03-03T09:46:40.000Z'],
    ['99999999999', undefined],
    ['100000000000', '1973-03-03T09:46:40.000Z'],
    ['4133980799', '2100-12-31T23:59:59.000Z'],
    ['4133980799999', '2100-12-31T23:59:59.999Z'],
    ['4133980800', undefined],
    ['4133980800000', undefined],
    ['1770091506.25', '2026-02-03T04:05:06.250Z'],
    ['1770091506250.75', '2026-02-03T04:05:06.250Z'],
  ])('%s is %s', (text, iso) => {
    const time = parseTime(text);
    const ms = time && 'instant' in time ? time.instant.ms : undefined;
    expect(ms === undefined ? undefined : new Date(ms).toISOString()).toBe(iso);
  });

  test('property: digits are an epoch within the limits, a day, or rejected', () => {
    fc.assert(
      fc.property(digits(20), (text) => {
        const time = parseTime(text);
        const value = Number(text);
        const isEpoch = !text.startsWith('0') && value >= 1e8 && (value < 4_133_980_800 || value >= 1e11);
        if (time === undefined) return;
        if ('day' in time) expect(text).toBe(time.day.replaceAll('-', ''));
        else {
          expect(isEpoch && value < 4_133_980_800_000).toBe(true);
          expect(time.instant.ms).toBe(value < 1e11 ? value * 1_000 : value);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test('property: every epoch within the limits is read, with all digits of its fraction', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1e8, max: 4_133_980_799 }), digits(30), (seconds, fraction) => {
        const ms = seconds * 1_000 + Number(fraction.slice(0, 3).padEnd(3, '0'));
        const subMsDigits = trimmed(fraction.slice(3));
        expect(parseTime(`${seconds}.${fraction}`)).toMatchObject({ instant: { ms, subMsDigits } });
        if (ms >= 1e11) expect(parseTime(`${ms}`)).toEqual({ instant: { ms, subMsDigits: '', precisionMs: 1 } });
      }),
    );
  });
});

/** The grammar of the contracts, as simple patterns. A text that matches none of them is not a time. */
const isInGrammar = (text: string): boolean =>
  /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)? ?([Zz]|[+-]\d\d(:?\d\d)?)?$/.test(text) ||
  /^\d{4}-\d\d-\d\d$/.test(text) ||
  /^\d{8}$/.test(text) ||
  /^[1-9]\d{8,12}(\.\d+)?$/.test(text);

test('property: a text outside the grammar is not a time', () => {
  const edited = fc
    .tuple(
      fc.oneof(
        writtenInstants.map(({ text }) => text),
        fc.constantFrom('2026-01-05', '20260105', '1770091506', '2026-01-05T10:00:00'),
      ),
      fc.nat(60),
      fc.nat(2),
      fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('0', '9', ':', '-', '+', 'Z', ' ', '\n', '٣', '６', 'T')),
    )
    .map(([text, at, removed, added]) => text.slice(0, at) + added + text.slice(at + removed));
  fc.assert(
    fc.property(fc.oneof(edited, fc.string()), (text) => {
      if (isInGrammar(text)) return;
      expect([text, parseInstant(text), parseTime(text)]).toEqual([text, undefined, undefined]);
    }),
    { numRuns: 5_000 },
  );
});

test.each([
  ...['2026-02-30T10:00:00Z', '2026-11-26T24:00:00Z', '2026-11-26T10:60:00Z', '2026-11-26T10:00:60Z'],
  ...['2026-11-26T10:00:00+24:00', '2026-11-26T10:00:00+02:60', '2026-11-26T10:00:00+2', '2026-11-26T10Z'],
  ...['0000-01-01T00:00:00Z', '0001-01-01T00:00:00+01:00', '9999-12-31T23:59:59-01:00', '2026-11-26T10:00:00,Z'],
  ...['20261126T100000Z', '2026-W48-4T10:00:00Z', '2026-330T10:00:00Z', '+002026-11-26T10:00:00Z'],
  ...['2026-11-26T10:00:00Z\n', ' 2026-11-26T10:00:00Z', '2026-11-26T10:00:00  Z', '2026-11-26T10:00.5Z'],
])('%j is not a time', (text) => {
  expect([parseInstant(text), parseTime(text)]).toEqual([undefined, undefined]);
});

test('the first and the last instant', () => {
  expect(parseInstant('0001-01-01T00:00:00Z')?.ms).toBe(firstMs);
  expect(parseInstant('9999-12-31T23:59:59.999999Z')).toEqual({ ms: lastMs, subMsDigits: '999', precisionMs: 1 });
  expect(parseTime('0001-01-02')).toEqual({ day: '0001-01-02' });
});

test('takes linear time', () => {
  const zeros = '0'.repeat(2_000_000);
  expect(parseInstant(`2026-01-01T00:00:00.${zeros}x`)).toBeUndefined();
  expect(parseInstant(`2026-01-01T00:00:00.${zeros}1Z`)?.subMsDigits).toHaveLength(zeros.length - 2);
  expect(parseInstant(`2026-01-01T00:00:00.${zeros}Z`)?.subMsDigits).toBe('');
  expect(parseTime(`1${zeros}`)).toBeUndefined();
  expect(parseTime(`1770091506.${zeros}x`)).toBeUndefined();
});
