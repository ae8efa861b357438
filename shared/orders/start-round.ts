import type { Queue } from '../aws/queue';
import { PipelineError } from '../errors';
import type { Instant } from '../time';
import type { DownloadMessage, ProcessingMessage } from './message';
import type { Order, OrderId, OrderStatus, RequestId, Round } from './order';
import type { StoredPayload } from './payload-store';
import type { OrderRepository, RoundStart } from './repository';
import { occurrenceOf, roundAfter, roundOfArrival, roundOfEvent } from './round';

export interface RoundRequest {
  readonly orderId: OrderId;
  readonly requestId: RequestId;
  readonly notificationType: string;
  /** When the event happened, if the sender reports it. Without it the round is always new. */
  readonly occurredAt?: Instant | undefined;
  /** Posts the order even if it is unchanged, with a new idempotency key. */
  readonly force?: boolean | undefined;
  /**
   * When the order was first notified, epoch ms. Default: now. The reconciler keeps the first time of a stuck order.
   */
  readonly notifiedAtMs?: number | undefined;
}

/** The result of a request: a new round, the newest round again, or an event older than the newest round's download. */
export type RoundOutcome = 'queued' | 'duplicate' | 'stale';

export interface StartedRound {
  readonly outcome: RoundOutcome;
  /** The order's newest round. */
  readonly round: Round;
  /** The order's status in that round. */
  readonly status: OrderStatus;
  /** Present if the event is implausibly far ahead of our clock: the round then has the time of its arrival. */
  readonly aheadMs?: number;
}

/**
 * How far an event may be ahead of our clock. Beyond, the sender's clock or time zone is wrong, and a round with that
 * time would suppress every correct notification until then (docs/contracts/qualia.md, "Same order, again").
 */
export const maxAheadMs = 5 * 60_000;

/** How far the sender's clock and ours may differ before an event counts as older than a download. */
const clockToleranceMs = 2_000;

/** Maximum number of times that a new round can lose against an even newer one that begins concurrently. */
const maxRaces = 5;

type Repository = Pick<OrderRepository, 'startRound'>;

const raceLost = (orderId: OrderId) =>
  new PipelineError('INTERNAL_FAULT', `Order ${orderId} cannot begin a round: its item changes too often`, {
    retryable: true,
  });

/** Begins a round that is newer than every other, and returns it. */
const createNewestRound =
  (repository: Repository, now: () => number) =>
  async (start: Omit<RoundStart, 'round' | 'notifiedAtMs'>, notifiedAtMs?: number, after?: Round): Promise<Round> => {
    let round = after === undefined ? roundOfArrival(now()) : roundAfter(after, now());
    for (let race = 0; race < maxRaces; race++) {
      const written = await repository.startRound({ ...start, round, notifiedAtMs: notifiedAtMs ?? now() });
      if (written.applied) return round;
      const newest = written.order?.round ?? written.unreadableRound;
      // An equal round is our own: the response to an earlier attempt was lost.
      if (newest === round) return round;
      if (newest === undefined) break;
      round = roundAfter(newest, now());
    }
    throw raceLost(start.orderId);
  };

/**
 * Whether the newest round's download certainly began after an event, so that ignoring the event loses nothing. A
 * download begins after its round was notified.
 */
const coversEvent = (order: Order, { ms, precisionMs }: Instant): boolean => {
  const beganAt = order.status === 'NOTIFIED' ? order.notified_at : order.download_started_at;
  return beganAt !== undefined && Date.parse(beganAt) > ms + precisionMs + clockToleranceMs;
};

export interface RoundStarterDependencies {
  readonly repository: Repository;
  readonly downloadQueue: Pick<Queue<DownloadMessage>, 'send'>;
  readonly now: () => number;
}

/**
 * Begins rounds: writes the item, then sends the message. After a crash in between, the sender's retry or the reconciler
 * completes the work.
 */
export const createRoundStarter = ({ repository, downloadQueue, now }: RoundStarterDependencies) => {
  const beginNewest = createNewestRound(repository, now);

  const enqueue = (orderId: OrderId, round: Round, requestId: RequestId): Promise<void> =>
    downloadQueue.send({ order_id: orderId, round, request_id: requestId });

  const startNewest = async (request: RoundRequest, after?: Round): Promise<StartedRound> => {
    const { orderId, requestId, notificationType, force, occurredAt, notifiedAtMs } = request;
    const start = {
      orderId,
      requestId,
      notificationType,
      force,
      occurredAt: occurredAt && occurrenceOf(occurredAt),
    };
    const round = await beginNewest(start, notifiedAtMs, after);
    await enqueue(orderId, round, requestId);
    return { outcome: 'queued', round, status: 'NOTIFIED' };
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
      await enqueue(orderId, round, requestId);
      return { outcome: 'queued', round, status: 'NOTIFIED' };
    }
    const { order } = written;
    if (order === undefined) return startNewest(request, written.unreadableRound);
    const isSame = order.notification_type === notificationType && order.occurred_at === occurredAt;
    // Two events can have the same timestamp without a fraction. It is a duplicate only if the download covers both.
    const isCovered = coversEvent(order, event) || (isSame && event.precisionMs < 1_000);
    if (!isCovered) return startNewest(request, order.round);
    // Still NOTIFIED: the first message may not have been sent.
    if (isSame && order.status === 'NOTIFIED') await enqueue(orderId, order.round, order.request_id);
    return { outcome: isSame ? 'duplicate' : 'stale', round: order.round, status: order.status };
  };

  return async (request: RoundRequest): Promise<StartedRound> => {
    const { occurredAt } = request;
    if (occurredAt === undefined) return startNewest(request);
    const aheadMs = occurredAt.ms - now();
    return aheadMs <= maxAheadMs ? startAt(request, occurredAt) : { ...(await startNewest(request)), aheadMs };
  };
};

export type StartRound = ReturnType<typeof createRoundStarter>;

export interface StoredRoundRequest extends Omit<RoundRequest, 'occurredAt' | 'notifiedAtMs'> {
  /** The order's round when the caller chose the payload. If a newer one has begun since, the result is `stale`. */
  readonly after: Round;
  /** The bytes to process again. */
  readonly payload: StoredPayload;
  /** When their download began, if that is known: an event after it is never stale. */
  readonly downloadStartedAtMs?: number | undefined;
}

export interface StoredRoundStarterDependencies {
  readonly repository: Repository;
  readonly processingQueue: Pick<Queue<ProcessingMessage>, 'send'>;
  readonly now: () => number;
}

/**
 * Begins rounds from stored bytes: the item becomes DOWNLOADED at once, and its message goes to processing. After a crash
 * between the two, the reconciler finds the order and downloads it again.
 *
 * One conditional write begins the round and records its download. These bytes never supersede a round that began
 * meanwhile, which has newer ones.
 */
export const createStoredRoundStarter =
  ({ repository, processingQueue, now }: StoredRoundStarterDependencies) =>
  async (request: StoredRoundRequest): Promise<StartedRound> => {
    const { payload, downloadStartedAtMs, after, ...start } = request;
    const { orderId, requestId } = start;
    const { s3Key, checksum, sizeBytes } = payload;
    const round = roundAfter(after, now());
    const download = {
      s3Key,
      checksum,
      payloadSizeBytes: sizeBytes,
      receiveCount: 0,
      startedAtMs: downloadStartedAtMs,
      downloadedAtMs: now(),
    };
    const written = await repository.startRound({
      ...start,
      round,
      notifiedAtMs: now(),
      stored: { after, download },
    });
    if (!written.applied) {
      return { outcome: 'stale', round: written.order?.round ?? after, status: written.order?.status ?? 'NOTIFIED' };
    }
    await processingQueue.send({
      ...{ order_id: orderId, round, request_id: requestId },
      ...{ s3_key: s3Key, checksum, sent_at: now() },
    });
    return { outcome: 'queued', round, status: 'DOWNLOADED' };
  };

export type StartStoredRound = ReturnType<typeof createStoredRoundStarter>;
