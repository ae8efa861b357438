import type { DayCall } from '../../local/sample/day';
import { postCalls } from '../../local/start/post-calls';
import type { WebhookSecret } from '../../samples/authentication';
import { createRandom } from '../../samples/random';

interface Options {
  readonly apiUrl: string;
  readonly secret: WebhookSecret;
  /** The control API of the Qualia simulator. */
  readonly qualiaUrl: string;
  readonly orders: Iterable<{ readonly _id: string }>;
  readonly seed: number;
}

/** Share of the orders that change. */
const changedShare = 0.1;
const concurrency = 4;

const setPurpose = async (url: string, purpose: unknown): Promise<void> => {
  const response = await fetch(url, { method: 'PATCH', body: JSON.stringify({ purpose }) });
  if (!response.ok) throw new Error(`${url} responded with ${response.status}`);
};

/**
 * Changes some orders at Qualia and changes them back, each time with a webhook. @returns the number of orders
 */
export const changeAndChangeBack = async (options: Options): Promise<number> => {
  const { apiUrl, secret, qualiaUrl, seed } = options;
  const orders = createRandom(seed + 200).shuffle([...options.orders]);
  const chosen = orders.slice(0, Math.ceil(orders.length * changedShare));
  const queue = chosen.values();

  const notify = async (orderId: string, change: number): Promise<void> => {
    const body = JSON.stringify({ type: 'order_revision_requested', order_id: orderId, description: 'Changed' });
    const call: DayCall = {
      name: `${orderId} change ${change}`,
      method: 'POST',
      path: '/webhooks/qualia',
      headers: { 'content-type': 'application/json' },
      body,
      authentication: 'basic',
      orderId,
      expectedStatus: 200,
    };
    const [response] = await postCalls({ apiUrl, secret, calls: [call], onAnswer: () => undefined });
    if (response?.status !== 200) throw new Error(`The webhook of a change to ${orderId} got ${response?.status}`);
  };

  const changeOrders = async (): Promise<void> => {
    for (const order of queue) {
      const url = `${qualiaUrl}/orders/${order._id}`;
      const original = 'purpose' in order ? order.purpose : null;
      for (const [change, purpose] of ['Changed for a while', original].entries()) {
        await setPurpose(url, purpose);
        await notify(order._id, change);
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, changeOrders));
  return chosen.length;
};
