import type { Queue } from '../../shared/aws/queue';
import { type DownloadMessage, downloadMessageSchema, type ProcessingMessage } from '../../shared/orders/message';
import type { Order } from '../../shared/orders/order';
import type { PayloadStore } from '../../shared/orders/payload-store';
import type { OrderRepository, WriteOutcome } from '../../shared/orders/repository';
import { createOrderWorker, type Delivery, identify, type OrderWorkerOptions } from '../../shared/orders/worker';
import { type QualiaClient, UnreadableAnswerError } from '../../shared/qualia/client';

export interface DownloadDependencies
  extends Omit<
    OrderWorkerOptions<DownloadMessage>,
    'stage' | 'schema' | 'step' | 'answeredAtMs' | 'answerOf' | 'onSuperseded' | 'repository'
  > {
  readonly qualia: Pick<QualiaClient, 'fetchOrder' | 'answeredAtMs'>;
  readonly payloads: Pick<PayloadStore, 'keep' | 'keepRejected'>;
  readonly repository: OrderRepository;
  readonly processingQueue: Pick<Queue<ProcessingMessage>, 'send'>;
}

/** Fetches the orders of a batch from Qualia, keeps their raw bytes, and hands them on to processing. */
export const createHandler = (dependencies: DownloadDependencies) => {
  const { qualia, payloads, repository, processingQueue, logger, metrics, now } = dependencies;

  const fetchOrder = async ({ message, context }: Delivery<DownloadMessage>) => {
    try {
      return await qualia.fetchOrder(message.order_id, context);
    } catch (error) {
      if (error instanceof UnreadableAnswerError && !error.retryable) {
        await payloads.keepRejected(message.order_id, message.round, error.bytes);
      }
      throw error;
    }
  };

  /** An order that is DOWNLOADED already, in the same round: the delivery that did it may have died before its send. */
  const handOverAgain = async (message: DownloadMessage, order: Order | undefined): Promise<void> => {
    if (order?.status !== 'DOWNLOADED' || order.round !== message.round) return;
    await processingQueue.send({ ...message, s3_key: order.s3_key, checksum: order.checksum });
  };

  const step = async (delivery: Delivery<DownloadMessage>): Promise<WriteOutcome> => {
    const { message, receiveCount } = delivery;
    const fetched = await fetchOrder(delivery);
    const payload = await payloads.keep(message.order_id, message.round, fetched.bytes);
    const written = await repository.recordDownload(message.order_id, message.round, {
      s3Key: payload.s3Key,
      checksum: payload.checksum,
      payloadSizeBytes: payload.sizeBytes,
      attempts: receiveCount,
      downloadedAtMs: now(),
    });
    if (!written.applied) return written;
    await processingQueue.send({ ...message, s3_key: payload.s3Key, checksum: payload.checksum });
    metrics.add('OrderDownloaded');
    logger.info('order downloaded', {
      ...identify(message),
      status: 'DOWNLOADED',
      s3_key: payload.s3Key,
      checksum: payload.checksum,
      payload_size: payload.sizeBytes,
      response_time_ms: fetched.responseTimeMs,
      attempt: fetched.attempt,
    });
    return written;
  };

  return createOrderWorker({
    ...dependencies,
    stage: 'download',
    schema: downloadMessageSchema,
    step,
    answeredAtMs: qualia.answeredAtMs,
    onSuperseded: handOverAgain,
  });
};
