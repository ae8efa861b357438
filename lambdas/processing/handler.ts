import { PipelineError } from '../../shared/errors';
import { type InternalApiClient, OrderRefusedError } from '../../shared/internal-api/client';
import { mapOrder } from '../../shared/internal-api/mapping';
import { isOpenFor } from '../../shared/orders/lifecycle';
import { type ProcessingMessage, processingMessageSchema } from '../../shared/orders/message';
import { checksumOf, type PayloadStore } from '../../shared/orders/payload-store';
import type { OrderRepository, WriteOutcome } from '../../shared/orders/repository';
import { createOrderWorker, type Delivery, identify, type OrderWorkerOptions } from '../../shared/orders/worker';
import { type QualiaOrder, readOrder } from '../../shared/qualia/order';

export interface ProcessingDependencies
  extends Omit<
    OrderWorkerOptions<ProcessingMessage>,
    'stage' | 'schema' | 'step' | 'answeredAtMs' | 'answerOf' | 'onSuperseded' | 'repository'
  > {
  readonly payloads: Pick<PayloadStore, 'load'>;
  readonly internalApi: Pick<InternalApiClient, 'postOrder' | 'answeredAtMs'>;
  readonly repository: OrderRepository;
}

/** What stands in a state's place is free text, and may be a person's name: only what looks like a code is logged. */
const loggableState = (text: string): string => (/^[A-Z]{2}$/.test(text) ? text : '(not a code)');

/** Reads the orders of a batch from S3, maps them, and posts them to the internal API. */
export const createHandler = (dependencies: ProcessingDependencies) => {
  const { payloads, internalApi, repository, logger, metrics, now } = dependencies;

  const loadOrder = async ({ message, receiveCount }: Delivery<ProcessingMessage>): Promise<QualiaOrder> => {
    const bytes = await payloads.load(message.s3_key);
    if (checksumOf(bytes) !== message.checksum) {
      throw new PipelineError('CHECKSUM_MISMATCH', `The raw payload ${message.s3_key} is not what was stored`, {
        retryable: receiveCount < 2,
      });
    }
    const order = readOrder(bytes);
    if (order !== undefined) return order;
    throw new PipelineError('BAD_PAYLOAD', `The raw payload ${message.s3_key} holds no order`, { retryable: false });
  };

  const map = (order: QualiaOrder, message: ProcessingMessage) => {
    const mapping = mapOrder(order);
    if (mapping.kind === 'mapped') return mapping;
    metrics.add('UnknownState');
    logger.warn('unknown state', { ...identify(message), state_code: loggableState(mapping.stateCode) });
    throw new PipelineError('UNKNOWN_STATE', 'A property lies in a state that the internal API does not know', {
      retryable: false,
    });
  };

  const step = async (delivery: Delivery<ProcessingMessage>): Promise<WriteOutcome> => {
    const { message, receiveCount, context } = delivery;
    const { order_id: orderId, round, request_id: requestId, checksum } = message;
    const source = await loadOrder(delivery);

    // Just before the POST, so that an old payload does not overtake a newer one.
    const current = await repository.read(orderId);
    if (current === undefined || current.round !== round || !isOpenFor('process', current)) {
      return { applied: false, order: current };
    }

    const { order, warnings } = map(source, message);
    const result =
      current.processed_checksum === checksum
        ? { outcome: 'unchanged' as const, statusCode: undefined, responseTimeMs: undefined }
        : await internalApi.postOrder({ order, orderId, round, requestId, checksum }, context);

    const processedAtMs = now();
    const written = await repository.recordProcessing(orderId, round, {
      checksum,
      warnings,
      attempts: receiveCount,
      processedAtMs,
    });
    if (!written.applied) return written;
    metrics.add('OrderProcessed');
    if (result.outcome === 'unchanged') metrics.add('OrderUnchanged');
    metrics.add('EndToEndLatency', processedAtMs - Date.parse(current.notified_at));
    logger.info('order processed', {
      ...identify(message),
      status: 'PROCESSED',
      outcome: result.outcome,
      status_code: result.statusCode,
      response_time_ms: result.responseTimeMs,
      ...(warnings.length > 0 && { warnings }),
    });
    return written;
  };

  return createOrderWorker({
    ...dependencies,
    stage: 'processing',
    schema: processingMessageSchema,
    step,
    answeredAtMs: internalApi.answeredAtMs,
    answerOf: (error) => (error instanceof OrderRefusedError ? error.answer : undefined),
  });
};
