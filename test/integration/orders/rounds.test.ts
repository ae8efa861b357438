import { qualiaOrder } from '../../support/qualia-orders';
import { activity, notification } from '../../support/webhook-calls';
import { runBefore } from '../support/interceptor';
import { type Pipeline, startPipeline } from '../support/pipeline';

const id = 'QO-1';
let pipeline: Pipeline;
beforeEach(async () => {
  pipeline = await startPipeline();
  await pipeline.qualia.add({ ...qualiaOrder(), _id: id, order_number: 'MKT-1', purpose: 'first' });
});
afterEach(() => pipeline.stop());

/** The notification of an event at 12:mm. */
const at = (minute: number) =>
  notification({ order_id: id, timestamp: `2026-01-05T12:${String(minute).padStart(2, '0')}:00.000Z` });
const effects = () => pipeline.internalApi.effectsOf(id);

test('a notification becomes an order at the internal API', async () => {
  const response = await pipeline.post(at(0));
  expect(response).toMatchObject({ statusCode: 200, status: 'queued' });
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'NOTIFIED' });

  expect(await pipeline.deliver('download')).toHaveLength(1);
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'DOWNLOADED', attempts: 1 });

  expect(await pipeline.deliver('processing')).toHaveLength(1);
  const order = await pipeline.orderOf(id);
  expect(order).toMatchObject({ status: 'PROCESSED', attempts: 1 });
  if (order.status !== 'PROCESSED') return;
  expect(order).toMatchObject({ posted_round: order.round, processed_checksum: expect.any(String) });
  expect(await pipeline.payloads.load(order.s3_key)).toHaveLength(order.payload_size);

  const { posts, body } = await pipeline.internalApi.postsOf(id);
  expect(posts).toEqual([
    expect.objectContaining({
      outcome: 'taken',
      round: order.round,
      idempotency_key: expect.stringMatching(/^QO-1:[0-9a-f]{32}$/),
      request_id: response === 'crashed' ? '' : response.request_id,
    }),
  ]);
  expect(body).toMatchObject({ qualiaOrderId: id, externalOrderId: 'MKT-1', purpose: 'first' });
});

test('an activity becomes an order at the internal API', async () => {
  expect(await pipeline.post(activity({ order_id: id }))).toMatchObject({ statusCode: 200, status: 'queued' });
  await pipeline.drain();
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
  expect(await effects()).toBe(1);
});

test('a repeated notification and an older one change nothing', async () => {
  for (let minute = 0; minute < 5; minute++) pipeline.advance(60_000);
  await pipeline.post(at(5));
  await pipeline.drain();
  const item = await pipeline.rawItem(id);
  expect(await pipeline.post(at(5))).toMatchObject({ statusCode: 200, status: 'duplicate' });
  expect(await pipeline.post(at(4))).toMatchObject({ statusCode: 200, status: 'stale' });
  await pipeline.drain();
  expect(await pipeline.rawItem(id)).toBe(item);
  expect(await effects()).toBe(1);
});

test('a notification that is sent twice before its download is processed once', async () => {
  await pipeline.post(at(0));
  expect(await pipeline.post(at(0))).toMatchObject({ status: 'duplicate' });
  await pipeline.drain();
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
  expect(await effects()).toBe(1);
});

test('an order that did not change is closed without a second post', async () => {
  await pipeline.post(at(0));
  await pipeline.drain();
  await pipeline.post(at(1));
  await pipeline.drain();
  expect(await pipeline.orderOf(id)).toMatchObject({
    status: 'PROCESSED',
    round: expect.stringMatching(/^001767614460000/),
  });
  expect(await effects()).toBe(1);
  expect(pipeline.metrics.added).toContain('OrderUnchanged');
});

test('an order that changed is posted again', async () => {
  await pipeline.post(at(0));
  await pipeline.drain();
  await pipeline.qualia.change(id, { purpose: 'second' });
  await pipeline.post(at(1));
  await pipeline.drain();
  const { posts, body } = await pipeline.internalApi.postsOf(id);
  expect(posts.map(({ outcome }) => outcome)).toEqual(['taken', 'taken']);
  expect(body.purpose).toBe('second');
});

describe('Qualia changes an order and changes it back', () => {
  test.each([
    ['A→B→A', ['second', 'first']],
    ['A→B→A→B', ['second', 'first', 'second']],
  ])('%s: the internal API follows', async (_, purposes) => {
    await pipeline.post(at(0));
    await pipeline.drain();
    for (const [index, purpose] of purposes.entries()) {
      await pipeline.qualia.change(id, { purpose });
      await pipeline.post(at(index + 1));
      await pipeline.drain();
    }
    const { posts, body } = await pipeline.internalApi.postsOf(id);
    expect(body.purpose).toBe(purposes.at(-1));
    expect(posts).toHaveLength(purposes.length + 1);
  });

  test('the response to the POST of the change is lost: the earlier body is posted again', async () => {
    await pipeline.post(at(0));
    await pipeline.drain();
    await pipeline.qualia.change(id, { purpose: 'second' });
    await pipeline.post(at(1));
    await pipeline.deliver('download');
    await pipeline.internalApi.setFaults({ kind: 'lost_answer', match: { order_id: id } });
    await pipeline.deliver('processing');
    await pipeline.internalApi.setFaults();

    await pipeline.qualia.change(id, { purpose: 'first' });
    await pipeline.post(at(2));
    await pipeline.drain();
    expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
    expect((await pipeline.internalApi.postsOf(id)).body.purpose).toBe('first');
  });
});

test('after a POST that arrives after a newer one, the newest payload is posted again', async () => {
  await pipeline.post(at(0));
  await pipeline.deliver('download');
  const overtake = async () => {
    await pipeline.qualia.change(id, { purpose: 'second' });
    await pipeline.post(at(1));
    await pipeline.deliver('download');
    await pipeline.deliver('processing');
    expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
  };
  await pipeline.deliver('processing', { interceptor: runBefore('postOrder', overtake) });
  expect((await pipeline.internalApi.postsOf(id)).body.purpose).toBe('first');
  await pipeline.drain();
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
  expect((await pipeline.internalApi.postsOf(id)).body.purpose).toBe('second');
});

describe('a newer round starts', () => {
  const startNewerRound = async () => {
    await pipeline.qualia.change(id, { purpose: 'second' });
    await pipeline.post(at(1));
  };
  const expectOnlySecond = async () => {
    await pipeline.drain();
    expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
    const { posts, body } = await pipeline.internalApi.postsOf(id);
    expect(posts).toHaveLength(1);
    expect(body.purpose).toBe('second');
  };

  beforeEach(() => pipeline.post(at(0)));

  test('before the download', async () => {
    await startNewerRound();
    await expectOnlySecond();
  });

  test('during the download of the older one', async () => {
    await pipeline.deliver('download', { interceptor: runBefore('PutObject', startNewerRound) });
    expect(await pipeline.receive('processing', 10)).toEqual([]);
    await expectOnlySecond();
  });

  test('between download and processing', async () => {
    await pipeline.deliver('download');
    await startNewerRound();
    await expectOnlySecond();
  });

  test('just before the POST of the older one', async () => {
    await pipeline.deliver('download');
    await pipeline.deliver('processing', { interceptor: runBefore('GetItem', startNewerRound) });
    expect((await pipeline.internalApi.postsOf(id)).posts).toEqual([]);
    await expectOnlySecond();
  });

  test('too late to stop the POST: both are posted, the newer one last', async () => {
    await pipeline.deliver('download');
    await pipeline.deliver('processing', { interceptor: runBefore('postOrder', startNewerRound) });
    expect(await pipeline.orderOf(id)).toMatchObject({ status: 'NOTIFIED' });
    await pipeline.drain();
    const { posts, body } = await pipeline.internalApi.postsOf(id);
    expect(posts.map(({ outcome }) => outcome)).toEqual(['taken', 'taken']);
    expect(posts.map(({ round }) => round)).toEqual(posts.map(({ round }) => round).toSorted());
    expect(body.purpose).toBe('second');
  });

  test('too late to stop the POST of an unchanged order: both are posted, because the state at the API is unknown', async () => {
    await pipeline.deliver('download');
    await pipeline.deliver('processing', { interceptor: runBefore('postOrder', () => pipeline.post(at(1))) });
    await pipeline.drain();
    expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
    const { posts } = await pipeline.internalApi.postsOf(id);
    expect(posts.map(({ outcome }) => outcome)).toEqual(['taken', 'taken']);
  });
});

test('messages that are delivered again after the order is PROCESSED change nothing', async () => {
  await pipeline.post(at(0));
  const [download] = await pipeline.deliver('download');
  const [processing] = await pipeline.deliver('processing');
  const item = await pipeline.rawItem(id);
  await pipeline.send('download', download?.Body ?? '');
  await pipeline.send('processing', processing?.Body ?? '');
  await pipeline.drain();
  expect(await pipeline.rawItem(id)).toBe(item);
  expect(await effects()).toBe(1);
});

test('late messages of an older round change nothing, even if the order has changed at Qualia since', async () => {
  await pipeline.post(at(0));
  const [download] = await pipeline.deliver('download');
  const [processing] = await pipeline.deliver('processing');
  await pipeline.qualia.change(id, { purpose: 'second' });
  await pipeline.post(at(1));
  await pipeline.drain();
  const item = await pipeline.rawItem(id);
  await pipeline.qualia.change(id, { purpose: 'third' });
  await pipeline.send('processing', processing?.Body ?? '');
  await pipeline.send('download', download?.Body ?? '');
  await pipeline.drain();
  expect(await pipeline.rawItem(id)).toBe(item);
  expect((await pipeline.internalApi.postsOf(id)).body.purpose).toBe('second');
});

test('a message that is delivered twice at the same time has one effect', async () => {
  await pipeline.post(at(0));
  const [download] = await pipeline.receive('download', 1);
  await pipeline.send('download', download?.Body ?? '');
  await pipeline.release('download', download ? [download] : []);
  expect(await pipeline.deliver('download')).toHaveLength(2);
  expect(await pipeline.deliver('processing')).toHaveLength(2);
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
  expect(await effects()).toBe(1);
});

test('simultaneous activities leave one newest round and cause one POST', async () => {
  await Promise.all(Array.from({ length: 8 }, () => pipeline.post(activity({ order_id: id }))));
  await pipeline.drain();
  expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
  expect(await effects()).toBe(1);
});
