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
const failed = (code: Failure['code'], stage: Failure['stage']) => (fields: { order_id: OrderId; round: Round }) => ({
  ...orders.failed(code, fields),
  ...(stage === 'processing' && payload),
  error: { code, stage, message: 'A sentence' },
});

/** Every state that an order may be stored in. */
const stored = {
  NOTIFIED: orders.notified,
  DOWNLOADED: orders.downloaded,
  PROCESSED: orders.processed,
  'FAILED by download': failed('ORDER_NOT_FOUND', 'download'),
  'FAILED by processing': failed('API_REFUSED', 'processing'),
  'EXHAUSTED by download': failed('RETRIES_EXHAUSTED', 'download'),
  'EXHAUSTED by processing': failed('RETRIES_EXHAUSTED', 'processing'),
} as const satisfies Record<string, (fields: { order_id: OrderId; round: Round }) => Order>;

const fail = (code: Failure['code'], stage: Failure['stage']) => (id: OrderId, of: Round) =>
  repository.recordFailure(id, of, { code, stage, message: 'A sentence', attempts: 2, failedAtMs: 10_000 });

/** Every transition, as the write that makes it. */
const writes: Record<TransitionName, (id: OrderId, of: Round) => ReturnType<OrderRepository['recordFailure']>> = {
  download: (id, of) =>
    repository.recordDownload(id, of, {
      s3Key: payload.s3_key,
      checksum: checksum('new'),
      payloadSizeBytes: payload.payload_size,
      attempts: 2,
      downloadedAtMs: 10_000,
    }),
  process: (id, of) =>
    repository.recordProcessing(id, of, {
      checksum: checksum('new'),
      warnings: [],
      attempts: 2,
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

describe('the condition in DynamoDB agrees with the table of transitions', () => {
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

  test.each(names)('%s of an order that is not there', async (name) => {
    const id = orderId(`${name}-of-nothing`);
    expect(await writes[name](id, current)).toEqual({ applied: false, order: undefined });
    expect(await repository.read(id)).toBeUndefined();
  });
});

describe('a round begins in any state, if it is newer', () => {
  const start = (id: OrderId, of: Round) =>
    repository.startRound({
      orderId: id,
      round: of,
      requestId: requestId('request-2'),
      notificationType: 'order.updated',
      notifiedAtMs: 10_000,
    });
  const begun = (id: OrderId, of: Round) => ({
    order_id: id,
    round: of,
    status: 'NOTIFIED',
    request_id: 'request-2',
    notification_type: 'order.updated',
    notified_at: '1970-01-01T00:00:10.000Z',
  });

  test('from nothing', async () => {
    const id = orderId('start-nothing');
    expect(await start(id, current)).toEqual({ applied: true });
    expect(await repository.read(id)).toEqual(begun(id, current));
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
    // Of the round before, only the checksum of what the internal API has is left.
    expect(Object.keys(item).toSorted()).toEqual([...Object.keys(begun(id, newer)), 'processed_checksum'].toSorted());
    expect(await repository.read(id)).toEqual({ ...begun(id, newer), processed_checksum: checksum('last') });
  });

  test('rounds of the same millisecond are told apart by their tails', async () => {
    const id = orderId('start-tails');
    expect(await start(id, round(2_000, 'aaaaaaaaaaaa'))).toEqual({ applied: true });
    expect(await start(id, round(2_000, '999999999999'))).toMatchObject({ applied: false });
    expect(await start(id, round(2_000, 'bbbbbbbbbbbb'))).toEqual({ applied: true });
  });
});
