import type { Logger } from '@aws-lambda-powertools/logger';
import { bodyHashOf, fieldDigestsOf } from '../../shared/internal-api/body';
import type { InternalApiClient, PostOutcome } from '../../shared/internal-api/client';
import { idempotencyKeyOf, newRepostToken } from '../../shared/internal-api/idempotency-key';
import type { InternalOrder } from '../../shared/internal-api/order';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import { isOpenFor } from '../../shared/orders/lifecycle';
import type { ProcessingMessage } from '../../shared/orders/message';
import type { Order, Warning } from '../../shared/orders/order';
import type { OrderRepository, WriteOutcome } from '../../shared/orders/repository';
import { type Delivery, identify } from '../../shared/orders/worker';

export interface OrderPosterDependencies {
  readonly internalApi: Pick<InternalApiClient, 'postOrder'>;
  readonly repository: Pick<OrderRepository, 'read' | 'recordProcessing' | 'requestRepost'>;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

export interface MappedOrder {
  readonly order: InternalOrder;
  readonly warnings: readonly Warning[];
}

/** Thrown before an attempt when another round has begun, or another delivery has closed this one. */
export class RoundOverError extends Error {
  constructor(readonly order: Order | undefined) {
    super('The round is over');
  }
}

/** A read of the order is good for the first attempt of the POST if it is not older than this. */
const freshReadMs = 1_000;
/** How long another delivery of the same message may take to record the POST that made our key known. */
const duplicateRecordMs = 2_000;

/** Whether an order, as it was read, still waits for this message. */
export const isOpen = (order: Order | undefined, { round }: ProcessingMessage): order is Order =>
  order?.round === round && isOpenFor('process', order);

/**
 * Brings one order to the internal API and closes its round (docs/contracts/internal-api.md, "Which effect a key
 * names, and when nothing is posted").
 */
export const createOrderPoster = (dependencies: OrderPosterDependencies) => {
  const { internalApi, repository, logger, metrics, now, sleep } = dependencies;

  const post = async (
    delivery: Delivery<ProcessingMessage>,
    current: Order,
    order: InternalOrder,
    idempotencyKey: string,
  ): Promise<PostOutcome & { readonly isFirstTry: boolean }> => {
    const { message, context } = delivery;
    const readAtMs = now();
    // Counted here: when the token was rotated, the client counts its attempts again from 1.
    let tries = 0;
    // An older payload must not overtake a newer one, so each attempt needs a fresh read of the round.
    const beforeAttempt = async (): Promise<void> => {
      const isFresh = ++tries === 1 && now() - readAtMs <= freshReadMs;
      const latest = isFresh ? current : await repository.read(message.order_id);
      if (!isOpen(latest, message)) throw new RoundOverError(latest);
      delivery.mayHaveTakenEffect = true;
    };
    const { round, request_id: requestId } = message;
    const outcome = await internalApi.postOrder({ order, round, requestId, idempotencyKey, beforeAttempt }, context);
    return { ...outcome, isFirstTry: tries === 1 };
  };

  /**
   * The internal API knows a key that this round cannot have used, and something else was recorded: our records are
   * older than the API's (a restored table). Makes the round post again under a new key, unless another delivery of the
   * same message used the key a moment ago.
   */
  const resolveConflict = async (message: ProcessingMessage): Promise<void> => {
    await sleep(duplicateRecordMs);
    const latest = await repository.read(message.order_id);
    if (!isOpen(latest, message)) throw new RoundOverError(latest);
    metrics.add('IdempotencyConflict');
    logger.warn('idempotency key is known to the internal API but not recorded here', identify(message));
    await repository.requestRepost(message.order_id, message.round, newRepostToken());
  };

  /**
   * Posts the order, if that is necessary, and records the result.
   *
   * @param current the order, just read, and open
   * @returns the result of the record; undefined when the order needs another POST
   * @throws {RoundOverError} when the order left the message's round before an attempt
   */
  return async (
    delivery: Delivery<ProcessingMessage>,
    current: Order,
    { order, warnings }: MappedOrder,
  ): Promise<WriteOutcome | undefined> => {
    const { message, receiveCount, mayHaveTakenEffect: hadActed } = delivery;
    const { order_id: orderId, round } = message;
    const { repost } = current;
    const bodyHash = bodyHashOf(order);
    // The comparison is trusted only after a round that was closed and recorded: any other may have posted.
    const isUnchanged =
      repost === undefined && current.previous_status === 'PROCESSED' && current.processed_checksum === bodyHash;
    const posted = isUnchanged
      ? undefined
      : await post(delivery, current, order, idempotencyKeyOf({ orderId, round, bodyHash, repost }));

    const isOurKey = hadActed || !posted?.isFirstTry || current.processed_checksum === undefined;
    if (posted?.outcome === 'already_known' && !isOurKey) {
      await resolveConflict(message);
      return undefined;
    }

    const processedAtMs = now();
    const written = await repository.recordProcessing(orderId, round, {
      posted: posted && { bodyHash, fieldDigests: fieldDigestsOf(order) },
      repost,
      warnings,
      receiveCount,
      processedAtMs,
    });
    // If it is still open, an older round may have overwritten what this one posted, and asked for another POST.
    if (!written.applied) return isOpen(written.order, message) ? undefined : written;
    metrics.add('OrderProcessed');
    if (posted === undefined) metrics.add('OrderUnchanged');
    metrics.add('EndToEndLatency', processedAtMs - Date.parse(current.notified_at));
    logger.info('order processed', {
      ...identify(message),
      status: 'PROCESSED',
      outcome: posted?.outcome ?? 'unchanged',
      status_code: posted?.statusCode,
      response_time_ms: posted?.responseTimeMs,
      ...(warnings.length > 0 && { warnings }),
    });
    return written;
  };
};
