import type { WebhookSecret } from '../../local/sample/authentication';
import type { WebhookCall } from '../../local/sample/day';
import { createRandom } from '../../local/simulators/random';
import { postCalls } from '../../local/start/post-calls';

interface Surroundings {
  readonly apiUrl: string;
  readonly secret: WebhookSecret;
  /** The control API of the Qualia simulator. */
  readonly qualiaUrl: string;
  readonly orders: Iterable<{ readonly _id: string }>;
  readonly seed: number;
}

/** How many of a storm's orders change. */
const share = 0.1;
const concurrent = 4;

const setPurpose = async (url: string, purpose: unknown): Promise<void> => {
  const answer = await fetch(url, { method: 'PATCH', body: JSON.stringify({ purpose }) });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
};

/**
 * Changes some orders at Qualia, and changes them back, each time with a webhook, during the storm. Returns their
 * number.
 */
export const changeAndChangeBack = async (surroundings: Surroundings): Promise<number> => {
  const { apiUrl, secret, qualiaUrl, seed } = surroundings;
  const orders = createRandom(seed + 200).shuffle([...surroundings.orders]);
  const chosen = orders.slice(0, Math.ceil(orders.length * share));
  const queue = chosen.values();

  const announce = async (orderId: string, turn: number): Promise<void> => {
    const body = JSON.stringify({ type: 'order_revision_requested', order_id: orderId, description: 'Changed' });
    const call: WebhookCall = {
      name: `${orderId} changes ${turn}`,
      method: 'POST',
      path: '/webhooks/qualia',
      headers: { 'content-type': 'application/json' },
      body,
      authentication: 'basic',
      orderId,
      expectedStatus: 200,
    };
    const [answer] = await postCalls({ apiUrl, secret, calls: [call], onAnswer: () => undefined });
    if (answer?.status !== 200) throw new Error(`A change of ${orderId} was answered with ${answer?.status}`);
  };

  const editor = async (): Promise<void> => {
    for (const order of queue) {
      const url = `${qualiaUrl}/orders/${order._id}`;
      const purpose = 'purpose' in order ? order.purpose : null;
      for (const [turn, each] of ['Changed for a while', purpose].entries()) {
        await setPurpose(url, each);
        await announce(order._id, turn);
      }
    }
  };
  await Promise.all(Array.from({ length: concurrent }, editor));
  return chosen.length;
};
