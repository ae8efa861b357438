import type { Queue } from '../../shared/aws/queue';
import { PipelineError } from '../../shared/errors';
import { newRepostToken } from '../../shared/internal-api/idempotency-key';
import type { ProcessingMessage } from '../../shared/orders/message';
import type { Order } from '../../shared/orders/order';
import type { OrderRepository, Rejection } from '../../shared/orders/repository';
import type { StartStoredRound } from '../../shared/orders/start-stored-round';

export interface RepostDependencies {
  readonly repository: Pick<OrderRepository, 'read' | 'requestRepost'>;
  readonly startStoredRound: StartStoredRound;
  readonly queue: Pick<Queue<ProcessingMessage>, 'send'>;
  readonly now: () => number;
}

/** Maximum number of times that the order can change while the repost is requested. */
const maxRaces = 5;
/** The `notification_type` of a round that begins here. */
const notificationType = 'overtaken';

/**
 * Posts the newest payload again after an older round may have overwritten it at the internal API
 * (docs/contracts/internal-api.md). An open round only needs a repost request; a closed one needs a new round from the
 * bytes that it processed.
 *
 * @throws {PipelineError} `INTERNAL_FAULT`, retryable, if the order changes too often
 */
export const createRepostNewest = ({ repository, startStoredRound, queue, now }: RepostDependencies) => {
  const startFurtherRound = (order: Extract<Order, { status: 'PROCESSED' }>) =>
    startStoredRound({
      orderId: order.order_id,
      requestId: order.request_id,
      notificationType,
      force: true,
      after: order.round,
      payload: { s3Key: order.s3_key, checksum: order.checksum, sizeBytes: order.payload_size },
      ...(order.download_started_at !== undefined && {
        downloadStartedAtMs: Date.parse(order.download_started_at),
      }),
    });

  /** An earlier delivery of the older message may have begun this round and crashed before it sent the message. */
  const sendAgain = async (order: Order): Promise<void> => {
    if (order.status !== 'DOWNLOADED' || order.notification_type !== notificationType) return;
    const { order_id, round, request_id, s3_key, checksum } = order;
    await queue.send({ order_id, round, request_id, s3_key, checksum, retried: true, sent_at: now() });
  };

  return async ({ order_id: orderId, round: older }: ProcessingMessage, rejection: Rejection): Promise<void> => {
    let { order, unreadableRound } = rejection;
    for (let race = 0; race < maxRaces; race++) {
      const newest = order?.round ?? unreadableRound;
      if (newest === undefined || newest <= older) return;
      if (order?.status === 'PROCESSED') {
        const started = await startFurtherRound(order);
        if (started.outcome === 'queued') return;
        order = await repository.read(orderId);
        continue;
      }
      const written = await repository.requestRepost(orderId, newest, newRepostToken());
      if (written.applied) return order && sendAgain(order);
      ({ order, unreadableRound } = written);
    }
    throw new PipelineError('INTERNAL_FAULT', 'The order changes too often to request its repost', {
      retryable: true,
    });
  };
};
