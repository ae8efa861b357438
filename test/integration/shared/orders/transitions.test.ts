import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { ErrorCode } from '../../../../shared/errors';
import { isOpenFor, type TransitionName, transitions } from '../../../../shared/orders/lifecycle';
import type { Failure, Order, OrderId, Round } from '../../../../shared/orders/order';
import { createOrderRepository, type OrderRepository } from '../../../../shared/orders/repository';
import { checksum, orderId, orders, requestId, round } from '../../../support/orders';
import { createClients } from '../../support/clients';
import { createOrdersTable } from '../../support/resources';
import { putOrder, rawItem } from '../../support/stored-orders';

const clients = createClients();
let tableName: string;
let repository: OrderRepository;
beforeAll(async () => {
  tableName = await createOrdersTable(clients);
  repository = createOrderRepository(clients.documents, tableName);
});
afterAll(() => clients.destroy());

const older = round(1_000);
const current = round(2_000);
const newer = round(3_000);
const rounds = { same: current, older, newer };

const payload = {
  downloaded_at: '2026-01-01T00:00:01.000Z',
  s3_key: 'raw/some.json',
  payload_size: 7,
  checksum: checksum(),
};
const failed = (code: ErrorCode, stage: Failure['stage']) => (fields: { order_id: OrderId; round: Round }) => ({
  ...orders.failed(code, fields),
  ...(stage === 'processing' && payload),
  error: { code, stage, message: 'A sentence' },
});

/** An order in each stored state. */
const stored = {
  NOTIFIED: orders.notified,
  DOWNLOADED: orders.downloaded,
  PROCESSED: orders.processed,
  'FAILED by download': failed('ORDER_NOT_FOUND', 'download'),
  'FAILED by processing': failed('API_REFUSED', 'processing'),
  'EXHAUSTED by download': failed('RETRIES_EXHAUSTED', 'download'),
  'EXHAUSTED by processing': failed('RETRIES_EXHAUSTED', 'processing'),
} as const satisfies Record<string, (fields: { order_id: OrderId; round: Round }) => Order>;

const fail = (code: ErrorCode, stage: Failure['stage']) => (id: OrderId, of: Round) =>
  repository.recordFailure(id, of, {
    code,
    stage,
    issueId: '00000000',
    message: 'A sentence',
    receiveCount: 2,
    failedAtMs: 10_000,
  });

/** The write for each transition. */
const writes: Record<TransitionName, (id: OrderId, of: Round) => ReturnType<OrderRepository['recordFailure']>> = {
  download: (id, of) =>
    repository.recordDownload(id, of, {
      s3Key: payload.s3_key,
      checksum: checksum('new'),
      payloadSizeBytes: payload.payload_size,
      receiveCount: 2,
      downloadedAtMs: 10_000,
    }),
  process: (id, of) =>
    repository.recordProcessing(id, of, {
      posted: { bodyHash: checksum('new'), fieldDigests: 'abc' },
      repost: undefined,
      warnings: [],
      receiveCount: 2,
      processedAtMs: 10_000,
    }),
  failDownload: fail('ORDER_NOT_FOUND', 'download'),
  failProcessing: fail('API_REFUSED', 'processing'),
  exhaustDownload: fail('RETRIES_EXHAUSTED', 'download'),
  exhaustProcessing: fail('RETRIES_EXHAUSTED', 'processing'),
};

const names = Object.keys(transitions) as TransitionName[];
const states = Object.keys(stored) as (keyof typeof stored)[];
const ages = Object.keys(rounds) as (keyof typeof rounds)[];
const rows = names.flatMap((name) => states.flatMap((state) => ages.map((age) => ({ name, state, age }))));

describe('the condition in DynamoDB matches the table of transitions', () => {
  test.each(rows)('$name from $state, $age round', async ({ name, state, age }) => {
    const id = orderId(`${name}-${state.replaceAll(' ', '-')}-${age}`);
    const before = stored[state]({ order_id: id, round: current });
    await putOrder(clients, tableName, before);
    const itemBefore = await rawItem(clients, tableName, id);

    const outcome = await writes[name](id, rounds[age]);

    if (age === 'same' && isOpenFor(name, before)) {
      expect(outcome).toEqual({ applied: true });
      expect(JSON.parse(await rawItem(clients, tableName, id))).toMatchObject({
        status: { S: transitions[name].to },
        round: { S: current },
        attempts: { N: '2' },
      });
    } else {
      expect(outcome).toEqual({ applied: false, order: before });
      expect(await rawItem(clients, tableName, id)).toBe(itemBefore);
    }
  });

  test.each(names)('%s of an order that does not exist', async (name) => {
    const id = orderId(`${name}-of-nothing`);
    expect(await writes[name](id, current)).toEqual({ applied: false, order: undefined });
    expect(await repository.read(id)).toBeUndefined();
  });
});

describe('a newer round can start in any state', () => {
  const start = (id: OrderId, of: Round) =>
    repository.startRound({
      orderId: id,
      round: of,
      requestId: requestId('request-2'),
      notificationType: 'order.updated',
      notifiedAtMs: 10_000,
    });
  const newOrder = (id: OrderId, of: Round) => ({
    order_id: id,
    round: of,
    status: 'NOTIFIED',
    request_id: 'request-2',
    notification_type: 'order.updated',
    notified_at: '1970-01-01T00:00:10.000Z',
    previous_status: 'NONE',
  });

  test('without an order', async () => {
    const id = orderId('start-new');
    expect(await start(id, current)).toEqual({ applied: true });
    expect(await repository.read(id)).toEqual(newOrder(id, current));
  });

  test.each(states)('after %s', async (state) => {
    const id = orderId(`start-${state.replaceAll(' ', '-')}`);
    const before = { ...stored[state]({ order_id: id, round: current }), processed_checksum: checksum('last') };
    await putOrder(clients, tableName, before);
    const itemBefore = await rawItem(clients, tableName, id);

    expect(await start(id, older)).toEqual({ applied: false, order: before });
    expect(await start(id, current)).toEqual({ applied: false, order: before });
    expect(await rawItem(clients, tableName, id)).toBe(itemBefore);

    expect(await start(id, newer)).toEqual({ applied: true });
    const item = JSON.parse(await rawItem(clients, tableName, id)) as Record<string, unknown>;
    // Of the previous round, only its status and the posted state remain.
    expect(Object.keys(item).toSorted()).toEqual(
      [...Object.keys(newOrder(id, newer)), 'processed_checksum'].toSorted(),
    );
    expect(await repository.read(id)).toEqual({
      ...newOrder(id, newer),
      previous_status: before.status,
      processed_checksum: checksum('last'),
    });
  });

  test('rounds of the same millisecond differ by their suffixes', async () => {
    const id = orderId('start-tails');
    expect(await start(id, round(2_000, 'aaaaaaaaaaaa'))).toEqual({ applied: true });
    expect(await start(id, round(2_000, '999999999999'))).toMatchObject({ applied: false });
    expect(await start(id, round(2_000, 'bbbbbbbbbbbb'))).toEqual({ applied: true });
  });
});

describe('a repost', () => {
  const close = (id: OrderId, repost: string | undefined) =>
    repository.recordProcessing(id, current, {
      posted: undefined,
      repost,
      warnings: [],
      receiveCount: 1,
      processedAtMs: 10_000,
    });

  test('that is requested after the comparison keeps the round open until the worker has read the request', async () => {
    const id = orderId('repost-seen');
    await putOrder(clients, tableName, orders.downloaded({ order_id: id, round: current }));
    expect(await repository.requestRepost(id, current, older)).toEqual({ applied: true });
    expect(await close(id, undefined)).toMatchObject({
      applied: false,
      order: { status: 'DOWNLOADED', repost: older },
    });
    expect(await close(id, older)).toEqual({ applied: true });
    expect(await repository.read(id)).not.toHaveProperty('repost');
  });

  test('stays pending after a failure and after the start of a new round', async () => {
    const id = orderId('repost-pending');
    await putOrder(clients, tableName, orders.downloaded({ order_id: id, round: older }));
    await repository.requestRepost(id, older, 'token');
    await fail('API_REFUSED', 'processing')(id, older);
    await repository.startRound({
      orderId: id,
      round: current,
      requestId: requestId(),
      notificationType: 'replay',
      notifiedAtMs: 10_000,
    });
    expect(await repository.read(id)).toMatchObject({ repost: 'token', previous_status: 'FAILED' });
  });

  test.each([
    ['PROCESSED', orders.processed],
    ['in another round', (fields: { order_id: OrderId }) => orders.notified({ ...fields, round: newer })],
  ])('is rejected if the order is %s', async (name, order) => {
    const id = orderId(`repost-${name.replaceAll(' ', '-')}`);
    const before = order({ order_id: id, round: current });
    await putOrder(clients, tableName, before);
    expect(await repository.requestRepost(id, current, older)).toEqual({ applied: false, order: before });
  });

  test('can be requested with the start of a round', async () => {
    const id = orderId('repost-forced');
    const start = { orderId: id, requestId: requestId(), notificationType: 'replay', notifiedAtMs: 10_000 };
    await repository.startRound({ ...start, round: current, force: true });
    expect(await repository.read(id)).toMatchObject({ repost: current });
  });
});

test('an item of another release is read if the fields that decide transitions are valid', async () => {
  const id = orderId('another-release');
  const failedOrder = orders.failed('API_REFUSED', { order_id: id, round: current });
  const error = { code: 'A_FUTURE_CODE', message: 'A sentence', stage: 'download' };
  await clients.documents.send(
    new PutCommand({ TableName: tableName, Item: { ...failedOrder, error, future_field: 1 } }),
  );
  expect(await repository.read(id)).toMatchObject({ status: 'FAILED', error });

  const broken = orderId('unreadable');
  await clients.documents.send(
    new PutCommand({ TableName: tableName, Item: { order_id: broken, round: newer, status: 'A_FUTURE_STATUS' } }),
  );
  await expect(repository.read(broken)).rejects.toMatchObject({ code: 'INTERNAL_FAULT', retryable: false });
  const start = { orderId: broken, requestId: requestId(), notificationType: 'order.updated', notifiedAtMs: 10_000 };
  expect(await repository.startRound({ ...start, round: current })).toEqual({
    applied: false,
    order: undefined,
    unreadableRound: newer,
  });
});
