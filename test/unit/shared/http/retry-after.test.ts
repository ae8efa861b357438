import { readRetryAfterMs } from '../../../../shared/http/retry-after';

const nowMs = Date.parse('2026-01-01T00:00:00Z');

test.each([
  ['0', 0],
  ['1', 1_000],
  ['120', 120_000],
  [' 7 ', 7_000],
  [['7', '9'], 7_000],
  ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
  ['Thursday, 01-Jan-26 00:00:30 GMT', 30_000],
  ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
])('%p asks for %p ms', (header, ms) => {
  expect(readRetryAfterMs(header, nowMs)).toBe(ms);
});

test.each([[undefined], [''], ['  '], ['soon'], ['-5'], ['1.5'], ['2026'.repeat(4)], [[]]])(
  '%p asks for nothing',
  (header) => {
    expect(readRetryAfterMs(header, nowMs)).toBeUndefined();
  },
);
