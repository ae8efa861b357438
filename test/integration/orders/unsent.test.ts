import { qualiaOrder } from '../../support/qualia-orders';
import { notification } from '../../support/webhook-calls';
import { type Crash, type Interceptor, recordCalls } from '../support/interceptor';
import { type Pipeline, startPipeline } from '../support/pipeline';

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
});
afterAll(() => pipeline.stop());

const hourMs = 3_600_000;

const sqsIsDown: Interceptor = (call, make) =>
  call === 'SendMessage' ? Promise.reject(new Error('SQS is not available')) : make();

let orders = 0;
/** A closed order, which no list names, with a webhook that could not send its message. */
const createUnsent = async () => {
  const id = `QO-${++orders}`;
  await pipeline.qualia.add({ ...qualiaOrder(), _id: id, order_number: `MKT-${id}`, status: 'Completed' });
  const body = notification({ order_id: id, timestamp: new Date(pipeline.advance(hourMs)).toISOString() });
  const { interceptor, calls } = recordCalls();
  const failing: Interceptor = (call, make) => interceptor(call, () => sqsIsDown(call, make));
  expect(await pipeline.post(body, { interceptor: failing })).toMatchObject({ statusCode: 500 });
  expect(calls.filter((call) => call !== 'GetSecretValue')).toEqual(['UpdateItem', 'SendMessage', 'UpdateItem']);
  return { id, body };
};

const expectProcessedOnce = async (id: string) => {
  await pipeline.drain();
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED', notification_type: 'order.created' });
  expect(await pipeline.internalApi.effectsOf(id)).toBe(1);
};

test('the reconciler sends the message of a webhook whose sender gave up', async () => {
  const { id } = await createUnsent();
  await pipeline.drain();
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'NOTIFIED' });
  expect(await pipeline.reconcile()).toMatchObject({ outcome: 'complete', known: 0 });
  await expectProcessedOnce(id);
});

test("after the sender's retry, the reconciler sends nothing", async () => {
  const { id, body } = await createUnsent();
  expect(await pipeline.post(body)).toMatchObject({ statusCode: 200 });
  await expectProcessedOnce(id);
  const { interceptor, calls } = recordCalls();
  await pipeline.reconcile({ interceptor });
  expect(calls).not.toContain('SendMessage');
});

test('a message that could not be sent again is kept again', async () => {
  const { id, body } = await createUnsent();
  await pipeline.reconcile();
  await pipeline.purge('download');
  expect(await pipeline.post(body, { interceptor: sqsIsDown })).toMatchObject({ statusCode: 500 });
  await pipeline.reconcile();
  await expectProcessedOnce(id);
});

test('while SQS is down, the reconciler fails and keeps the message', async () => {
  const { id } = await createUnsent();
  await expect(pipeline.reconcile({ interceptor: sqsIsDown })).rejects.toThrow('Unexpected fault');
  await pipeline.reconcile();
  await expectProcessedOnce(id);
});

const crashes = ['Query', 'BatchGetItem', 'SendMessage', 'UpdateItem'].flatMap((call): Crash[] => [
  { call, when: 'before' },
  { call, when: 'after' },
]);

test.each(crashes.map((crash) => [`${crash.when} ${crash.call}`, crash] as const))(
  'the reconciler crashes %s: the next one completes the work',
  async (_, crash) => {
    const { id } = await createUnsent();
    expect(await pipeline.reconcile({ crash })).toBe('crashed');
    await pipeline.reconcile();
    await expectProcessedOnce(id);
  },
);
