import { mapOrder } from '../../../shared/internal-api/mapping';
import { qualiaOrder } from '../../support/qualia-orders';
import { activity } from '../../support/webhook-calls';
import { justBefore, type Outside } from '../support/outside';
import { type Pipeline, startPipeline } from '../support/pipeline';

const id = 'QO-1';
let pipeline: Pipeline;
beforeEach(async () => {
  pipeline = await startPipeline({ maxReceiveCount: 2 });
  await pipeline.qualia.add({ ...qualiaOrder(), _id: id, order_number: 'MKT-1', purpose: 'first' });
});
afterEach(() => pipeline.stop());

/** Qualia's order changes, and the new version is downloaded. */
const changeTo = async (purpose: string): Promise<void> => {
  await pipeline.qualia.change(id, { purpose });
  await pipeline.post(activity({ order_id: id }));
  await pipeline.deliver('download');
};
const held = async () => (await pipeline.internalApi.postsOf(id)).body.purpose;
const failing =
  (name: string): Outside =>
  (call, make) =>
    call === name ? Promise.reject(new Error('No response')) : make();
const both =
  (outer: Outside, inner: Outside): Outside =>
  (call, make) =>
    outer(call, () => inner(call, make));

/** A delivery that stops before its POST until `go` is called. */
const heldBack = async () => {
  const messages = await pipeline.receive('processing', 1);
  const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
  const { promise: gone, resolve: go } = Promise.withResolvers<void>();
  const wait = () => {
    reach();
    return gone;
  };
  const ended = pipeline.handle('processing', messages, { outside: justBefore('postOrder', wait) });
  await reached;
  const land = () => {
    go();
    return ended;
  };
  return { body: messages[0]?.Body ?? '', land };
};

test('two POSTs of one older round land one after the other: the newest payload follows each', async () => {
  await changeTo('first');
  const one = await heldBack();
  await pipeline.send('processing', one.body);
  // A release lies between the two deliveries: their bodies differ.
  pipeline.changeMapping((source) => {
    const mapping = mapOrder(source);
    return mapping.kind === 'mapped'
      ? { ...mapping, order: { ...mapping.order, productName: 'of a new release' } }
      : mapping;
  });
  const two = await heldBack();
  await changeTo('second');
  const landings = [one.land, two.land];
  const outside: Outside = async (call, make) => {
    if (call === 'UpdateItem') await landings.shift()?.();
    return make();
  };
  await pipeline.deliver('processing', { outside });
  expect(landings).toEqual([]);
  await pipeline.drain();
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
  expect(await held()).toBe('second');
});

test('a further round whose message could not be sent is sent by the delivery that began it', async () => {
  await changeTo('first');
  const overtake = async () => {
    await changeTo('second');
    await pipeline.deliver('processing');
  };
  const outside = both(justBefore('postOrder', overtake), failing('SendMessage'));
  await pipeline.deliver('processing', { outside });
  expect(await held()).toBe('first');
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'DOWNLOADED' });
  await pipeline.drain();
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
  expect(await held()).toBe('second');
});

test('a worker is killed at its last receive, and its POST lands after a newer one: a redrive repairs the order', async () => {
  await changeTo('first');
  await pipeline.deliver('processing', { death: { call: 'GetObject', when: 'before' } });
  const overtake = async () => {
    await changeTo('second');
    await pipeline.deliver('processing');
  };
  const death = { call: 'postOrder', when: 'after' } as const;
  await pipeline.deliver('processing', { death, outside: justBefore('postOrder', overtake) });
  await pipeline.drain();
  expect(await held()).toBe('first');
  expect(await pipeline.deadLetters('processing')).toHaveLength(1);
  await pipeline.redrive('processing');
  await pipeline.drain();
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
  expect(await held()).toBe('second');
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
