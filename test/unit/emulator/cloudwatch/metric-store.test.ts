import { statisticNamed } from '../../../../emulator/cloudwatch/aggregate';
import { createMetricStore, hourMs, minuteMs } from '../../../../emulator/cloudwatch/metric-store';

const startMs = Date.UTC(2026, 10, 27, 8);
const metric = { namespace: 'N', name: 'M', dimensions: { b: '2', a: '1' } };
const sum = statisticNamed('Sum') ?? (() => Number.NaN);

test('reads each period, and undefined where there are no values', () => {
  const store = createMetricStore();
  for (const minute of [0, 0.5, 2, 6]) store.record(metric, 1, startMs + minute * minuteMs);
  expect(store.read(metric, sum, { startMs, periodMs: minuteMs, length: 4 })).toEqual([2, undefined, 1, undefined]);
  expect(store.read(metric, sum, { startMs, periodMs: 5 * minuteMs, length: 2 })).toEqual([3, 1]);
});

test('a metric is its namespace, its name and its dimensions in any order', () => {
  const store = createMetricStore();
  store.record(metric, 1, startMs);
  const timeline = { startMs, periodMs: minuteMs, length: 1 };
  expect(store.read({ ...metric, dimensions: { a: '1', b: '2' } }, sum, timeline)).toEqual([1]);
  for (const other of [{ dimensions: { a: '1' } }, { name: 'X' }, { namespace: 'X' }])
    expect(store.read({ ...metric, ...other }, sum, timeline)).toEqual([undefined]);
});

test('a unit selects the metrics with this unit', () => {
  const store = createMetricStore();
  store.record(metric, 1, startMs, 'Count');
  const timeline = { startMs, periodMs: minuteMs, length: 1 };
  expect([store.read(metric, sum, timeline, 'Count'), store.read(metric, sum, timeline, 'Seconds')]).toEqual([
    [1],
    [undefined],
  ]);
});

test('minutes become hours after 28 hours, and are forgotten after 8 days', () => {
  const store = createMetricStore();
  for (let minute = 0; minute < 120; minute++) store.record(metric, minute, startMs + minute * minuteMs);
  const hours = { startMs, periodMs: hourMs, length: 2 };
  const before = store.read(metric, sum, hours);
  store.forget(startMs + 30 * hourMs);
  expect(store.read(metric, sum, hours)).toEqual(before);
  expect(store.list()[0]?.periods.size).toBe(2);
  store.forget(startMs + 9 * 24 * hourMs);
  expect(store.list()).toEqual([]);
});
