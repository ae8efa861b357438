import { createRamp } from '../../../../../ops/services/replay/ramp';

/** Starts all orders that can start now. @returns their number */
const startAll = (ramp: ReturnType<typeof createRamp>, nowMs = 0): number => {
  let count = 0;
  while (ramp.startsInMs(nowMs) === 0) {
    ramp.start(nowMs);
    count++;
  }
  return count;
};

const end = (ramp: ReturnType<typeof createRamp>, count: number, isFailure = false): void => {
  for (let ended = 0; ended < count; ended++) ramp.end({ isFailure });
};

/** A rate so high that only the waves limit the starts. */
const unpaced = Number.POSITIVE_INFINITY;

test('waves double, and each waits for the previous one', () => {
  const ramp = createRamp({ total: 10_000, ratePerSecond: unpaced });
  for (const wave of [3, 6]) {
    expect(startAll(ramp)).toBe(wave);
    end(ramp, wave - 1);
    expect(ramp.startsInMs(0)).toBeUndefined();
    end(ramp, 1);
  }
  expect(startAll(ramp)).toBe(12);
});

test('a wave does not wait for the last tenth of the previous one', () => {
  const ramp = createRamp({ total: 10_000, ratePerSecond: unpaced });
  for (const wave of [3, 6, 12]) {
    startAll(ramp);
    end(ramp, wave);
  }
  expect(startAll(ramp)).toBe(24);
  end(ramp, 21);
  expect(ramp.startsInMs(0)).toBeUndefined();
  end(ramp, 1);
  expect(startAll(ramp)).toBe(48);
});

test('a wave never exceeds one minute at the rate', () => {
  const ramp = createRamp({ total: 100_000, ratePerSecond: 1 });
  for (const wave of [3, 6, 12, 24, 48, 60, 60]) {
    let started = 0;
    for (let nowMs = started * 1_000; ramp.startsInMs(nowMs) !== undefined; nowMs += 1_000) {
      started += startAll(ramp, nowMs);
    }
    expect(started).toBe(wave);
    end(ramp, wave);
  }
});

test('orders start no faster than the rate', () => {
  const ramp = createRamp({ total: 100, ratePerSecond: 4 });
  expect(startAll(ramp, 1_000)).toBe(1);
  expect(ramp.startsInMs(1_100)).toBe(150);
  expect(startAll(ramp, 1_250)).toBe(1);
  // Starts do not catch up after a pause.
  expect(startAll(ramp, 60_000)).toBe(1);
});

test.each([
  { failed: 1, succeeded: 2, stops: false },
  { failed: 2, succeeded: 1, stops: true },
  { failed: 2, succeeded: 17, stops: true },
  { failed: 2, succeeded: 18, stops: false },
  { failed: 10, succeeded: 89, stops: true },
  { failed: 10, succeeded: 90, stops: false },
])('$failed of $failed + $succeeded failed: stops is $stops', ({ failed, succeeded, stops }) => {
  const ramp = createRamp({ total: 1_000, ratePerSecond: 10 });
  end(ramp, failed, true);
  end(ramp, succeeded);
  expect(ramp.tooManyFailed()).toBe(stops);
});

test('at most three orders and a tenth of all orders are at risk', () => {
  const ramp = createRamp({ total: 40, ratePerSecond: unpaced });
  end(ramp, startAll(ramp));
  end(ramp, startAll(ramp));
  expect(startAll(ramp)).toBe(7);
  end(ramp, 1, true);
  expect(startAll(ramp)).toBe(0);
  end(ramp, 1);
  expect(startAll(ramp)).toBe(1);
});
