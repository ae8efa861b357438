import { mapOrder } from '../../../shared/internal-api/mapping';
import { qualiaOrder } from '../../support/qualia-orders';
import { activity } from '../../support/webhook-calls';
import { type Interceptor, runBefore } from '../support/interceptor';
import { type Pipeline, startPipeline } from '../support/pipeline';

const id = 'QO-1';
let pipeline: Pipeline;
beforeEach(async () => {
  pipeline = await startPipeline({ maxReceiveCount: 2 });
  await pipeline.qualia.add({ ...qualiaOrder(), _id: id, order_number: 'MKT-1', purpose: 'first' });
});
afterEach(() => pipeline.stop());

/** Changes the order at Qualia, and downloads the new version. */
const changeTo = async (purpose: string): Promise<void> => {
  await pipeline.qualia.change(id, { purpose });
  await pipeline.post(activity({ order_id: id }));
  await pipeline.deliver('download');
};
const postedPurpose = async () => (await pipeline.internalApi.postsOf(id)).body.purpose;
const failAt =
  (name: string): Interceptor =>
  (call, make) =>
    call === name ? Promise.reject(new Error('No response')) : make();
const combine =
  (outer: Interceptor, inner: Interceptor): Interceptor =>
  (call, make) =>
    outer(call, () => inner(call, make));

/** Starts a delivery that stops before its POST. @returns its message, and `finish`, which makes the POST */
const startDelayedDelivery = async () => {
  const messages = await pipeline.receive('processing', 1);
  const { promise: reachedPost, resolve: signalPost } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const wait = () => {
    signalPost();
    return released;
  };
  const ended = pipeline.handle('processing', messages, { interceptor: runBefore('postOrder', wait) });
  await reachedPost;
  const finish = () => {
    release();
    return ended;
  };
  return { body: messages[0]?.Body ?? '', finish };
};

test('two POSTs of an older round arrive one after the other: the newest payload is posted again after each', async () => {
  await changeTo('first');
  const one = await startDelayedDelivery();
  await pipeline.send('processing', one.body);
  // A release between the two deliveries changes the mapping, so their bodies differ.
  pipeline.changeMapping((source) => {
    const mapping = mapOrder(source);
    return mapping.kind === 'mapped'
      ? { ...mapping, order: { ...mapping.order, productName: 'of a new release' } }
      : mapping;
  });
  const two = await startDelayedDelivery();
  await changeTo('second');
  const delayedPosts = [one.finish, two.finish];
  const interceptor: Interceptor = async (call, make) => {
    if (call === 'UpdateItem') await delayedPosts.shift()?.();
    return make();
  };
  await pipeline.deliver('processing', { interceptor });
  expect(delayedPosts).toEqual([]);
  await pipeline.drain();
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
  expect(await postedPurpose()).toBe('second');
});

test('if the message of the repeated round cannot be sent, the next receive of the overtaken message sends it', async () => {
  await changeTo('first');
  const overtake = async () => {
    await changeTo('second');
    await pipeline.deliver('processing');
  };
  const interceptor = combine(runBefore('postOrder', overtake), failAt('SendMessage'));
  await pipeline.deliver('processing', { interceptor });
  expect(await postedPurpose()).toBe('first');
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'DOWNLOADED' });
  await pipeline.drain();
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
  expect(await postedPurpose()).toBe('second');
});

test('a worker crashes at the last receive after its POST arrived after a newer one: a redrive posts the newest state', async () => {
  await changeTo('first');
  await pipeline.deliver('processing', { crash: { call: 'GetObject', when: 'before' } });
  const overtake = async () => {
    await changeTo('second');
    await pipeline.deliver('processing');
  };
  const crash = { call: 'postOrder', when: 'after' } as const;
  await pipeline.deliver('processing', { crash, interceptor: runBefore('postOrder', overtake) });
  await pipeline.drain();
  expect(await postedPurpose()).toBe('first');
  expect(await pipeline.deadLetters('processing')).toHaveLength(1);
  await pipeline.redrive('processing');
  await pipeline.drain();
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
  expect(await postedPurpose()).toBe('second');
});

test('a redrive of a POST that took effect is not reported as a conflict, and takes effect once', async () => {
  await changeTo('first');
  await pipeline.drain();
  await changeTo('second');
  await pipeline.internalApi.setFaults({ kind: 'lost_answer' });
  await pipeline.drain();
  expect(await pipeline.deadLetters('processing')).toHaveLength(1);
  await pipeline.internalApi.setFaults();
  await pipeline.redrive('processing');
  await pipeline.drain();
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
  expect(pipeline.metrics.added).not.toContain('IdempotencyConflict');
  expect(await pipeline.internalApi.effectsOf(id)).toBe(2);
});
