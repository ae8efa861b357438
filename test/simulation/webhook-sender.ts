import { basicAuthorization, webhookEvent } from '../support/webhook-calls';
import type { FunctionPool } from './function-pool';
import type { Action } from './history';
import type { Scheduler } from './scheduler';

/** Of an order: the newest version of which a webhook was acknowledged, and whether any webhook was given up. */
export interface Notified {
  version: number;
  isGivenUp: boolean;
}

export interface Webhook {
  readonly orderId: string;
  /** The version of the order that the webhook is about. */
  readonly version: number;
  readonly format: (Action & { kind: 'change' })['format'];
  /** How often it is sent until it is acknowledged. */
  readonly maxSends: number;
}

/** The waits between sends double twice, up to this number of sends. */
const maxDoublings = 5;

/** Qualia posts webhooks, and again after a failure. */
export const createWebhookSender = (scheduler: Scheduler, webhookFunction: FunctionPool) => {
  const headers = { authorization: basicAuthorization('qualia', 'a-long-password') };
  const notified = new Map<string, Notified>();
  const webhooksOf = new Map<string, number>();
  let webhooks = 0;
  let acknowledged = 0;

  const bodyOf = ({ orderId, version, format }: Webhook): object => {
    if (format === 'activity') return { type: 'order_revision_requested', order_id: orderId, description: 'Changed' };
    const time = new Date(scheduler.now()).toISOString();
    const timestamp = format === 'seconds' ? `${time.slice(0, 19)}Z` : time;
    return {
      order_id: orderId,
      notification_type: version === 1 ? 'order.created' : 'order.updated',
      timestamp,
    };
  };

  const send = async (body: object): Promise<boolean> => {
    await scheduler.sleep(5 + scheduler.random() * 50);
    const outcome = await webhookFunction.invoke(webhookEvent({ headers, body }));
    const statusCode = outcome.kind === 'returned' ? (outcome.value as { statusCode: number }).statusCode : 502;
    if (statusCode !== 200 && statusCode < 500) throw new Error(`The webhook responded with ${statusCode}`);
    return statusCode === 200;
  };

  const sendUntilAcknowledged = async (webhook: Webhook, body: object): Promise<void> => {
    const { orderId, version, maxSends } = webhook;
    const ofOrder = notified.get(orderId) ?? { version: 0, isGivenUp: false };
    notified.set(orderId, ofOrder);
    webhooks += 1;
    webhooksOf.set(orderId, (webhooksOf.get(orderId) ?? 0) + 1);
    for (let sends = 1; sends <= maxSends; sends++) {
      if (await send(body)) {
        acknowledged += 1;
        ofOrder.version = Math.max(ofOrder.version, version);
        return;
      }
      await scheduler.sleep(1_000 * 4 ** Math.min(sends, maxDoublings) * (0.5 + scheduler.random()));
    }
    ofOrder.isGivenUp = true;
  };

  return {
    notified,
    /** An earlier release acknowledged a webhook about this version. */
    inherit: (orderId: string, version: number): void => void notified.set(orderId, { version, isGivenUp: false }),
    /** The webhooks about an order, without repeated sends. */
    webhooksOf: (orderId: string): number => webhooksOf.get(orderId) ?? 0,
    counts: () => ({ webhooks, acknowledged }),
    /** Sends a webhook about a change that happens now, with a delay for each of its copies. */
    announce: (webhook: Webhook, delaysMs: readonly number[]): void => {
      const body = bodyOf(webhook);
      for (const ms of delaysMs) scheduler.after(ms, () => void sendUntilAcknowledged(webhook, body));
    },
  };
};
