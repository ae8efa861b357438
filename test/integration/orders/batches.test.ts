import { qualiaOrder } from '../../support/qualia-orders';
import { type Interceptor, recordCalls } from '../support/interceptor';
import { type Pipeline, startPipeline } from '../support/pipeline';

let pipeline: Pipeline;
beforeEach(async () => {
  pipeline = await startPipeline();
});
afterEach(() => pipeline.stop());

const addOrders = async (...ids: readonly string[]) => {
  await pipeline.qualia.add(...ids.map((id) => ({ ...qualiaOrder(), _id: id, order_number: `MKT-${id}` })));
  for (const id of ids) await pipeline.startRound(id);
};
const statuses = async (...ids: readonly string[]) =>
  Promise.all(ids.map(async (id) => (await pipeline.orderOf(id)).status));

test('a failed message does not affect the other messages of its batch', async () => {
  await addOrders('good-1', 'temporary', 'permanent', 'good-2');
  await pipeline.send('download', '{"order_id":"an incomplete message"}');
  await pipeline.send('download', 'not even JSON');
  await pipeline.qualia.setFaults(
    { kind: 'server_error', match: { order_id: 'temporary' }, times: 3 },
    { kind: 'null_order', match: { order_id: 'permanent' } },
  );
  expect(await pipeline.deliver('download')).toHaveLength(6);
  expect(await statuses('good-1', 'temporary', 'permanent', 'good-2')).toEqual([
    'DOWNLOADED',
    'NOTIFIED',
    'FAILED',
    'DOWNLOADED',
  ]);
});

test('the messages of a batch are sent to processing in one call', async () => {
  const ids = Array.from({ length: 10 }, (_, index) => `order-${index}`);
  await addOrders(...ids);
  const { calls, interceptor } = recordCalls();
  expect(await pipeline.deliver('download', { interceptor })).toHaveLength(10);
  expect(calls.filter((call) => call.startsWith('SendMessage'))).toEqual(['SendMessageBatch']);
  await pipeline.drain();
  expect(await statuses(...ids)).toEqual(ids.map(() => 'PROCESSED'));
});

describe('SQS does not confirm every message of a call', () => {
  /** Changes the first response to `SendMessageBatch`: message 1 is not among the confirmed messages that `change` gets. */
  const changing = (change: (kept: readonly { readonly Id?: string }[]) => object): Interceptor => {
    let isFirst = true;
    return async (call, make) => {
      const result = await make();
      if (call !== 'SendMessageBatch' || !isFirst) return result;
      isFirst = false;
      const { output } = result as { output: { Successful?: { readonly Id?: string }[] } };
      const kept = (output.Successful ?? []).filter(({ Id }) => Id !== '1');
      return Object.assign(result as object, { output: { ...output, ...change(kept) } }) as typeof result;
    };
  };

  test.each<[string, Interceptor]>([
    ['refused', changing((Successful) => ({ Successful, Failed: [{ Id: '1', SenderFault: false, Code: 'X' }] }))],
    ['not mentioned', changing((Successful) => ({ Successful }))],
  ])('a message is %s: only its order is sent again, and each order is posted once', async (_, interceptor) => {
    const ids = ['order-1', 'order-2', 'order-3'];
    await addOrders(...ids);
    const messages = await pipeline.receive('download', 10);
    const result = await pipeline.handle('download', messages, { interceptor });
    expect(result).toEqual({ batchItemFailures: [{ itemIdentifier: expect.any(String) }] });
    expect(await statuses(...ids)).toEqual(['DOWNLOADED', 'DOWNLOADED', 'DOWNLOADED']);
    await pipeline.drain();
    expect(await statuses(...ids)).toEqual(['PROCESSED', 'PROCESSED', 'PROCESSED']);
    for (const id of ids) expect(await pipeline.internalApi.effectsOf(id)).toBe(1);
  });
});

test('a message in an unknown format becomes a dead letter', async () => {
  await pipeline.send('processing', 'not even JSON');
  for (let receives = 1; receives <= 5; receives++) {
    const messages = await pipeline.deliver('processing');
    expect(messages).toHaveLength(1);
    await pipeline.release('processing', messages);
  }
  expect(await pipeline.deliver('processing')).toEqual([]);
  expect((await pipeline.deadLetters('processing')).map(({ Body }) => Body)).toEqual(['not even JSON']);
});

test('while an API is down, messages return to the queue without using up their receives', async () => {
  const ids = Array.from({ length: 6 }, (_, index) => `order-${index}`);
  await addOrders(...ids);
  await pipeline.qualia.setFaults({ kind: 'server_error' });
  const environment = pipeline.lambdas.download();

  await pipeline.deliver('download', { environment });
  expect(pipeline.metrics.added).toContain('CircuitOpen');
  const callsBefore = await pipeline.qualia.calls();
  for (let deliveries = 0; deliveries < 10; deliveries++) await pipeline.deliver('download', { environment });
  expect(await pipeline.qualia.calls()).toBe(callsBefore);
  await environment.close();

  const waiting = await pipeline.receive('download', 10);
  expect(waiting).toHaveLength(ids.length);
  for (const { Attributes } of waiting) expect(Number(Attributes?.ApproximateReceiveCount)).toBeLessThanOrEqual(2);
  await pipeline.release('download', waiting);
  expect(await pipeline.deadLetters('download')).toEqual([]);

  await pipeline.qualia.setFaults();
  await pipeline.drain();
  expect(await statuses(...ids)).toEqual(ids.map(() => 'PROCESSED'));
});
