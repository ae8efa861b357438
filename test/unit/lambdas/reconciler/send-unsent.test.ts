import { createUnsentSender } from '../../../../lambdas/reconciler/send-unsent';
import { createLogger } from '../../../../shared/observability/logger';
import type { OrderId } from '../../../../shared/orders/order';
import { type OrderOrUnreadable, unreadable } from '../../../../shared/orders/queries';
import { callContext } from '../../../support/call-context';
import { type CapturedLogs, captureLogs } from '../../../support/logs';
import { recordMetrics } from '../../../support/metrics';
import { downloadMessage, orderId, orders, round } from '../../../support/orders';

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());

const startMs = Date.parse('2026-01-01T01:00:00Z');
const messageOf = (order_id: OrderId) => downloadMessage({ order_id });

/** Sends the unsent messages of orders; sending takes a second. */
const sendAll = async (
  table: ReadonlyMap<OrderId, OrderOrUnreadable | undefined>,
  { unreadableItems = 0, endsAtMs = Number.POSITIVE_INFINITY } = {},
) => {
  let nowMs = startMs;
  const sent: string[] = [];
  const closed: string[] = [];
  const metrics = recordMetrics();
  await createUnsentSender({
    unsent: {
      list: async () => ({ messages: [...table.keys()].map(messageOf), unreadable: unreadableItems }),
      close: async ({ order_id }) => void closed.push(order_id),
    },
    downloadQueue: {
      send: async ({ order_id }) => {
        nowMs += 1_000;
        sent.push(order_id);
      },
    },
    orders: {
      readMany: async () => new Map([...table].flatMap(([id, order]) => (order === undefined ? [] : [[id, order]]))),
    },
    pace: async () => undefined,
    logger: createLogger({ STAGE: 'dev', SERVICE_VERSION: '1' }),
    metrics: metrics.recorder,
    now: () => nowMs,
  })({ endsAtMs, ...callContext() });
  return { sent, closed, metrics };
};

test('sends the message of a round that waits for it, and counts the order as reconciled', async () => {
  const { sent, closed, metrics } = await sendAll(new Map([[orderId(), orders.notified()]]));
  expect(sent).toEqual([orderId()]);
  expect(closed).toEqual([orderId()]);
  expect(metrics.values.get('OrderReconciled')).toBe(1);
  expect(logs.lines()).toMatchObject([
    { level: 'WARN', message: 'unsent message sent', order_id: orderId(), age_seconds: 3_601 },
  ]);
});

test.each<[string, OrderOrUnreadable | undefined]>([
  ['an order without an item', undefined],
  ['an item that cannot be read', unreadable],
  ['an item that was read before the round was written', { ...orders.processed(), round: round(0) }],
])('sends the message of %s', async (_, order) => {
  const { sent, closed } = await sendAll(new Map([[orderId(), order]]));
  expect(sent).toEqual([orderId()]);
  expect(closed).toEqual([orderId()]);
});

test.each([
  ['has been downloaded since', orders.downloaded()],
  ['is in a newer round', { ...orders.notified(), round: round(startMs, 'ffffffffffff') }],
])('sends nothing for an order that %s', async (_, order) => {
  const { sent, closed } = await sendAll(new Map([[orderId(), order]]));
  expect(sent).toEqual([]);
  expect(closed).toEqual([orderId()]);
  expect(logs.lines()).toEqual([]);
});

test('leaves the rest for the next invocation when its time is up', async () => {
  const table = new Map(['QO-1', 'QO-2', 'QO-3'].map((id) => [id as OrderId, orders.notified()]));
  const { sent, closed } = await sendAll(table, { endsAtMs: startMs + 2_000 });
  expect(sent).toEqual(['QO-1', 'QO-2']);
  expect(closed).toEqual(['QO-1', 'QO-2']);
});

test('reports items that cannot be read, and sends the others', async () => {
  const { sent } = await sendAll(new Map([[orderId(), orders.notified()]]), { unreadableItems: 2 });
  expect(sent).toEqual([orderId()]);
  expect(logs.lines()[0]).toMatchObject({ level: 'ERROR', message: 'unsent messages cannot be read' });
});
