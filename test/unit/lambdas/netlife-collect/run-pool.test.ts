import { setImmediate as tick } from 'node:timers/promises';
import { runPool } from '../../../../lambdas/netlife-collect/run-pool';

const items = [0, 1, 2, 3, 4, 5];

test('processes all items in order, within the concurrency limit', async () => {
  const started: number[] = [];
  let running = 0;
  let maxRunning = 0;
  await runPool(
    items,
    2,
    () => false,
    async (item) => {
      started.push(item);
      maxRunning = Math.max(maxRunning, ++running);
      await tick();
      running -= 1;
    },
  );
  expect(started).toEqual(items);
  expect(maxRunning).toBe(2);
});

test('after a failure, starts no further item, waits for those in progress, and throws the first failure', async () => {
  const ended: number[] = [];
  const work = async (item: number) => {
    if (item === 1) throw new Error('first');
    await tick();
    ended.push(item);
    if (item === 0) throw new Error('second');
  };
  await expect(runPool(items, 3, () => false, work)).rejects.toThrow('first');
  expect(ended).toEqual([0, 2]);
});

test('once the time is up, starts no further item', async () => {
  const started: number[] = [];
  await runPool(
    items,
    1,
    () => started.length === 2,
    async (item) => void started.push(item),
  );
  expect(started).toEqual([0, 1]);
});
