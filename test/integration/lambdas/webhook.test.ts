import { qualiaOrder } from '../../support/qualia-orders';
import { activity, notification } from '../../support/webhook-calls';
import type { Outside } from '../support/outside';
import { type Pipeline, startPipeline } from '../support/pipeline';

const id = 'QO-1';
let pipeline: Pipeline;
beforeEach(async () => {
  pipeline = await startPipeline();
  await pipeline.qualia.add({ ...qualiaOrder(), _id: id, order_number: 'MKT-1' });
});
afterEach(() => pipeline.stop());

const unavailable =
  (failing: string): Outside =>
  (call, make) =>
    call === failing ? Promise.reject(new Error(`${call} is not available`)) : make();

const shapes = {
  notification: { body: notification({ order_id: id }), again: 'duplicate' },
  activity: { body: activity({ order_id: id }), again: 'queued' },
} as const;

describe.each(Object.entries(shapes))('%s', (_shape, { body, again }) => {
  test('a failed enqueue answers 500, and the retry of the sender makes it good', async () => {
    expect(await pipeline.post(body, { outside: unavailable('SendMessage') })).toMatchObject({ statusCode: 500 });
    expect(await pipeline.orderOf(id)).toMatchObject({ status: 'NOTIFIED' });
    expect(await pipeline.receive('download', 10)).toEqual([]);

    expect(await pipeline.post(body)).toMatchObject({ statusCode: 200, status: again });
    await pipeline.drain();
    expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
    expect(await pipeline.internalApi.effectsOf(id)).toBe(1);
  });

  test('a failed write answers 500 and leaves nothing behind', async () => {
    expect(await pipeline.post(body, { outside: unavailable('UpdateItem') })).toMatchObject({ statusCode: 500 });
    await expect(pipeline.orderOf(id)).rejects.toThrow('There is no order');
    expect(await pipeline.receive('download', 10)).toEqual([]);
  });

  test('without its secret every caller is rejected', async () => {
    expect(await pipeline.post(body, { outside: unavailable('GetSecretValue') })).toMatchObject({ statusCode: 500 });
    await expect(pipeline.orderOf(id)).rejects.toThrow('There is no order');
  });
});

test('a call that is refused leaves nothing behind', async () => {
  expect(await pipeline.post({ ...notification({ order_id: id }), timestamp: 'now' })).toMatchObject({
    statusCode: 422,
  });
  expect(await pipeline.post('{')).toMatchObject({ statusCode: 400 });
  await expect(pipeline.orderOf(id)).rejects.toThrow('There is no order');
  expect(await pipeline.receive('download', 10)).toEqual([]);
});
