import type { Logger } from '@aws-lambda-powertools/logger';
import type { Queue } from '../../shared/aws/queue';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import { type DownloadMessage, identify } from '../../shared/orders/message';
import { type OrderOrUnreadable, type OrderQueries, unreadable } from '../../shared/orders/queries';
import type { UnsentMessages } from '../../shared/orders/unsent-messages';
import type { Turn } from './turn';

export interface UnsentSenderDependencies {
  readonly unsent: UnsentMessages;
  readonly downloadQueue: Pick<Queue<DownloadMessage>, 'send'>;
  readonly orders: Pick<OrderQueries, 'readMany'>;
  /** Waits for the next slot to start a round. */
  readonly pace: () => Promise<void>;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
  readonly now: () => number;
}

/**
 * Whether the round may still wait for its message. The read is not consistent: an item that is missing or in an older round
 * was read before the round was written.
 */
const isAwaited = ({ round }: DownloadMessage, order: OrderOrUnreadable | undefined): boolean =>
  order === undefined ||
  order === unreadable ||
  order.round < round ||
  (order.round === round && order.status === 'NOTIFIED');

/** Creates the step that sends the messages that webhooks could not send. */
export const createUnsentSender = (dependencies: UnsentSenderDependencies) => {
  const { unsent, downloadQueue, orders, pace, logger, metrics, now } = dependencies;

  const send = async (message: DownloadMessage, order: OrderOrUnreadable | undefined): Promise<void> => {
    await pace();
    await downloadQueue.send(message);
    logger.warn('unsent message sent', {
      ...identify(message),
      ...(order !== undefined &&
        order !== unreadable && { age_seconds: Math.round((now() - Date.parse(order.notified_at)) / 1_000) }),
      ...metrics.fields({ OrderReconciled: 1 }),
    });
  };

  /** Sends first, then closes: after a crash in between, a message is sent twice, which the worker notices. */
  return async ({ endsAtMs }: Turn): Promise<void> => {
    const { messages, unreadable: unreadableCount } = await unsent.list(now());
    if (unreadableCount > 0) {
      logger.error('unsent messages cannot be read', {
        error: `${unreadableCount} items of the Operations table are not messages of this release`,
        error_code: 'INTERNAL_FAULT',
      });
    }
    if (messages.length === 0) return;
    const found = await orders.readMany(messages.map(({ order_id }) => order_id));
    for (const message of messages) {
      if (now() >= endsAtMs) return;
      const order = found.get(message.order_id);
      if (isAwaited(message, order)) await send(message, order);
      await unsent.close(message, now());
    }
  };
};
