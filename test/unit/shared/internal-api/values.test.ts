import fc from 'fast-check';
import { readDate, readNumber } from '../../../../shared/internal-api/values';

describe('readNumber', () => {
  test.each([
    [0, 0],
    [-1.5, -1.5],
    [450_000, 450_000],
    ['450000', 450_000],
    ['450000.75', 450_000.75],
    [' 12 ', 12],
    ['+3', 3],
    ['-3', -3],
    ['.5', 0.5],
    ['5.', 5],
    ['1e3', 1_000],
    ['1E-2', 0.01],
    ['007', 7],
    ['0', 0],
  ])('%p is %p', (source, value) => {
    expect(readNumber(source)).toEqual({ value });
  });

  test.each([[null], [undefined]])('%p is absent', (source) => {
    expect(readNumber(source)).toBe('absent');
  });

  test.each([
    ...['', ' ', 'free', '$100', '1,000', '1_000', '0x10', '0b1', 'Infinity', 'NaN', '1e999', '1 2', '--1', '.', 'e5'],
    ...[Number.NaN, Number.POSITIVE_INFINITY, true, false, {}, [], [1], { amount: 1 }],
  ])('%p is unreadable', (source) => {
    expect(readNumber(source)).toBe('unreadable');
  });

  test('takes time at most linear in the length of the text', () => {
    expect(readNumber(`${'1'.repeat(1_000_000)}x`)).toBe('unreadable');
  });
});

describe('readDate', () => {
  test.each<[unknown, string]>([
    ['2026-02-03', '2026-02-03'],
    [' 2026-02-03 ', '2026-02-03'],
    ['2024-02-29', '2024-02-29'],
    ['0001-01-01', '0001-01-01'],
    ['9999-12-31', '9999-12-31'],
    ['2026-02-03T04:05:06Z', '2026-02-03T04:05:06.000Z'],
    ['2026-02-03T04:05:06.7Z', '2026-02-03T04:05:06.700Z'],
    ['2026-02-03T04:05:06.789123Z', '2026-02-03T04:05:06.789Z'],
    ['2026-02-03T04:05:06,789Z', '2026-02-03T04:05:06.789Z'],
    ['2026-02-03T04:05Z', '2026-02-03T04:05:00.000Z'],
    ['2026-02-03T04:05:06+02:00', '2026-02-03T02:05:06.000Z'],
    ['2026-02-03T04:05:06+0200', '2026-02-03T02:05:06.000Z'],
    ['2026-02-03T04:05:06+02', '2026-02-03T02:05:06.000Z'],
    ['2026-02-03T04:05:06-05:30', '2026-02-03T09:35:06.000Z'],
    ['2026-12-31T23:00:00-05:00', '2027-01-01T04:00:00.000Z'],
    ['2026-02-03T04:05:06', '2026-02-03T04:05:06.000Z'],
    ['2026-02-03 04:05:06', '2026-02-03T04:05:06.000Z'],
    ['2026-02-03 04:05:06 +0200', '2026-02-03T02:05:06.000Z'],
    ['2026-02-03t04:05:06z', '2026-02-03T04:05:06.000Z'],
    // An epoch of 10^11 or more is in milliseconds, otherwise in seconds.
    [1_770_091_506_000, '2026-02-03T04:05:06.000Z'],
    ['1770091506000', '2026-02-03T04:05:06.000Z'],
    [1_770_091_506, '2026-02-03T04:05:06.000Z'],
    ['1770091506', '2026-02-03T04:05:06.000Z'],
    [1_770_091_506.5, '2026-02-03T04:05:06.500Z'],
    [1e11, '1973-03-03T09:46:40.000Z'],
    [1e8, '1973-03-03T09:46:40.000Z'],
    [4_133_980_799, '2100-12-31T23:59:59.000Z'],
    // Eight digits are a date.
    ['20260105', '2026-01-05'],
    [20_260_105, '2026-01-05'],
    ['20240229', '2024-02-29'],
  ])('%p is %s', (source, value) => {
    expect(readDate(source)).toEqual({ value });
  });

  test.each([[null], [undefined]])('%p is absent', (source) => {
    expect(readDate(source)).toBe('absent');
  });

  test.each([
    ...['', ' ', 'soon', 'tomorrow', '02/03/2026', '3 Feb 2026', '2026-2-3', '2026-02', '20260203T040506Z'],
    ...['2026-02-30', '2025-02-29', '1900-02-29', '2026-13-01', '2026-00-10', '2026-01-00', '2026-04-31', '0000-01-01'],
    ...['2026-02-30T00:00:00Z', '2026-02-03T24:00:00Z', '2026-02-03T04:60:00Z', '2026-02-03T04:05:61Z'],
    ...['2026-02-03T04:05:06+2:00', '2026-02-03T04:05:06+99:00', '2026-02-03T04', '2026-02-03T04:05:06ZZ', '1e12'],
    ...['9999-12-31T23:59:59-01:00', '0001-01-01T00:00:00+01:00'],
    ...['0', '2026', '202601', '46027', '20260230', '20251301', '99999999', '100000000000000000', '01770091506'],
    ...['20260203040506', '2026-0203', '202602-03', '-1770091506', '+1770091506', '1770091506,5', '4133980800'],
    ...[0, -1, 2026, 46_027, 99_999_999, 1e11 - 1, 4_133_980_800, 4_133_980_800_000, 20_260_230],
    ...[1e18, -1e15, Number.NaN, Number.POSITIVE_INFINITY, true, {}, [], ['2026-02-03'], { date: '2026-02-03' }],
  ])('%p is unreadable', (source) => {
    expect(readDate(source)).toBe('unreadable');
  });

  const dateOf = (source: unknown): string | undefined => {
    const result = readDate(source);
    return typeof result === 'object' ? result.value : undefined;
  };
  const instants = fc.date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59Z'),
    noInvalidDate: true,
  });

  test('property: every instant is preserved, as text and as an epoch', () => {
    fc.assert(
      fc.property(instants, (date) => {
        expect(dateOf(date.toISOString())).toBe(date.toISOString());
        expect(dateOf(date.toISOString().slice(0, 10))).toBe(date.toISOString().slice(0, 10));
        expect(dateOf(date.toISOString().slice(0, 10).replaceAll('-', ''))).toBe(date.toISOString().slice(0, 10));
        const isEpoch = date.getTime() >= 1e11 && date.getTime() < Date.UTC(2101, 0);
        expect(dateOf(date.getTime())).toBe(isEpoch ? date.toISOString() : undefined);
      }),
    );
  });

  test('property: every result is a valid date, and reading it again gives the same date', () => {
    const almostDates = fc.stringMatching(
      /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,4})?)?(Z|[+-]\d{2}:?\d{2})?)?$/,
    );
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double(), fc.integer(), almostDates, fc.anything()), (source) => {
        const value = dateOf(source);
        if (value === undefined) return;
        expect(Number.isNaN(Date.parse(value))).toBe(false);
        expect(value).toMatch(/^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d\.\d{3}Z)?$/);
        expect(dateOf(value)).toBe(value);
      }),
      { numRuns: 1_000 },
    );
  });
});
