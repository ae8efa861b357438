import type { DownloadMessage } from '../../../../shared/orders/message';
import type { Order } from '../../../../shared/orders/order';
import { createResendNewest, sendGraceMs } from '../../../../shared/orders/resend-newest';
import { downloadMessage, orderId, orders, requestId, round } from '../../../support/orders';

const newer = round(1_767_225_600_001);
const older = round(1_767_225_599_999);
const notifiedAtMs = Date.parse('2026-01-01T00:00:00Z');

/** Handles a message that an order rejected. */
const resend = async (
  order: Order | undefined,
  { ageMs = sendGraceMs, message = downloadMessage() }: { ageMs?: number; message?: DownloadMessage } = {},
) => {
  const sent: DownloadMessage[] = [];
  const resendNewest = createResendNewest({
    downloadQueue: {
      send: async (one) => {
        sent.push(one);
      },
    },
    now: () => notifiedAtMs + ageMs,
  });
  return { result: await resendNewest(message, { applied: false, order }), sent };
};

test('the message of a newer round that is NOTIFIED is sent again', async () => {
  expect(await resend(orders.notified({ round: newer, request_id: requestId('request-2') }))).toEqual({
    result: newer,
    sent: [{ order_id: orderId(), round: newer, request_id: 'request-2', resent: true }],
  });
});

test.each(['replay', 'reconciliation'])('the message of a %s says who started its round', async (type) => {
  const { sent } = await resend(orders.notified({ round: newer, notification_type: type }));
  expect(sent).toEqual([expect.objectContaining({ started_by: type })]);
});

test.each<[string, Order | undefined]>([
  ['is gone', undefined],
  ['is DOWNLOADED', orders.downloaded({ round: newer })],
  ['is PROCESSED', orders.processed({ round: newer })],
  ['is FAILED', orders.failed('API_REFUSED', { round: newer })],
  ['is in the same round', orders.notified()],
  ['is in an older round', orders.notified({ round: older })],
])('no message is sent for an order that %s', async (_, order) => {
  expect(await resend(order)).toEqual({ result: undefined, sent: [] });
});

test('no message is sent while the one of the webhook may be on its way', async () => {
  const order = orders.notified({ round: newer });
  expect((await resend(order, { ageMs: sendGraceMs - 1 })).sent).toEqual([]);
});

test('a message that was sent again sends no other in turn', async () => {
  const message = downloadMessage({ resent: true });
  expect((await resend(orders.notified({ round: newer }), { message })).sent).toEqual([]);
});
