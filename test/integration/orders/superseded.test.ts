import type { Message } from '@aws-sdk/client-sqs';
import { downloadMessageSchema } from '../../../shared/orders/message';
import { sendGraceMs } from '../../../shared/orders/resend-newest';
import { qualiaOrder } from '../../support/qualia-orders';
import { activity } from '../../support/webhook-calls';
import type { Interceptor } from '../support/interceptor';
import { type Pipeline, startPipeline } from '../support/pipeline';

const id = 'QO-1';
let pipeline: Pipeline;
beforeEach(async () => {
  pipeline = await startPipeline();
  await pipeline.qualia.add({ ...qualiaOrder(), _id: id, order_number: 'MKT-1', purpose: 'first' });
});
afterEach(() => pipeline.stop());

const failSend: Interceptor = (call, make) =>
  call === 'SendMessage' ? Promise.reject(new Error('No response')) : make();

/** Changes the order at Qualia. The webhook writes its round, cannot send its message, and is not repeated. */
const changeWithoutMessage = async (purpose: string): Promise<void> => {
  await pipeline.qualia.change(id, { purpose });
  expect(await pipeline.post(activity({ order_id: id }), { interceptor: failSend })).toMatchObject({ statusCode: 500 });
};

const expectNewest = async (purpose: string): Promise<void> => {
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
  expect((await pipeline.internalApi.postsOf(id)).body.purpose).toBe(purpose);
};

test.each([
  ['downloaded', async () => undefined],
  [
    'processed',
    async () => {
      await pipeline.deliver('download');
    },
  ],
])('a round without a message begins while another is about to be %s: it is processed', async (_, deliver) => {
  await pipeline.post(activity({ order_id: id }));
  await deliver();
  await changeWithoutMessage('second');
  pipeline.advance(sendGraceMs);
  await pipeline.drain();
  await expectNewest('second');
});

test.each(['download', 'processing'] as const)(
  'the worker %s crashes or cannot send the message: its own message is delivered again',
  async (worker) => {
    await pipeline.post(activity({ order_id: id }));
    if (worker === 'processing') await pipeline.deliver('download');
    await changeWithoutMessage('second');
    pipeline.advance(sendGraceMs);
    await pipeline.deliver(worker, { crash: { call: 'SendMessage', when: 'before' } });
    await pipeline.deliver(worker, { interceptor: failSend });
    expect(await pipeline.orderOf(id)).toMatchObject({ status: 'NOTIFIED' });
    await pipeline.drain();
    await expectNewest('second');
  },
);

test('each message of a backlog causes at most one more, which calls Qualia only if it is needed', async () => {
  let webhooks = 0;
  const notifyAndWait = async (): Promise<void> => {
    await pipeline.post(activity({ order_id: id }));
    webhooks += 1;
    pipeline.advance(sendGraceMs);
  };
  for (let waiting = 0; waiting < 20; waiting++) await notifyAndWait();
  const marks: boolean[] = [];
  let batch: readonly Message[] = [];
  do {
    // The newest round is superseded again and again while its message waits.
    if (webhooks < 24) await notifyAndWait();
    batch = await pipeline.deliver('download', { max: 5 });
    marks.push(...batch.map(({ Body = '' }) => downloadMessageSchema.parse(JSON.parse(Body)).resent === true));
  } while (batch.length > 0);
  const resent = marks.filter((isResent) => isResent).length;
  expect(marks.length - resent).toBe(webhooks);
  expect(resent).toBeGreaterThan(0);
  expect(resent).toBeLessThan(webhooks);
  expect(await pipeline.qualia.calls()).toBeLessThanOrEqual(webhooks + 1);
  await pipeline.drain();
  await expectNewest('first');
});
