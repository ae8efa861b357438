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

const read = (agoMs: number, fields: object = {}): Order => {
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
const waiting = (agoMs: number, fields: object = {}): Order =>
  ({ ...orders.notified(), round: round(nowMs - agoMs), notified_at: iso(nowMs - agoMs), ...fields }) as Order;

const drifted: Entry = { ...entry, previous: 'before' };
const left: Entry = { ...entry, leftAtMs: times.walkedAtMs };

test.each<[string, Entry, Order | undefined, object]>([
  ['changed, and read before the last pass', drifted, read(2 * hourMs), { reason: 'drifted', isLost: true }],
  ['changed, and read since the last pass', drifted, read(30 * minuteMs), { reason: 'drifted', isLost: false }],
  ['changed, and read after the list', drifted, read(minuteMs), {}],
  ['changed, and notified before the list', drifted, waiting(2 * minuteMs), { reason: 'drifted', isLost: false }],
  ['changed, and notified after the list', drifted, waiting(minuteMs), {}],
  ['changed, and started again after the list', { ...drifted, startedAtMs: nowMs }, waiting(2 * minuteMs), {}],
  ['left, and read before the last pass', left, read(2 * hourMs), { reason: 'left', isLost: true }],
  ['left, and read since the last pass', left, read(30 * minuteMs), { reason: 'left', isLost: false }],
  ['left, and read after that', left, read(minuteMs), { isSettled: true }],
  ['left, and notified after that', left, waiting(minuteMs), { isSettled: false }],
  [
    'left, and FAILED after that',
    left,
    read(minuteMs, {
      ...orders.failed('API_REFUSED'),
      round: round(nowMs - minuteMs),
      notified_at: iso(nowMs - minuteMs),
      failed_at: iso(nowMs),
    }),
    { isSettled: true },
  ],
  ['left, and not here', left, undefined, { reason: 'missing' }],
])('%s', (_, of, order, expected) => {
  expect(judge(of, order, times)).toEqual({
    isLost: 'reason' in expected && expected.reason === 'missing',
    isSettled: false,
    ...expected,
  });
});

test('a replay of stored bytes says nothing about Qualia now', () => {
  const replayed = read(0, { s3_key: `raw/${orderId()}/${round(1)}.json`, download_started_at: undefined });
  expect(judge(drifted, replayed, times)).toMatchObject({ reason: 'drifted', isLost: false });
  expect(judge(entry, replayed, times)).toMatchObject({ reason: 'unchecked' });
  const known = { ...replayed, download_started_at: iso(nowMs - 2 * hourMs) } as Order;
  expect(judge(entry, known, times)).toEqual({ isLost: false, isSettled: false });
});

describe('stuck', () => {
  test('an order is not stuck during the wait that an API asked for', () => {
    expect(isStuck(waiting(hourMs, { not_before: iso(nowMs + 1) }), entry, nowMs)).toBe(false);
    expect(isStuck(waiting(hourMs, { not_before: iso(nowMs) }), entry, nowMs)).toBe(true);
  });

  test('each round of the reconciler gets as much time as the order had before, so that four days take few rounds', () => {
    let startedAtMs: number | undefined;
    const rounds: number[] = [];
    for (let atMs = nowMs; atMs < nowMs + 96 * hourMs; atMs += hourMs) {
      if (!isStuck(waiting(0), { startedAtMs }, atMs)) continue;
      rounds.push((atMs - nowMs) / hourMs);
      startedAtMs = atMs;
    }
    expect(rounds).toEqual([1, 3, 7, 15, 31, 63]);
  });
});

describe('the time of the next check', () => {
  test('is within a day, and not within two hours', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 2 ** 42 }), (id, checkedAtMs) => {
        const hours = (recheckAtMs(orderId(id), checkedAtMs) - checkedAtMs) / hourMs;
        expect(hours).toBeGreaterThanOrEqual(2);
        expect(hours).toBeLessThanOrEqual(22);
      }),
    );
  });

  test('spreads orders that were checked at once evenly over the day', () => {
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
