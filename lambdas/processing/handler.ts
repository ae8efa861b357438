import { setTimeout as sleepFor } from 'node:timers/promises';
import { PipelineError } from '../../shared/errors';
import { type InternalApiClient, OrderRefusedError } from '../../shared/internal-api/client';
import { mapOrder as mapToInternal } from '../../shared/internal-api/mapping';
import type { Delivery } from '../../shared/orders/delivery';
import { identify, type ProcessingMessage, processingMessageSchema } from '../../shared/orders/message';
import { checksumOf, type PayloadStore } from '../../shared/orders/payload-store';
import type { OrderRepository, WriteOutcome } from '../../shared/orders/repository';
import { createStoredRoundStarter } from '../../shared/orders/start-stored-round';
import { createOrderWorker, type OrderWorkerOptions } from '../../shared/orders/worker';
import { faultPathOf, type QualiaOrder, readOrder } from '../../shared/qualia/order';
import { createOrderPoster, isOpen, type MappedOrder, RoundOverError } from './post-order';
import { createRepostNewest } from './repost-newest';

export interface ProcessingDependencies
  extends Omit<
    OrderWorkerOptions<ProcessingMessage>,
    'worker' | 'api' | 'schema' | 'step' | 'lastResponseAtMs' | 'responseOf' | 'onSuperseded' | 'repository'
  > {
  readonly payloads: Pick<PayloadStore, 'load'>;
  readonly internalApi: Pick<InternalApiClient, 'postOrder' | 'lastResponseAtMs'>;
  readonly repository: OrderRepository;
  readonly mapOrder?: typeof mapToInternal;
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** Maximum number of POSTs within one delivery. */
const maxPosts = 4;

/** An unknown state is free text and can be a person's name, so log it only if it looks like a code. */
const loggableState = (text: string): string => (/^[A-Z]{2}$/.test(text) ? text : '(not a code)');

/** Reads the orders of a batch from S3, maps them and posts them to the internal API. */
export const createHandler = (dependencies: ProcessingDependencies) => {
  const { payloads, internalApi, repository, queue, logger, metrics, now } = dependencies;
  const { mapOrder = mapToInternal, sleep = sleepFor } = dependencies;
  const postOrder = createOrderPoster({ internalApi, repository, logger, metrics, now, sleep });
  const startStoredRound = createStoredRoundStarter({ repository, processingQueue: queue, now });
  const repostNewest = createRepostNewest({ repository, startStoredRound, queue, now });

  const loadOrder = async (delivery: Delivery<ProcessingMessage>): Promise<QualiaOrder> => {
    const { message, receiveCount, context } = delivery;
    const bytes = await payloads.load(message.s3_key, context.memory);
    if (checksumOf(bytes) !== message.checksum) {
      throw new PipelineError('CHECKSUM_MISMATCH', `The raw payload ${message.s3_key} is not what was stored`, {
        retryable: receiveCount < 2,
      });
    }
    const order = readOrder(bytes);
    if (order !== undefined) return order;
    throw new PipelineError('BAD_PAYLOAD', `The raw payload ${message.s3_key} holds no order`, {
      retryable: false,
      detail: faultPathOf(bytes),
    });
  };

  const map = (source: QualiaOrder, message: ProcessingMessage): MappedOrder => {
    const mapping = mapOrder(source);
    if (mapping.kind === 'mapped') return mapping;
    const stateCode = loggableState(mapping.stateCode);
    logger.warn('unknown state', {
      ...identify(message),
      state_code: stateCode,
      ...metrics.fields({ UnknownState: 1 }),
    });
    throw new PipelineError('UNKNOWN_STATE', 'A property is in a state that is not among the 54 jurisdictions', {
      retryable: false,
      detail: stateCode,
    });
  };

  const step = async (delivery: Delivery<ProcessingMessage>): Promise<WriteOutcome> => {
    const { message, receiveCount } = delivery;
    const source = await loadOrder(delivery);
    try {
      for (let posts = 0; posts < maxPosts; posts++) {
        const current = await repository.read(message.order_id);
        const afterFailure = current?.previous_status === 'FAILED';
        if (!isOpen(current, message)) {
          // Redriven after its failure was recorded: its POSTs ended before the next round began, which posted
          // regardless.
          if (posts === 0 && receiveCount === 1 && afterFailure) delivery.mayHaveTakenEffect = false;
          return { applied: false, order: current };
        }
        const outcome = await postOrder(delivery, current, map(source, message));
        if (outcome !== undefined) return outcome;
      }
    } catch (error) {
      if (error instanceof RoundOverError) return { applied: false, order: error.order };
      throw error;
    }
    throw new PipelineError('INTERNAL_FAULT', 'Older rounds overtook the order again and again', { retryable: true });
  };

  return createOrderWorker({
    ...dependencies,
    worker: 'processing',
    api: 'internal',
    schema: processingMessageSchema,
    step,
    lastResponseAtMs: internalApi.lastResponseAtMs,
    responseOf: (error) => (error instanceof OrderRefusedError ? error.response : undefined),
    onSuperseded: async ({ message, mayHaveTakenEffect }, rejection) => {
      if (mayHaveTakenEffect) await repostNewest(message, rejection);
    },
  });
};
