import type { Queue } from '../aws/queue';
import type { Instant } from '../time';
import { type DownloadMessage, starterOf } from './message';
import type { Order, OrderId, RequestId, Round } from './order';
import { occurrenceOf, roundOfEvent } from './round';
import { createRoundWriter, type RoundWriterDependencies, type StartedRound } from './round-writer';

export type { RoundOutcome, StartedRound } from './round-writer';

export interface RoundRequest {
  readonly orderId: OrderId;
  readonly requestId: RequestId;
  readonly notificationType: string;
  /** When the event happened, if the sender reports it. Without it the round is always new. */
  readonly occurredAt?: Instant | undefined;
  /** The order's round when the caller read it. If a newer one has started since, the result is `stale`. */
  readonly after?: Round | undefined;
  /** Posts the order even if it is unchanged, with a new idempotency key. */
  readonly force?: boolean | undefined;
  /**
   * When the order was first notified, epoch ms. Default: now. The reconciler keeps the first time of a stuck order.
   */
  readonly notifiedAtMs?: number | undefined;
}

/**
 * How far an event may be ahead of our clock. Beyond, the sender's clock or time zone is wrong, and a round with that
 * time would suppress every correct notification until then (docs/contracts/qualia.md, "Same order, again").
 */
export const maxAheadMs = 5 * 60_000;

/** How far the sender's clock and ours may differ before an event counts as older than a download. */
const clockToleranceMs = 2_000;

/**
 * Whether the newest round's download certainly began after an event, so that ignoring the event loses nothing. A
 * download begins after its round was notified.
 */
const coversEvent = (order: Order, { ms, precisionMs }: Instant): boolean => {
  const beganAt = order.status === 'NOTIFIED' ? order.notified_at : order.download_started_at;
  return beganAt !== undefined && Date.parse(beganAt) > ms + precisionMs + clockToleranceMs;
};

export interface RoundStarterDependencies extends RoundWriterDependencies {
  readonly downloadQueue: Pick<Queue<DownloadMessage>, 'send'>;
}

/**
 * Starts rounds: writes the item, then sends the message. After a failure in between, the sender's retry or the reconciler
 * completes the work.
 */
export const createRoundStarter = ({ repository, downloadQueue, now }: RoundStarterDependencies) => {
  const writer = createRoundWriter({ repository, now });

  const enqueue = (orderId: OrderId, round: Round, requestId: RequestId, notificationType: string): Promise<void> =>
    downloadQueue.send({ order_id: orderId, round, request_id: requestId, ...starterOf(notificationType) });

  const startNewest = async (request: RoundRequest, newerThan?: Round): Promise<StartedRound> => {
    const { occurredAt, after, ...fields } = request;
    const round = await writer.startNewest(
      { ...fields, occurredAt: occurredAt && occurrenceOf(occurredAt) },
      newerThan,
    );
    await enqueue(request.orderId, round, request.requestId, request.notificationType);
    return { outcome: 'queued', round, status: 'NOTIFIED' };
  };

  const startAfter = async (after: Round, request: RoundRequest): Promise<StartedRound> => {
    const { orderId, requestId, notificationType, force, notifiedAtMs } = request;
    const started = await writer.startAfter(after, { orderId, requestId, notificationType, force, notifiedAtMs });
    if (started.outcome === 'queued') await enqueue(orderId, started.round, requestId, notificationType);
    return started;
  };

  const startAt = async (request: RoundRequest, event: Instant): Promise<StartedRound> => {
    const { orderId, requestId, notificationType } = request;
    const round = roundOfEvent(event, notificationType);
    const occurredAt = occurrenceOf(event);
    const written = await repository.startRound({
      orderId,
      requestId,
      notificationType,
      round,
      occurredAt,
      notifiedAtMs: now(),
    });
    if (written.applied) {
      await enqueue(orderId, round, requestId, notificationType);
      return { outcome: 'queued', round, status: 'NOTIFIED' };
    }
    const { order } = written;
    if (order === undefined) return startNewest(request, written.unreadableRound);
    const isSame = order.notification_type === notificationType && order.occurred_at === occurredAt;
    // Two events can have the same timestamp without a fraction. It is a duplicate only if the download covers both.
    const isCovered = coversEvent(order, event) || (isSame && event.precisionMs < 1_000);
    if (!isCovered) return startNewest(request, order.round);
    // Still NOTIFIED: perhaps the first message of the round was never sent, and this event relies on it.
    if (order.status === 'NOTIFIED') await enqueue(orderId, order.round, order.request_id, order.notification_type);
    return { outcome: isSame ? 'duplicate' : 'stale', round: order.round, status: order.status };
  };

  return async (request: RoundRequest): Promise<StartedRound> => {
    const { occurredAt, after } = request;
    if (after !== undefined) return startAfter(after, request);
    if (occurredAt === undefined) return startNewest(request);
    const aheadMs = occurredAt.ms - now();
    return aheadMs <= maxAheadMs ? startAt(request, occurredAt) : { ...(await startNewest(request)), aheadMs };
  };
};

export type StartRound = ReturnType<typeof createRoundStarter>;
