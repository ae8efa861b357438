import type { BatchSender } from '../../shared/aws/batch-sender';
import { BodyPostponedError } from '../../shared/http/body';
import type { Delivery } from '../../shared/orders/delivery';
import {
  type DownloadMessage,
  downloadMessageSchema,
  identify,
  type ProcessingMessage,
} from '../../shared/orders/message';
import type { Checksum } from '../../shared/orders/order';
import type { PayloadStore } from '../../shared/orders/payload-store';
import type { OrderRepository, Rejection, WriteOutcome } from '../../shared/orders/repository';
import { createOrderWorker, type OrderWorkerOptions } from '../../shared/orders/worker';
import { type QualiaClient, UnreadableResponseError } from '../../shared/qualia/client';

export interface DownloadDependencies
  extends Omit<
    OrderWorkerOptions<DownloadMessage>,
    'worker' | 'api' | 'schema' | 'step' | 'lastResponseAtMs' | 'responseOf' | 'onSuperseded' | 'repository'
  > {
  readonly qualia: Pick<QualiaClient, 'fetchOrder' | 'lastResponseAtMs'>;
  readonly payloads: Pick<PayloadStore, 'keep' | 'keepRejected'>;
  readonly repository: OrderRepository;
  readonly processingQueue: BatchSender<ProcessingMessage>;
}

/** Fetches the orders of a batch from Qualia, stores their raw bytes and passes them to processing. */
export const createHandler = (dependencies: DownloadDependencies) => {
  const { qualia, payloads, repository, processingQueue, logger, metrics, now } = dependencies;

  const fetchOrder = async ({ message, context }: Delivery<DownloadMessage>) => {
    for (;;) {
      try {
        return await qualia.fetchOrder(message.order_id, context);
      } catch (error) {
        if (error instanceof UnreadableResponseError && !error.retryable) {
          await payloads.keepRejected(message.order_id, message.round, error.bytes);
        }
        if (!(error instanceof BodyPostponedError)) throw error;
        await context.memory.reserve(error.bytes);
      }
    }
  };

  /** Nothing of what it returns holds the order's bytes, so that others may use their memory. */
  const download = async (delivery: Delivery<DownloadMessage>) => {
    const { message, context } = delivery;
    const startedAtMs = now();
    const { bytes, attempt, responseTimeMs } = await fetchOrder(delivery);
    const payload = await payloads.keep(message.order_id, message.round, bytes);
    context.memory.release();
    return { payload, startedAtMs, attempt, responseTimeMs };
  };

  const sendToProcessing = (
    { order_id, round, request_id, started_by }: DownloadMessage,
    payload: { readonly s3_key: string; readonly checksum: Checksum; readonly retried?: boolean },
  ): Promise<void> =>
    processingQueue.send({
      order_id,
      round,
      request_id,
      ...(started_by !== undefined && { started_by }),
      sent_at: now(),
      ...payload,
    });

  /** If the order is DOWNLOADED in the same round, the delivery that wrote it may have crashed before its send. */
  const sendAgain = async ({ message }: Delivery<DownloadMessage>, { order }: Rejection): Promise<void> => {
    if (order?.status !== 'DOWNLOADED' || order.round !== message.round) return;
    await sendToProcessing(message, { s3_key: order.s3_key, checksum: order.checksum, retried: true });
  };

  const step = async (delivery: Delivery<DownloadMessage>): Promise<WriteOutcome> => {
    const { message, receiveCount } = delivery;
    const { payload, startedAtMs, attempt, responseTimeMs } = await download(delivery);
    const written = await repository.recordDownload(message.order_id, message.round, {
      s3Key: payload.s3Key,
      checksum: payload.checksum,
      payloadSizeBytes: payload.sizeBytes,
      receiveCount,
      // If an earlier delivery stored the bytes, the start of their download is unknown.
      startedAtMs: payload.isNew ? startedAtMs : undefined,
      downloadedAtMs: now(),
    });
    if (!written.applied) return written;
    await sendToProcessing(message, { s3_key: payload.s3Key, checksum: payload.checksum });
    metrics.add('OrderDownloaded');
    logger.info('order downloaded', {
      ...identify(message),
      status: 'DOWNLOADED',
      s3_key: payload.s3Key,
      checksum: payload.checksum,
      payload_size: payload.sizeBytes,
      response_time_ms: responseTimeMs,
      attempt,
    });
    return written;
  };

  return createOrderWorker({
    ...dependencies,
    worker: 'download',
    api: 'qualia',
    schema: downloadMessageSchema,
    step: (delivery) => processingQueue.during(() => step(delivery)),
    lastResponseAtMs: qualia.lastResponseAtMs,
    onSuperseded: sendAgain,
  });
};
