import type { Logger } from '@aws-lambda-powertools/logger';
import { bodyHashOf, fieldDigestsOf } from '../../shared/internal-api/body';
import type { InternalApiClient, PostOutcome } from '../../shared/internal-api/client';
import { idempotencyKeyOf, newRepostToken } from '../../shared/internal-api/idempotency-key';
import type { InternalOrder } from '../../shared/internal-api/order';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import type { Delivery } from '../../shared/orders/delivery';
import { isOpenFor } from '../../shared/orders/lifecycle';
import type { ProcessingMessage } from '../../shared/orders/message';
import { identify } from '../../shared/orders/message';
import type { Order, Warning } from '../../shared/orders/order';
import type { OrderRepository, WriteOutcome } from '../../shared/orders/repository';

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

/** The first attempt of the POST uses an earlier read of the order if it is not older than this. */
const freshReadMs = 1_000;
/** How long another delivery of the same message may take to record the POST that made our key known. */
const duplicateRecordMs = 2_000;

/** Whether the order still needs this message. */
export const isOpen = (order: Order | undefined, { round }: ProcessingMessage): order is Order =>
  order?.round === round && isOpenFor('process', order);

/**
 * Whether the key of the order's round has a random part. Then no other table of ours has used it, and it can only be
 * known from another message of this round, whose POST may still wait for its response.
 */
const isRandomKey = ({ repost, occurred_at }: Order): boolean => repost !== undefined || occurred_at === undefined;

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
  ): Promise<PostOutcome & { readonly isFirstAttempt: boolean }> => {
    const { message, context } = delivery;
    const readAtMs = now();
    // Counted here, because the client counts attempts from 1 again after a rotated token.
    let attempts = 0;
    // An older payload must not overtake a newer one, so each attempt needs a fresh read of the round.
    const beforeAttempt = async (): Promise<void> => {
      const isFresh = ++attempts === 1 && now() - readAtMs <= freshReadMs;
      const latest = isFresh ? current : await repository.read(message.order_id);
      if (!isOpen(latest, message)) throw new RoundOverError(latest);
      delivery.mayHaveTakenEffect = true;
    };
    const { round, request_id: requestId } = message;
    const outcome = await internalApi.postOrder({ order, round, requestId, idempotencyKey, beforeAttempt }, context);
    return { ...outcome, isFirstAttempt: attempts === 1 };
  };

  /**
   * Handles a key that was already used at the internal API, although this round cannot have used it: our records are older than the
   * API's, for example after a restored table. Makes the round post again under a new key, unless another delivery of the
   * same message used the key a moment ago.
   */
  const resolveConflict = async (message: ProcessingMessage): Promise<void> => {
    await sleep(duplicateRecordMs);
    const latest = await repository.read(message.order_id);
    if (!isOpen(latest, message)) throw new RoundOverError(latest);
    logger.warn('idempotency key is known to the internal API but not recorded here', {
      ...identify(message),
      ...metrics.fields({ IdempotencyConflict: 1 }),
    });
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
    const { message, receiveCount, mayHaveTakenEffect: mayHavePosted } = delivery;
    const { order_id: orderId, round } = message;
    const { repost } = current;
    const bodyHash = bodyHashOf(order);
    // Trust the comparison only after a PROCESSED round: any other round may have posted without a record.
    const isUnchanged =
      repost === undefined && current.previous_status === 'PROCESSED' && current.processed_checksum === bodyHash;
    const posted = isUnchanged
      ? undefined
      : await post(delivery, current, order, idempotencyKeyOf({ orderId, round, bodyHash, repost }));

    const isOurKey =
      mayHavePosted || !posted?.isFirstAttempt || current.processed_checksum === undefined || isRandomKey(current);
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
    // If the order is still open, an older round may have overwritten this POST and requested another one.
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
