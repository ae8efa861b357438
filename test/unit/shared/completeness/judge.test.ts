import fc from 'fast-check';
import { type Entry, isStuck, judge, recheckAtMs } from '../../../../shared/completeness/judge';
import type { Order } from '../../../../shared/orders/order';
import { orderId, orders, round } from '../../../support/orders';

const hourMs = 3_600_000;
const minuteMs = 60_000;
const nowMs = Date.parse('2026-01-05T12:00:00Z');
const iso = (ms: number) => new Date(ms).toISOString();
const entry: Entry = { orderId: orderId(), fingerprint: 'now' };
const times = { nowMs, walkedAtMs: nowMs - minuteMs, lastPassAtMs: nowMs - hourMs };

const downloaded = (agoMs: number, fields: object = {}): Order => {
  const at = iso(nowMs - agoMs);
  const own = { round: round(nowMs - agoMs), s3_key: `raw/${orderId()}/${round(nowMs - agoMs)}.json` };
  return {
    ...orders.processed(),
    ...own,
    notified_at: at,
    download_started_at: at,
    downloaded_at: at,
    ...fields,
  } as Order;
};
const notified = (agoMs: number, fields: object = {}): Order =>
  ({ ...orders.notified(), round: round(nowMs - agoMs), notified_at: iso(nowMs - agoMs), ...fields }) as Order;

const drifted: Entry = { ...entry, previous: 'before' };
const left: Entry = { ...entry, leftAtMs: times.walkedAtMs };

test.each<[string, Entry, Order | undefined, object]>([
  [
    'changed, and downloaded before the last pass: drifted and lost',
    drifted,
    downloaded(2 * hourMs),
    { reason: 'drifted', isLost: true },
  ],
  [
    'changed, and downloaded since the last pass: drifted',
    drifted,
    downloaded(30 * minuteMs),
    { reason: 'drifted', isLost: false },
  ],
  ['changed, and downloaded after the list: no round', drifted, downloaded(minuteMs), {}],
  [
    'changed, and notified before the list: drifted',
    drifted,
    notified(2 * minuteMs),
    { reason: 'drifted', isLost: false },
  ],
  ['changed, and notified after the list: no round', drifted, notified(minuteMs), {}],
  [
    'changed, and started again after the list: no round',
    { ...drifted, startedAtMs: nowMs },
    notified(2 * minuteMs),
    {},
  ],
  [
    'left, and downloaded before the last pass: left and lost',
    left,
    downloaded(2 * hourMs),
    { reason: 'left', isLost: true },
  ],
  [
    'left, and downloaded since the last pass: left',
    left,
    downloaded(30 * minuteMs),
    { reason: 'left', isLost: false },
  ],
  ['left, and downloaded after the list: settled', left, downloaded(minuteMs), { isSettled: true }],
  ['left, and notified after the list: not settled', left, notified(minuteMs), { isSettled: false }],
  [
    'left, and FAILED after the list: settled',
    left,
    downloaded(minuteMs, {
      ...orders.failed('API_REFUSED'),
      round: round(nowMs - minuteMs),
      notified_at: iso(nowMs - minuteMs),
      failed_at: iso(nowMs),
    }),
    { isSettled: true },
  ],
  ['left, and without an item: missing', left, undefined, { reason: 'missing' }],
])('an order that %s', (_, listed, order, expected) => {
  expect(judge(listed, order, times)).toEqual({
    isLost: 'reason' in expected && expected.reason === 'missing',
    isSettled: false,
    ...expected,
  });
});

test('a replay of stored bytes is not evidence of the current state at Qualia', () => {
  const replayed = downloaded(0, { s3_key: `raw/${orderId()}/${round(1)}.json`, download_started_at: undefined });
  expect(judge(drifted, replayed, times)).toMatchObject({ reason: 'drifted', isLost: false });
  expect(judge(entry, replayed, times)).toMatchObject({ reason: 'unchecked' });
  const known = { ...replayed, download_started_at: iso(nowMs - 2 * hourMs) } as Order;
  expect(judge(entry, known, times)).toEqual({ isLost: false, isSettled: false });
});

describe('stuck', () => {
  test('an order is not stuck until its Retry-After has passed', () => {
    expect(isStuck(notified(hourMs, { not_before: iso(nowMs + 1) }), entry, nowMs)).toBe(false);
    expect(isStuck(notified(hourMs, { not_before: iso(nowMs) }), entry, nowMs)).toBe(true);
  });

  test('the time until an order is stuck again doubles with each round of the reconciler, so that four days take six rounds', () => {
    let startedAtMs: number | undefined;
    const rounds: number[] = [];
    for (let atMs = nowMs; atMs < nowMs + 96 * hourMs; atMs += hourMs) {
      if (!isStuck(notified(0), { startedAtMs }, atMs)) continue;
      rounds.push((atMs - nowMs) / hourMs);
      startedAtMs = atMs;
    }
    expect(rounds).toEqual([1, 3, 7, 15, 31, 63]);
  });
});

describe('the time of the next check', () => {
  test('is 2 to 22 hours after the last check', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 2 ** 42 }), (id, checkedAtMs) => {
        const hours = (recheckAtMs(orderId(id), checkedAtMs) - checkedAtMs) / hourMs;
        expect(hours).toBeGreaterThanOrEqual(2);
        expect(hours).toBeLessThanOrEqual(22);
      }),
    );
  });

  test('spreads orders that were checked at the same time evenly over the day', () => {
    const ids = Array.from({ length: 6_000 }, (_, index) => orderId(`QO-${100_000 + index}`));
    const checked = new Map(ids.map((id) => [id, nowMs]));
    const perHour: number[] = [];
    for (let hour = 1; hour <= 62; hour++) {
      const atMs = nowMs + hour * hourMs;
      const due = ids.filter((id) => atMs >= recheckAtMs(id, checked.get(id) ?? 0));
      for (const id of due) {
        expect(atMs - (checked.get(id) ?? 0)).toBeLessThan(24 * hourMs);
        checked.set(id, atMs + minuteMs);
      }
      perHour.push(due.length);
    }
    const mean = ids.length / 20;
    for (const count of perHour.slice(2)) {
      expect(count).toBeGreaterThan(0.75 * mean);
      expect(count).toBeLessThan(1.25 * mean);
    }
  });
});
