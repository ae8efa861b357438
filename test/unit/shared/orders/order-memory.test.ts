import { createWorkerMemory, largeOrderBytes, MemoryWaitError } from '../../../../shared/orders/order-memory';

const mebibyte = 1_024 * 1_024;
const nowMs = 1_000;
const deadlineMs = nowMs + 57_000;

const open = (collectGarbage?: () => void) => {
  const memory = createWorkerMemory(512, collectGarbage);
  return () => memory.open('qualia', deadlineMs, () => nowMs);
};

test('the largest order fits into the budget of a worker', () => {
  expect(largeOrderBytes(512)).toBeGreaterThanOrEqual(4 * mebibyte);
  expect(largeOrderBytes(1_024)).toBeGreaterThan(2 * largeOrderBytes(512));
  expect(largeOrderBytes(128)).toBe(0);
});

test('with the least memory, one large order is admitted at a time', () => {
  const memory = createWorkerMemory(128);
  const [first, second] = [0, 1].map(() => memory.open('internal', deadlineMs, () => nowMs));
  expect([first?.tryReserve(4 * mebibyte), second?.tryReserve(33 * 1_024)]).toEqual([true, false]);
  first?.release();
  expect(second?.tryReserve(33 * 1_024)).toBe(true);
});

test('garbage is collected before each order of 128 KiB or more, and before no other', () => {
  let collections = 0;
  const next = open(() => {
    collections += 1;
  });
  expect([next().tryReserve(5_000), next().tryReserve(128 * 1_024 - 1), collections]).toEqual([true, true, 0]);
  expect([next().tryReserve(128 * 1_024), collections]).toEqual([true, 1]);
  expect([next().tryReserve(4 * mebibyte), collections]).toEqual([false, 1]);
});

describe('an order that waits', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  test('gives up while there is time for others, with an error that says nothing about it', async () => {
    const next = open();
    next().tryReserve(4 * mebibyte);
    const waiting = next()
      .reserve(4 * mebibyte)
      .catch((error: unknown) => error);
    let isOver = false;
    void waiting.then(() => {
      isOver = true;
    });
    await jest.advanceTimersByTimeAsync(41_999);
    expect(isOver).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    expect(isOver).toBe(true);
    const error = await waiting;
    expect(error).toBeInstanceOf(MemoryWaitError);
    expect(error).toMatchObject({ code: 'TIMEOUT', api: 'qualia', retryable: true });
  });
});
