import { createUsual } from '../../../../shared/runs/usual';
import { createClients } from '../../support/clients';
import { createBucket } from '../../support/resources';

const clients = createClients();
let usual: ReturnType<typeof createUsual>;
beforeAll(async () => {
  usual = createUsual(clients.s3, await createBucket(clients, 'artifacts'), 'iterable');
});
afterAll(() => clients.destroy());

const compareAll = async (kind: string, values: readonly number[]) => {
  const medians: (number | undefined)[] = [];
  for (const [index, value] of values.entries()) {
    medians.push(await usual.compare({ kind, runId: `run-${index}`, value }));
  }
  return medians;
};

test('a value is compared with the median of the seven runs before it, if there are at least three', async () => {
  expect(await compareAll('pro', [10, 30, 20, 40, 0])).toEqual([undefined, undefined, undefined, 20, 25]);
  expect((await compareAll('free', [900, 800, 1, 2, 3, 4, 5, 6, 7, 0])).slice(-2)).toEqual([4, 4]);
});

test('a repeated measurement of a run counts once, and is not compared with itself', async () => {
  await compareAll('basic', [1, 2, 3]);
  const measured = { kind: 'basic', runId: 'again', value: 100 };
  expect([await usual.compare(measured), await usual.compare(measured)]).toEqual([2, 2]);
});

test('runs that measure at the same time are all kept', async () => {
  const runs = ['a', 'b', 'c'];
  await Promise.all(runs.map((runId, index) => usual.compare({ kind: 'pro2', runId, value: index })));
  expect(await usual.compare({ kind: 'pro2', runId: 'd', value: 9 })).toBe(1);
});
