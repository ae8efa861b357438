import { setImmediate as tick } from 'node:timers/promises';
import { mapInOrderFailFast } from '../../../../shared/concurrency/fail-fast';
import { collect, stream } from '../iterable/sample';

const bounds = { inFlight: 3, window: 2 };

test('yields the results in order, within the concurrency limit', async () => {
  let running = 0;
  let most = 0;
  const work = async (item: number): Promise<number> => {
    running += 1;
    most = Math.max(most, running);
    for (let ticks = (item * 7) % 5; ticks >= 0; ticks -= 1) await tick();
    running -= 1;
    return item * 2;
  };
  const items = Array.from({ length: 50 }, (_, index) => index);
  expect(await collect(mapInOrderFailFast(stream(items), bounds, work))).toEqual(items.map((item) => item * 2));
  expect(most).toBe(3);
});

test('reads no further ahead than the window allows', async () => {
  const read: number[] = [];
  const items = (async function* () {
    for (let item = 0; item < 50; item += 1) {
      read.push(item);
      yield item;
    }
  })();
  const first = Promise.withResolvers<void>();
  const results = mapInOrderFailFast(items, bounds, async (item) => {
    if (item === 0) await first.promise;
    return item;
  });
  const next = results.next();
  for (let ticks = 0; ticks < 20; ticks += 1) await tick();
  expect(read.length).toBeLessThanOrEqual(bounds.inFlight + bounds.window);
  const readBefore = read.length;
  for (let ticks = 0; ticks < 20; ticks += 1) await tick();
  expect(read).toHaveLength(readBefore);
  first.resolve();
  expect(await next).toEqual({ done: false, value: 0 });
  await results.return(undefined);
});

test('continues to work while the consumer is busy', async () => {
  const done: number[] = [];
  const results = mapInOrderFailFast(
    stream([1, 2, 3, 4, 5]),
    { inFlight: 2, window: 9 },
    async (item) => void done.push(item),
  );
  await results.next();
  for (let ticks = 0; ticks < 20; ticks += 1) await tick();
  expect(done).toEqual([1, 2, 3, 4, 5]);
  await results.return(undefined);
});

test('the first failure ends the stream without waiting for work in flight', async () => {
  const never = new Promise<never>(() => undefined);
  const work = (item: number) => (item === 1 ? Promise.reject(new Error('refused')) : never);
  await expect(collect(mapInOrderFailFast(stream([0, 1, 2]), bounds, work))).rejects.toThrow('refused');
});

test('a failure of the items ends the stream', async () => {
  const items = (async function* () {
    yield 1;
    throw new Error('unreadable');
  })();
  await expect(collect(mapInOrderFailFast(items, bounds, async (item) => item))).rejects.toThrow('unreadable');
});

test('a consumer that stops early closes the items', async () => {
  let closed = false;
  const items = (async function* () {
    try {
      for (;;) yield 1;
    } finally {
      closed = true;
    }
  })();
  for await (const _ of mapInOrderFailFast(items, bounds, async (item) => item)) break;
  expect(closed).toBe(true);
});
