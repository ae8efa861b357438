import { setImmediate as turn } from 'node:timers/promises';
import { mapInOrder } from '../../../../shared/iterable/map-in-order';
import { collect, stream } from './sample';

const bounds = { inFlight: 3, window: 2 };

test('gives the results in order, with never more at a time than allowed', async () => {
  let running = 0;
  let most = 0;
  const work = async (item: number): Promise<number> => {
    running += 1;
    most = Math.max(most, running);
    for (let turns = (item * 7) % 5; turns >= 0; turns -= 1) await turn();
    running -= 1;
    return item * 2;
  };
  const items = Array.from({ length: 50 }, (_, index) => index);
  expect(await collect(mapInOrder(stream(items), bounds, work))).toEqual(items.map((item) => item * 2));
  expect(most).toBe(3);
});

test('reads no further than results may wait', async () => {
  const read: number[] = [];
  const items = (async function* () {
    for (let item = 0; item < 50; item += 1) {
      read.push(item);
      yield item;
    }
  })();
  const first = Promise.withResolvers<void>();
  const results = mapInOrder(items, bounds, async (item) => {
    if (item === 0) await first.promise;
    return item;
  });
  const next = results.next();
  for (let turns = 0; turns < 20; turns += 1) await turn();
  expect(read.length).toBeLessThanOrEqual(bounds.inFlight + bounds.window);
  const readBefore = read.length;
  for (let turns = 0; turns < 20; turns += 1) await turn();
  expect(read).toHaveLength(readBefore);
  first.resolve();
  expect(await next).toEqual({ done: false, value: 0 });
  await results.return(undefined);
});

test('works on while the consumer is busy', async () => {
  const done: number[] = [];
  const results = mapInOrder(stream([1, 2, 3, 4, 5]), { inFlight: 2, window: 9 }, async (item) => void done.push(item));
  await results.next();
  for (let turns = 0; turns < 20; turns += 1) await turn();
  expect(done).toEqual([1, 2, 3, 4, 5]);
  await results.return(undefined);
});

test('the first failure ends it, whatever else is in flight', async () => {
  const never = new Promise<never>(() => undefined);
  const work = (item: number) => (item === 1 ? Promise.reject(new Error('refused')) : never);
  await expect(collect(mapInOrder(stream([0, 1, 2]), bounds, work))).rejects.toThrow('refused');
});

test('a failure of the items ends it', async () => {
  const items = (async function* () {
    yield 1;
    throw new Error('unreadable');
  })();
  await expect(collect(mapInOrder(items, bounds, async (item) => item))).rejects.toThrow('unreadable');
});

test('a consumer that leaves closes the items', async () => {
  let closed = false;
  const items = (async function* () {
    try {
      for (;;) yield 1;
    } finally {
      closed = true;
    }
  })();
  for await (const _ of mapInOrder(items, bounds, async (item) => item)) break;
  expect(closed).toBe(true);
});
