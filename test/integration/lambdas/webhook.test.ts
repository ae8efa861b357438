import { qualiaOrder } from '../../support/qualia-orders';
import { activity, notification } from '../../support/webhook-calls';
import type { Interceptor } from '../support/interceptor';
import { type Pipeline, startPipeline } from '../support/pipeline';

const id = 'QO-1';
let pipeline: Pipeline;
beforeEach(async () => {
  pipeline = await startPipeline();
  await pipeline.qualia.add({ ...qualiaOrder(), _id: id, order_number: 'MKT-1' });
});
afterEach(() => pipeline.stop());

const unavailable =
  (failingCall: string): Interceptor =>
  (call, make) =>
    call === failingCall ? Promise.reject(new Error(`${call} is not available`)) : make();

const shapes = {
  notification: { body: notification({ order_id: id }), statusOfRetry: 'duplicate' },
  activity: { body: activity({ order_id: id }), statusOfRetry: 'queued' },
} as const;

describe.each(Object.entries(shapes))('%s', (_shape, { body, statusOfRetry }) => {
  test("if the message cannot be sent, the response is 500, and the sender's retry completes the round", async () => {
    expect(await pipeline.post(body, { interceptor: unavailable('SendMessage') })).toMatchObject({ statusCode: 500 });
    expect(await pipeline.orderOf(id)).toMatchObject({ status: 'NOTIFIED' });
    expect(await pipeline.receive('download', 10)).toEqual([]);

    expect(await pipeline.post(body)).toMatchObject({ statusCode: 200, status: statusOfRetry });
    await pipeline.drain();
    expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
    expect(await pipeline.internalApi.effectsOf(id)).toBe(1);
  });

  test('if the item cannot be written, the response is 500, and nothing is written or sent', async () => {
    expect(await pipeline.post(body, { interceptor: unavailable('UpdateItem') })).toMatchObject({ statusCode: 500 });
    await expect(pipeline.orderOf(id)).rejects.toThrow('There is no order');
    expect(await pipeline.receive('download', 10)).toEqual([]);
  });

  test('if the secret cannot be read, the response is 500', async () => {
    expect(await pipeline.post(body, { interceptor: unavailable('GetSecretValue') })).toMatchObject({
      statusCode: 500,
    });
    await expect(pipeline.orderOf(id)).rejects.toThrow('There is no order');
  });
});

test('a refused call writes and sends nothing', async () => {
  expect(await pipeline.post({ ...notification({ order_id: id }), timestamp: 'now' })).toMatchObject({
    statusCode: 422,
  });
  expect(await pipeline.post('{')).toMatchObject({ statusCode: 400 });
  await expect(pipeline.orderOf(id)).rejects.toThrow('There is no order');
  expect(await pipeline.receive('download', 10)).toEqual([]);
});
