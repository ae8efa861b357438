import { PipelineError } from '../errors';
import type { OrderId, OrderStatus, Round } from './order';
import { roundAfter, roundOfArrival } from './round';
import type { RoundStart, RoundStore } from './round-store';

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

export interface RoundWriterDependencies {
  readonly repository: RoundStore;
  readonly now: () => number;
}

/** What a round starts with, besides its own time. */
export type RoundFields = Omit<RoundStart, 'round' | 'notifiedAtMs' | 'after'> & {
  /** Default: now. */
  readonly notifiedAtMs?: number | undefined;
};

/** Maximum number of times that a new round can lose against an even newer one that starts concurrently. */
const maxRaces = 5;

const raceLost = (orderId: OrderId) =>
  new PipelineError('INTERNAL_FAULT', `Order ${orderId} cannot begin a round: its item changes too often`, {
    retryable: true,
  });

/** Writes rounds that have no time of their own. */
export const createRoundWriter = ({ repository, now }: RoundWriterDependencies) => ({
  /**
   * Starts a round that is newer than every other.
   *
   * @param newerThan a round that the order has, if one is known: saves a race
   */
  startNewest: async ({ notifiedAtMs, ...fields }: RoundFields, newerThan?: Round): Promise<Round> => {
    let round = newerThan === undefined ? roundOfArrival(now()) : roundAfter(newerThan, now());
    for (let race = 0; race < maxRaces; race++) {
      const written = await repository.startRound({ ...fields, round, notifiedAtMs: notifiedAtMs ?? now() });
      if (written.applied) return round;
      const newest = written.order?.round ?? written.unreadableRound;
      // An equal round is our own: the response to an earlier attempt was lost.
      if (newest === round) return round;
      if (newest === undefined) break;
      round = roundAfter(newest, now());
    }
    throw raceLost(fields.orderId);
  },

  /** Starts a round only if the order is still in the round `after`. The result is `queued` or `stale`. */
  startAfter: async (after: Round, { notifiedAtMs, ...fields }: RoundFields): Promise<StartedRound> => {
    const round = roundAfter(after, now());
    const written = await repository.startRound({ ...fields, round, after, notifiedAtMs: notifiedAtMs ?? now() });
    if (written.applied) return { outcome: 'queued', round, status: fields.download ? 'DOWNLOADED' : 'NOTIFIED' };
    return { outcome: 'stale', round: written.order?.round ?? after, status: written.order?.status ?? 'NOTIFIED' };
  },
});
