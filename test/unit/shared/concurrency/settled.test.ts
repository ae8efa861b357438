import { setTimeout as sleep } from 'node:timers/promises';
import { mapInOrderSettled } from '../../../../shared/concurrency/settled';

test('yields the results in order, within the concurrency limit', async () => {
  let running = 0;
  let most = 0;
  const results: number[] = [];
  const work = async (item: number) => {
    most = Math.max(most, ++running);
    await sleep((item * 7) % 5);
    running--;
    return item;
  };
  const items = Array.from({ length: 25 }, (_, index) => index);
  for await (const result of mapInOrderSettled(items, 4, work)) results.push(result);
  expect(results).toEqual(items);
  expect(most).toBe(4);
});

test('throws after the results before the failure, and leaves nothing running', async () => {
  let ended = 0;
  const results: number[] = [];
  const work = async (item: number) => {
    await sleep(item === 1 ? 0 : 10);
    ended++;
    if (item === 1) throw new Error('no');
    return item;
  };
  const collect = async () => {
    for await (const result of mapInOrderSettled([0, 1, 2, 3, 4], 3, work)) results.push(result);
  };
  await expect(collect()).rejects.toThrow('no');
  expect(results).toEqual([0]);
  expect(ended).toBe(4);
});
