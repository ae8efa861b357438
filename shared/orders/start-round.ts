import type { Queue } from '../aws/queue';
import { PipelineError } from '../errors';
import type { DownloadMessage } from './message';
import type { Order, OrderId, RequestId, Round } from './order';
import type { OrderRepository } from './repository';
import { roundAfter, roundOfArrival, roundOfEvent } from './round';

export interface RoundRequest {
  readonly orderId: OrderId;
  readonly requestId: RequestId;
  readonly notificationType: string;
  /** When the event happened, where the sender says it; without it, or over a day ahead, the round is always new. */
  readonly occurredAtMs?: number | undefined;
}

/** What came of it: a new round, the newest round told again, or one that is older than the newest. */
export type RoundOutcome = 'queued' | 'duplicate' | 'stale';

export interface RoundStarterDependencies {
  readonly repository: Pick<OrderRepository, 'startRound'>;
  readonly downloadQueue: Pick<Queue<DownloadMessage>, 'send'>;
  readonly now: () => number;
}

/**
 * A clock may be wrong by a day, and no event is told before it happens. A later time would make every notification
 * until then a stale one: it is not believed, and the round is one of its arrival.
 */
const furthestAheadMs = 24 * 3_600_000;

/** How often a new round may meet an even newer one that began at the same moment. */
const maxRaces = 5;

/**
 * Begins rounds: the item first, then the message. Whoever dies in between is made good by the sender's retry, or by
 * the reconciler.
 */
export const createRoundStarter = ({ repository, downloadQueue, now }: RoundStarterDependencies) => {
  const begin = async (request: RoundRequest, round: Round): Promise<Order | 'begun'> => {
    const written = await repository.startRound({ ...request, round, notifiedAtMs: now() });
    if (written.applied) return 'begun';
    if (written.order !== undefined) return written.order;
    throw new PipelineError('INTERNAL_FAULT', `Order ${request.orderId} vanished while a round began`, {
      retryable: true,
    });
  };

  const enqueue = ({ orderId, requestId }: Pick<RoundRequest, 'orderId' | 'requestId'>, round: Round): Promise<void> =>
    downloadQueue.send({ order_id: orderId, round, request_id: requestId });

  const startAt = async (request: RoundRequest, round: Round): Promise<RoundOutcome> => {
    const result = await begin(request, round);
    if (result === 'begun') {
      await enqueue(request, round);
      return 'queued';
    }
    if (result.round !== round) return 'stale';
    // Still NOTIFIED: the first enqueue may be the one that failed.
    if (result.status === 'NOTIFIED') await enqueue({ ...request, requestId: result.request_id }, round);
    return 'duplicate';
  };

  const startNew = async (request: RoundRequest): Promise<RoundOutcome> => {
    let round = roundOfArrival(now());
    for (let race = 0; race < maxRaces; race++) {
      const result = await begin(request, round);
      if (result === 'begun' || result.round === round) {
        await enqueue(request, round);
        return 'queued';
      }
      round = roundAfter(result.round, now());
    }
    throw new PipelineError('INTERNAL_FAULT', `Order ${request.orderId} is notified faster than it can be written`, {
      retryable: true,
    });
  };

  return (request: RoundRequest): Promise<RoundOutcome> => {
    const { occurredAtMs } = request;
    const isBelieved = occurredAtMs !== undefined && occurredAtMs <= now() + furthestAheadMs;
    return isBelieved ? startAt(request, roundOfEvent(occurredAtMs)) : startNew(request);
  };
};

export type StartRound = ReturnType<typeof createRoundStarter>;
