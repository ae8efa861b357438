import { createHash } from 'node:crypto';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import {
  activity,
  changeAtQualia,
  closedOrder,
  internalOrder,
  notification,
  orderAtQualia,
  post,
  postSigned,
  s3,
  setQualiaFaults,
} from './support/pipeline';
import { target } from './support/target';

afterEach(() => setQualiaFaults([]));

test.each([
  ['a notification with HTTP Basic', notification, post],
  ['a notification with a signature', notification, postSigned],
  ['an activity with HTTP Basic', activity, post],
  ['an activity with a signature', activity, postSigned],
])('%s becomes an order at the internal API', async (_, bodyOf, send) => {
  const order = await orderAtQualia();
  const response = await send(bodyOf(order._id));
  expect(response).toMatchObject({ status: 200, body: { order_id: order._id, status: 'queued' } });

  const closed = await closedOrder(order._id);
  expect(closed).toMatchObject({ status: 'PROCESSED', request_id: response.body.request_id, attempts: 1 });
  expect(await internalOrder(order._id)).toMatchObject({
    posts: [{ outcome: 'taken', request_id: response.body.request_id, round: closed.round }],
    body: { qualiaOrderId: order._id, externalOrderId: order.order_number, source: 'QUALIA_MARKETPLACE' },
  });
});

test('the raw payload is stored in S3 byte for byte', async () => {
  const order = await orderAtQualia();
  await post(activity(order._id));
  const closed = await closedOrder(order._id);
  const { Body } = await s3.send(
    new GetObjectCommand({ Bucket: target().outputs.RawBucketName, Key: String(closed.s3_key) }),
  );
  const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
  expect(closed.s3_key).toBe(`raw/${order._id}/${closed.round}.json`);
  expect(closed.checksum).toBe(createHash('sha256').update(bytes).digest('hex'));
  expect(closed.payload_size).toBe(bytes.byteLength);
  expect(JSON.parse(Buffer.from(bytes).toString())).toMatchObject({
    data: { order: { order: { _id: order._id, order_number: order.order_number } } },
  });
});

test('a repeated notification is a duplicate, an older one is stale, and a newer one starts a new round', async () => {
  const order = await orderAtQualia();
  const at = new Date(Date.now() - 60_000);
  await post(notification(order._id, at));
  const first = await closedOrder(order._id);

  expect((await post(notification(order._id, at))).body.status).toBe('duplicate');
  expect((await post(notification(order._id, new Date(at.getTime() - 1)))).body.status).toBe('stale');

  await changeAtQualia(order._id, { purpose: 'Refinance, revised' });
  expect((await post(notification(order._id))).body.status).toBe('queued');
  expect(await closedOrder(order._id, first.round)).toMatchObject({ status: 'PROCESSED' });
  expect(await internalOrder(order._id)).toMatchObject({
    posts: [{ outcome: 'taken' }, { outcome: 'taken' }],
    body: { purpose: 'Refinance, revised' },
  });
});

test('an unchanged order is closed without a second post', async () => {
  const order = await orderAtQualia();
  await post(activity(order._id));
  const first = await closedOrder(order._id);
  await post(activity(order._id));
  expect(await closedOrder(order._id, first.round)).toMatchObject({ status: 'PROCESSED' });
  expect(await internalOrder(order._id)).toMatchObject({ posts: [{ outcome: 'taken' }] });
});

test('an order in an unknown state fails, and is processed after its correction', async () => {
  const order = await orderAtQualia({ properties: [{ address_1: '1 Main St', city: 'Nowhere', state: 'ZZ' }] });
  await post(activity(order._id));
  const failed = await closedOrder(order._id);
  expect(failed).toMatchObject({ status: 'FAILED', error: { code: 'UNKNOWN_STATE', stage: 'processing' } });
  expect(failed.failed_shard).toBeDefined();
  expect(await internalOrder(order._id)).toBeUndefined();

  await changeAtQualia(order._id, { properties: [{ address_1: '1 Main St', city: 'Reno', state: 'nevada' }] });
  await post(activity(order._id));
  const processed = await closedOrder(order._id, failed.round);
  expect(processed).toMatchObject({ status: 'PROCESSED' });
  expect(processed.failed_shard).toBeUndefined();
  expect(await internalOrder(order._id)).toMatchObject({
    body: { state: { stateCode: 'NV', stateName: 'Nevada' } },
  });
});

test('an order that does not exist in Qualia fails permanently', async () => {
  const orderId = `QO-missing-${Date.now()}`;
  await post(notification(orderId));
  expect(await closedOrder(orderId)).toMatchObject({
    status: 'FAILED',
    error: { code: 'ORDER_NOT_FOUND', stage: 'download' },
  });
});

test.each([
  ['a 503', { kind: 'server_error' }],
  ['a 429 with Retry-After', { kind: 'rate_limited', retry_after: 1 }],
  ['a hang-up', { kind: 'hang_up' }],
  ['a response that is not JSON', { kind: 'garbage' }],
  ['a temporary GraphQL error', { kind: 'graphql_error' }],
])('the order is processed after %s at Qualia', async (_, fault) => {
  const order = await orderAtQualia();
  await setQualiaFaults([{ ...fault, times: 1, match: { order_id: order._id } }]);
  await post(activity(order._id));
  expect(await closedOrder(order._id)).toMatchObject({ status: 'PROCESSED' });
});
