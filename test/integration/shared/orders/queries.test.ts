import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { failedOrdersIndex } from '../../../../shared/orders/failed-orders-index';
import type { OrderId } from '../../../../shared/orders/order';
import { createOrderQueries, type OrderQueries, unreadable } from '../../../../shared/orders/queries';
import { orderId, orders } from '../../../support/orders';
import { createClients } from '../../support/clients';
import { createOrdersTable } from '../../support/resources';
import { putOrder } from '../../support/stored-orders';

const clients = createClients();
let tableName: string;
let queries: OrderQueries;
beforeAll(async () => {
  tableName = await createOrdersTable(clients);
  queries = createOrderQueries(clients.documents, tableName);
});
afterAll(() => clients.destroy());

const put = (item: Readonly<Record<string, unknown>>) =>
  clients.documents.send(new PutCommand({ TableName: tableName, Item: item }));

/** An item that a newer release wrote before it was rolled back. */
const unknownStatus = { ...orders.notified(), status: 'POSTPONED' };

test('readMany reads more orders than fit one call, and leaves out those that do not exist', async () => {
  const ids = Array.from({ length: 130 }, (_, index) => orderId(`many-${index}`));
  for (const id of ids.slice(0, 120)) await putOrder(clients, tableName, orders.notified({ order_id: id }));
  const found = await queries.readMany(ids);
  expect([...found.keys()].sort()).toEqual(ids.slice(0, 120).sort());
});

test('readMany reports an unreadable item and reads the others', async () => {
  const [good, bad] = [orderId('readable'), orderId('not-readable')];
  await putOrder(clients, tableName, orders.processed({ order_id: good }));
  await put({ ...unknownStatus, order_id: bad });
  const found = await queries.readMany([bad, good]);
  expect(found.get(bad)).toBe(unreadable);
  expect(found.get(good)).toMatchObject({ status: 'PROCESSED' });
});

test('scanInFlight reads the whole table by pages, and returns orders in NOTIFIED and DOWNLOADED, also unreadable ones', async () => {
  const inFlight = ['scan-notified', 'scan-downloaded', 'scan-unreadable'];
  await putOrder(clients, tableName, orders.notified({ order_id: orderId('scan-notified') }));
  await putOrder(clients, tableName, orders.downloaded({ order_id: orderId('scan-downloaded') }));
  await putOrder(clients, tableName, orders.processed({ order_id: orderId('scan-processed') }));
  await put({ order_id: 'scan-unreadable', status: 'NOTIFIED' });
  // More than the megabyte of one page.
  for (let index = 0; index < 4; index++)
    await put({ order_id: `scan-large-${index}`, status: 'FAILED', filler: 'x'.repeat(390_000) });

  const found = new Map<string, unknown>();
  let pages = 0;
  let after: OrderId | undefined;
  do {
    const page = await queries.scanInFlight(after);
    for (const [id, order] of page.orders) if (id.startsWith('scan-')) found.set(id, order);
    after = page.next;
    pages += 1;
  } while (after !== undefined);
  expect(pages).toBeGreaterThan(1);
  expect([...found.keys()].sort()).toEqual([...inFlight].sort());
  expect(found.get('scan-unreadable')).toBe(unreadable);
  expect(found.get('scan-downloaded')).toMatchObject({ status: 'DOWNLOADED' });
});

test('listFailed reports an unreadable item and lists the others', async () => {
  const failedShard = { failed_shard: failedOrdersIndex.shards[0], failed_at: '2026-01-01T00:00:02.000Z' };
  await putOrder(clients, tableName, orders.failed('API_REFUSED', { order_id: orderId('failed') }));
  await put({ ...unknownStatus, ...failedShard, order_id: 'failed-unreadable' });
  const found = new Map<string, unknown>();
  for await (const { orderId: id, order } of queries.listFailed(new Date(0))) found.set(id, order);
  expect(found).toEqual(
    new Map<string, unknown>([
      ['failed', expect.objectContaining({ status: 'FAILED' })],
      ['failed-unreadable', unreadable],
    ]),
  );
});
