import {
  type PartTimeline,
  partTimelines,
  sortByInterest,
  type WrittenPart,
} from '../../../../../ops/services/run-graph/parts';
import type { Turn } from '../../../../../ops/services/run-graph/waterfall';

const second = 1_000;
const turn = (startedMs: number, endedMs?: number, more: Partial<Turn> = {}): Turn => ({
  startedMs,
  endedMs,
  end: endedMs === undefined ? undefined : 'succeeded',
  error: undefined,
  ...more,
});
const part = (name: string, ...closedAtMs: number[]): WrittenPart => ({
  name,
  readyMs: 0,
  closings: closedAtMs.map((atMs) => ({ atMs, hasFailed: false })),
});
/** `a: 0-10 succeeded` */
const textOf = ({ name, work }: PartTimeline): string =>
  `${name}: ${work.map(({ startedMs, endedMs, end }) => `${startedMs}-${endedMs ?? ''} ${end ?? 'running'}`).join(', ')}`;
const shown = (...timelines: Parameters<typeof partTimelines>) => partTimelines(...timelines).map(textOf);

test('a part starts as soon as a slot is free, in the order of the parts', () => {
  const parts = [part('a', 4 * second), part('b', 2 * second), part('c', 5 * second)];
  expect(shown(parts, [turn(0, 6 * second)], 2)).toEqual([
    'a: 0-4000 succeeded',
    'b: 0-2000 succeeded',
    'c: 2000-5000 succeeded',
  ]);
});

test('a part that is ready later starts later', () => {
  const parts = [{ ...part('a', 4 * second), readyMs: 3 * second }];
  expect(shown(parts, [turn(0, 6 * second)], 1)).toEqual(['a: 3000-4000 succeeded']);
});

test('while a turn lasts, its parts are running or wait', () => {
  const timelines = partTimelines([part('a', 2 * second), part('b'), part('c')], [turn(0)], 1);
  expect(timelines.map(textOf)).toEqual(['a: 0-2000 succeeded', 'b: 2000- running', 'c: ']);
  expect(timelines.map(({ status }) => status)).toEqual(['done', 'running', 'waiting']);
});

test('a part that is open at the end of a turn continues in the next one', () => {
  const turns = [turn(0, 3 * second), turn(9 * second, 20 * second)];
  expect(shown([part('a', second), part('b', 12 * second), part('c', 15 * second)], turns, 1)).toEqual([
    'a: 0-1000 succeeded',
    'b: 1000-3000 succeeded, 9000-12000 succeeded',
    'c: 12000-15000 succeeded',
  ]);
});

test('a part of a stopped run ends with it', () => {
  const [timeline] = partTimelines([part('a')], [turn(0, 3 * second, { end: 'stopped' })], 1);
  expect(timeline).toMatchObject({ status: 'waiting', work: [{ startedMs: 0, endedMs: 3 * second, end: 'stopped' }] });
});

test('a failed part is tried again only after a redrive', () => {
  const failed = { atMs: second, hasFailed: true };
  const turns = [turn(0, 2 * second), turn(5 * second, 6 * second), turn(20 * second, 30 * second)];
  const [once] = partTimelines([{ name: 'a', readyMs: 0, closings: [failed] }], turns, 1);
  expect(once).toMatchObject({ status: 'failed', work: [{ end: 'failed' }] });
  const again = { name: 'a', readyMs: 0, closings: [failed, { atMs: 25 * second, hasFailed: false }] };
  expect(shown([again], turns, 1)).toEqual(['a: 0-1000 failed, 20000-25000 succeeded']);
});

test('times of S3 are whole seconds, which can be before the turn', () => {
  expect(shown([part('a', 4 * second)], [turn(4_300, 9 * second)], 1)).toEqual(['a: 4300-4300 succeeded']);
  // An execution after a redrive does not work on what is done.
  expect(shown([part('a', 4 * second)], [turn(9 * second)], 1)).toEqual(['a: ']);
});

test('parts that failed, are in work, or took longest come first', () => {
  const parts = partTimelines(
    [part('short', second), part('long', 8 * second), { ...part('bad'), closings: [{ atMs: 9_000, hasFailed: true }] }],
    [turn(0)],
    4,
  );
  const waiting: PartTimeline = { name: 'waiting', status: 'waiting', readyMs: 0, work: [] };
  expect(sortByInterest([waiting, ...parts]).map(({ name }) => name)).toEqual(['bad', 'long', 'short', 'waiting']);
});
