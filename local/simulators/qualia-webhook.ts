import * as z from 'zod';

/** A webhook as it is registered at Qualia, with HTTP Basic. */
export const webhookSchema = z.strictObject({ url: z.url(), username: z.string(), password: z.string() });
export type RegisteredWebhook = z.output<typeof webhookSchema>;

/** What `POST /_control/new-order` responds: the new order, what was posted about it, and the webhook's response. */
export const sentOrderSchema = z.object({
  order_id: z.string(),
  notification: z.object({ order_id: z.string(), notification_type: z.string(), timestamp: z.string() }),
  webhook: z.object({ status: z.number(), body: z.unknown() }),
});
export type SentOrder = z.output<typeof sentOrderSchema>;

/** Notifies a webhook of a new order, as Qualia does (`docs/contracts/qualia.md`, section 1). */
export const notifyOfNewOrder = async (
  { url, username, password }: RegisteredWebhook,
  orderId: string,
): Promise<SentOrder> => {
  const notification = {
    order_id: orderId,
    notification_type: 'order.created',
    timestamp: new Date().toISOString(),
  };
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
    },
    body: JSON.stringify(notification),
  });
  return { order_id: orderId, notification, webhook: { status: response.status, body: await response.json() } };
};
