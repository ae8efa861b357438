import { when } from '../../../../../ops/services/explain/explanation';

test.each([
  ['2026-11-27T02:11:59Z', '02:11'],
  ['2026-11-26T23:59:59Z', '26 Nov'],
  ['2026-11-24T02:11:00Z', '24 Nov'],
  ['2025-11-27T02:11:00Z', '27 Nov 2025'],
])('%s is shown as %s', (at, text) => {
  expect(when(new Date(at), Date.parse('2026-11-27T15:00:00Z'))).toBe(text);
});
