import { qualiaOrder } from '../../support/qualia-orders';
import { type Pipeline, startPipeline } from '../support/pipeline';

let pipeline: Pipeline;
beforeEach(async () => {
  pipeline = await startPipeline();
});
afterEach(() => pipeline.stop());

const addOrders = async (...ids: readonly string[]) => {
  await pipeline.qualia.add(...ids.map((id) => ({ ...qualiaOrder(), _id: id, order_number: `MKT-${id}` })));
  for (const id of ids) await pipeline.touch(id);
};
const statuses = async (...ids: readonly string[]) =>
  Promise.all(ids.map(async (id) => (await pipeline.orderOf(id)).status));

test('a record that fails never touches its neighbours', async () => {
  await addOrders('good-1', 'passing', 'permanent', 'good-2');
  await pipeline.send('download', '{"order_id":"not one of ours"}');
  await pipeline.send('download', 'not even JSON');
  await pipeline.qualia.setFaults(
    { kind: 'server_error', match: { order_id: 'passing' }, times: 3 },
    { kind: 'null_order', match: { order_id: 'permanent' } },
  );
  expect(await pipeline.deliver('download')).toHaveLength(6);
  expect(await statuses('good-1', 'passing', 'permanent', 'good-2')).toEqual([
    'DOWNLOADED',
    'NOTIFIED',
    'FAILED',
    'DOWNLOADED',
  ]);
});

test('a message that is not one of ours ends as a dead letter', async () => {
  await pipeline.send('processing', 'not even JSON');
  for (let receives = 1; receives <= 5; receives++) {
    const messages = await pipeline.deliver('processing');
    expect(messages).toHaveLength(1);
    await pipeline.release('processing', messages);
  }
  expect(await pipeline.deliver('processing')).toEqual([]);
  expect((await pipeline.deadLetters('processing')).map(({ Body }) => Body)).toEqual(['not even JSON']);
});

test('while an API is down, messages go back without burning their receives', async () => {
  const ids = Array.from({ length: 6 }, (_, index) => `order-${index}`);
  await addOrders(...ids);
  await pipeline.qualia.setFaults({ kind: 'server_error' });
  const warm = pipeline.lambdas.download();

  await pipeline.deliver('download', { worker: warm });
  expect(pipeline.metrics.added).toContain('CircuitOpen');
  const callsBefore = await pipeline.qualia.calls();
  for (let deliveries = 0; deliveries < 10; deliveries++) await pipeline.deliver('download', { worker: warm });
  expect(await pipeline.qualia.calls()).toBe(callsBefore);
  await warm.close();

  const waiting = await pipeline.receive('download', 10);
  expect(waiting).toHaveLength(ids.length);
  for (const { Attributes } of waiting) expect(Number(Attributes?.ApproximateReceiveCount)).toBeLessThanOrEqual(2);
  await pipeline.release('download', waiting);
  expect(await pipeline.deadLetters('download')).toEqual([]);

  await pipeline.qualia.setFaults();
  await pipeline.drain();
  expect(await statuses(...ids)).toEqual(ids.map(() => 'PROCESSED'));
});
