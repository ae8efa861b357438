import * as fc from 'fast-check';
import { type ByteReservation, createByteBudget } from '../../../../shared/concurrency/byte-budget';

const patienceMs = 1_000;

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The state of a promise, after everything that can run has run. */
const stateOf = async <T>(promise: Promise<T>): Promise<T | 'waiting'> => {
  await jest.advanceTimersByTimeAsync(0);
  return Promise.race([promise, Promise.resolve('waiting' as const)]);
};

const budget = () => createByteBudget({ totalBytes: 100, freeBytes: 10 });

test('what fits is reserved at once, and the rest is refused', () => {
  const { open } = budget();
  const [first, second, third] = [open(), open(), open()];
  expect([first.tryReserve(60), second.tryReserve(41), third.tryReserve(40)]).toEqual([true, false, true]);
  first.release();
  expect(second.tryReserve(41)).toBe(true);
});

test('small reservations are free', () => {
  const { open } = budget();
  expect(open().tryReserve(100)).toBe(true);
  expect(Array.from({ length: 50 }, () => open().tryReserve(10))).not.toContain(false);
});

test('a reservation grows and never shrinks', () => {
  const { open } = budget();
  const [first, second] = [open(), open()];
  expect([first.tryReserve(50), first.tryReserve(20), first.tryReserve(70)]).toEqual([true, true, true]);
  expect([second.tryReserve(31), second.tryReserve(30)]).toEqual([false, true]);
  expect(first.tryReserve(71)).toBe(false);
  second.release();
  expect(first.tryReserve(71)).toBe(true);
});

test('more than the whole budget is granted to the only holder', async () => {
  const { open } = budget();
  const [large, other] = [open(), open()];
  expect(other.tryReserve(20)).toBe(true);
  const waits = large.reserve(1_000, patienceMs);
  expect(await stateOf(waits)).toBe('waiting');
  other.release();
  expect(await stateOf(waits)).toBe(true);
  expect(other.tryReserve(11)).toBe(false);
});

test('waiters are served in sequence, and a small one does not overtake a large one', async () => {
  const { open } = budget();
  const [holder, large, small, late] = [open(), open(), open(), open()];
  holder.tryReserve(60);
  const served: string[] = [];
  const waits = [
    large.reserve(90, patienceMs).then(() => served.push('large')),
    small.reserve(20, patienceMs).then(() => served.push('small')),
  ];
  expect(late.tryReserve(11)).toBe(false);
  holder.release();
  await stateOf(Promise.all(waits));
  expect(served).toEqual(['large']);
  large.release();
  await Promise.all(waits);
  expect(served).toEqual(['large', 'small']);
});

test('a waiter that loses its patience lets the next ones pass', async () => {
  const { open } = budget();
  const [holder, impatient, patient] = [open(), open(), open()];
  holder.tryReserve(60);
  const first = impatient.reserve(90, patienceMs);
  const second = patient.reserve(40, 2 * patienceMs);
  await jest.advanceTimersByTimeAsync(patienceMs);
  expect([await first, await stateOf(second)]).toEqual([false, true]);
});

test('without patience, it does not wait', async () => {
  const { open } = budget();
  open().tryReserve(60);
  expect(await open().reserve(50, 0)).toBe(false);
});

test('a release ends a wait', async () => {
  const { open } = budget();
  open().tryReserve(60);
  const waiting = open();
  const wait = waiting.reserve(50, patienceMs);
  waiting.release();
  expect([await wait, jest.getTimerCount()]).toEqual([false, 0]);
});

test('two holders that both need more do not wait for each other', async () => {
  const { open } = budget();
  const [first, second] = [open(), open()];
  first.tryReserve(50);
  second.tryReserve(50);
  const firstGrown = first.reserve(80, patienceMs);
  const secondGrown = second.reserve(80, patienceMs);
  expect([await stateOf(firstGrown), await stateOf(secondGrown)]).toEqual([true, 'waiting']);
  first.release();
  expect(await secondGrown).toBe(true);
});

test('property: for any sizes and times, the budget holds, and everybody gets a turn', async () => {
  const totalBytes = 100;
  const freeBytes = 10;
  const holder = fc.record({
    startMs: fc.nat(20),
    bytes: fc.nat(300),
    grownBytes: fc.option(fc.nat(300)),
    holdMs: fc.nat(20),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(holder, { minLength: 1, maxLength: 30 }), async (holders) => {
      const { open } = createByteBudget({ totalBytes, freeBytes });
      const inWork = new Map<ByteReservation, number>();
      const hold = async (reservation: ByteReservation, bytes: number, holdMs: number): Promise<void> => {
        if (!reservation.tryReserve(bytes)) {
          inWork.delete(reservation);
          expect(await reservation.reserve(bytes, 100_000)).toBe(true);
        }
        inWork.set(reservation, Math.max(bytes, inWork.get(reservation) ?? 0));
        const counted = [...inWork.values()].filter((one) => one > freeBytes);
        const sum = counted.reduce((total, one) => total + one, 0);
        expect(sum <= totalBytes || counted.length === 1).toBe(true);
        await sleep(holdMs);
      };
      const work = holders.map(async ({ startMs, bytes, grownBytes, holdMs }) => {
        const reservation = open();
        await sleep(startMs);
        await hold(reservation, bytes, holdMs);
        if (grownBytes !== null) await hold(reservation, grownBytes, holdMs);
        inWork.delete(reservation);
        reservation.release();
      });
      const done = Promise.all(work);
      await jest.runAllTimersAsync();
      await done;
      expect(open().tryReserve(10 * totalBytes)).toBe(true);
    }),
    { numRuns: 200 },
  );
});
