import { stripVTControlCharacters } from 'node:util';
import type { SentOrder } from '../../../../local/simulators/qualia-webhook';
import { followOrder } from '../../../../local/start/journey';
import type { OrderState } from '../../../../local/start/orders-table';
import { startScriptedServer } from '../../../support/scripted-server';

const at = (ms: number) => new Date(Date.UTC(2026, 0, 5) + ms).toISOString();
const sentOrder = (webhook: SentOrder['webhook']): SentOrder => ({
  order_id: 'QO-1',
  notification: { order_id: 'QO-1', notification_type: 'order.created', timestamp: at(0) },
  webhook,
});
const accepted = sentOrder({ status: 200, body: { status: 'queued' } });
const notified: OrderState = { order_id: 'QO-1', status: 'NOTIFIED', notified_at: at(310) };
const downloaded: OrderState = { ...notified, status: 'DOWNLOADED', downloaded_at: at(1_250), payload_size: 1_297 };

/** Follows an order that a table reports in these states, one after the other. */
const follow = async (
  sent: SentOrder,
  states: readonly OrderState[],
  internalApi?: { readonly controlUrl: string },
) => {
  const left = [...states];
  const table = { read: async () => left.splice(0, 1), close: () => undefined };
  const lines: string[] = [];
  const wasProcessed = await followOrder({ internalApi }, table, sent, (line) =>
    // In CI, the lines are coloured.
    lines.push(stripVTControlCharacters(line)),
  );
  expect(left).toEqual([]);
  return { wasProcessed, lines };
};

const posted = [
  '  0.00 s  Qualia      posts to the webhook:',
  '          {"order_id":"QO-1","notification_type":"order.created",',
  '          "timestamp":"2026-01-05T00:00:00.000Z"}',
].join('\n');

test('shows each step once, with its time, and the beginning of what was posted', async () => {
  const internalApi = await startScriptedServer();
  const body = {
    externalOrderId: 'MKT-1',
    ...Object.fromEntries([1, 2, 3, 4].map((nth) => [`field${nth}`, 'x'.repeat(50)])),
  };
  internalApi.respond({ body: { body } });
  const processed = { ...downloaded, status: 'PROCESSED', processed_at: at(12_000) };
  const states = [notified, notified, downloaded, processed];
  const { wasProcessed, lines } = await follow(accepted, states, { controlUrl: internalApi.origin });
  expect(wasProcessed).toBe(true);
  const field = (nth: number) => `          "field${nth}":"${'x'.repeat(50)}",`;
  expect(lines).toEqual([
    posted,
    '  0.31 s  NOTIFIED    the webhook has stored and queued it',
    '  1.25 s  DOWNLOADED  1,297 bytes from Qualia, stored in S3',
    ' 12.00 s  PROCESSED   posted to the internal API',
    ['          {"externalOrderId":"MKT-1",', field(1), field(2), field(3), '          … 275 bytes in total'].join(
      '\n',
    ),
  ]);
  expect(internalApi.calls.map(({ path }) => path)).toEqual(['/orders/QO-1']);
  await internalApi.stop();
});

test('shows why an order failed', async () => {
  const failed = { ...notified, status: 'FAILED', failed_at: at(2_000), error: { code: 'ORDER_NOT_FOUND' } };
  expect(await follow(accepted, [failed])).toEqual({
    wasProcessed: false,
    lines: [
      posted,
      '  0.31 s  NOTIFIED    the webhook has stored and queued it',
      '  2.00 s  FAILED      ORDER_NOT_FOUND',
    ],
  });
});

test('ends when the webhook refuses the order', async () => {
  expect(await follow(sentOrder({ status: 401, body: { error: 'unauthorized' } }), [])).toEqual({
    wasProcessed: false,
    lines: [posted, '          It responds 401: {"error":"unauthorized"}'],
  });
});
