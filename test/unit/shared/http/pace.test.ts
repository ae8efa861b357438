import fc from 'fast-check';
import { createPace, type PaceOptions } from '../../../../shared/http/pace';

/** A clock that only `sleep` advances, by the requested time and the delay of a busy machine. */
const clockWith = (lateByMs: (sleepIndex: number) => number) => {
  let nowMs = 0;
  let sleeps = 0;
  return {
    now: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms + lateByMs(sleeps++);
    },
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
};

/** Takes slots, all requested at once. @returns the times of the slots */
const slotTimesOf = async (
  { count, ...options }: Pick<PaceOptions, 'callsPerSecond' | 'utilization' | 'catchUpUtilization'> & { count: number },
  clock: ReturnType<typeof clockWith>,
): Promise<number[]> => {
  const pace = createPace({ ...options, ...clock });
  return Promise.all(Array.from({ length: count }, () => pace().then(clock.now)));
};

/** The shortest time in which one call more than the limit was made. */
const tightestMs = (slots: readonly number[], limit: number): number =>
  Math.min(...slots.slice(limit).map((slotMs, index) => slotMs - (slots[index] ?? Number.NaN)));

const ratioOf = (slots: readonly number[], callsPerSecond: number): number =>
  ((slots.length - 1) * 1_000) / ((slots.at(-1) ?? 0) - (slots[0] ?? 0)) / callsPerSecond;

test.each([
  [8, 0.962, 0.955],
  [5, 0.985, 0.98],
  [500, 0.985, 0.98],
])(
  '%s calls per second: close to the limit, never above it, evenly spaced',
  async (callsPerSecond, utilization, least) => {
    const slots = await slotTimesOf(
      { callsPerSecond, utilization, count: callsPerSecond * 20 },
      clockWith((index) => index % 2),
    );
    expect(ratioOf(slots, callsPerSecond)).toBeGreaterThanOrEqual(least);
    expect(tightestMs(slots, callsPerSecond)).toBeGreaterThanOrEqual(1_000 / utilization);
    const gaps = slots.slice(1).map((slotMs, index) => slotMs - (slots[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(2 * (1_000 / callsPerSecond) + 3);
  },
);

test('property: with timers of any lateness, no second exceeds the limit', async () => {
  const lateness = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400 })), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(lateness, fc.integer({ min: 1, max: 20 }), async (lateByMs, callsPerSecond) => {
      const clock = clockWith((index) => lateByMs[index % lateByMs.length] ?? 0);
      const slots = await slotTimesOf({ callsPerSecond, utilization: 0.962, count: callsPerSecond * 4 }, clock);
      expect(tightestMs(slots, callsPerSecond)).toBeGreaterThanOrEqual(1_000 / 0.962 - 1e-6);
    }),
  );
});

test('property: with timers of any lateness, no second exceeds the limit while calls catch up', async () => {
  const lateness = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400 })), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(lateness, fc.integer({ min: 1, max: 20 }), async (lateByMs, callsPerSecond) => {
      const clock = clockWith((index) => lateByMs[index % lateByMs.length] ?? 0);
      const options = { callsPerSecond, utilization: 0.95, catchUpUtilization: 0.99, count: callsPerSecond * 4 };
      const slots = await slotTimesOf(options, clock);
      expect(tightestMs(slots, callsPerSecond)).toBeGreaterThanOrEqual(1_000 / 0.99 - 1e-6);
    }),
  );
});

test.each([
  ['5 ms every second', (index: number) => (index % 500 === 7 ? 5 : 0)],
  ['90 ms every ten seconds', (index: number) => (index % 5_000 === 700 ? 90 : 0)],
])('calls catch up after the process had no CPU: %s', async (_lost, lateByMs) => {
  const options = { callsPerSecond: 500, utilization: 0.985, catchUpUtilization: 0.99, count: 30_000 };
  const slots = await slotTimesOf(options, clockWith(lateByMs));
  expect(ratioOf(slots, 500)).toBeGreaterThanOrEqual(0.984);
  expect(tightestMs(slots, 500)).toBeGreaterThanOrEqual(1_000 / 0.99 - 1e-6);
});

test('an occasional late timer hardly reduces the rate', async () => {
  const lateByMs = (index: number) => (index % 17 === 5 ? 60 : 1);
  const slots = await slotTimesOf({ callsPerSecond: 8, utilization: 0.962, count: 400 }, clockWith(lateByMs));
  expect(ratioOf(slots, 8)).toBeGreaterThanOrEqual(0.95);
});

test('a pause is not followed by a burst', async () => {
  const clock = clockWith(() => 0);
  const pace = createPace({ callsPerSecond: 8, utilization: 0.962, ...clock });
  await pace();
  clock.pass(60_000);
  const slots = await Promise.all([pace().then(clock.now), pace().then(clock.now), pace().then(clock.now)]);
  expect(Math.min(slots[1] - slots[0], slots[2] - slots[1])).toBeGreaterThan(90);
});

test('the first slot comes after one interval', async () => {
  const [first] = await slotTimesOf(
    { callsPerSecond: 8, utilization: 0.962, count: 1 },
    clockWith(() => 0),
  );
  expect(first).toBeGreaterThanOrEqual(129);
});

test('an aborted signal rejects all waiting calls with its reason', async () => {
  const ended = new AbortController();
  const pace = createPace({ callsPerSecond: 100, utilization: 0.962, signal: ended.signal });
  await pace();
  const waiting = Promise.allSettled([pace(), pace()]);
  const reason = new Error('The portal refused our login');
  ended.abort(reason);
  expect(await waiting).toEqual([
    { status: 'rejected', reason },
    { status: 'rejected', reason },
  ]);
  await expect(pace()).rejects.toBe(reason);
});
