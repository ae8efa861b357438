import type { Queue } from '../aws/queue';
import { type DownloadMessage, starterOf } from './message';
import type { Round } from './order';
import type { Rejection } from './repository';

/**
 * How long the message of a round may be on its way after the round was written: longer than a webhook can take, with
 * the difference between two clocks.
 */
export const sendGraceMs = 15_000;

export interface ResendOptions {
  readonly downloadQueue: Pick<Queue<DownloadMessage>, 'send'>;
  readonly now: () => number;
}

/**
 * Sends the download message of the round that superseded a message, if that round is still NOTIFIED after
 * {@link sendGraceMs}: its message may never have been sent, and nobody else may know of it (docs/adr/0032). A message
 * too many does no harm.
 *
 * A message that was sent from here sends none in turn, so that a message causes at most one more.
 *
 * @returns the round whose message was sent; undefined if none was
 */
export const createResendNewest =
  ({ downloadQueue, now }: ResendOptions) =>
  async (superseded: DownloadMessage, { order }: Rejection): Promise<Round | undefined> => {
    if (order?.status !== 'NOTIFIED' || order.round <= superseded.round || superseded.resent) return undefined;
    if (now() - Date.parse(order.notified_at) < sendGraceMs) return undefined;
    const { order_id, round, request_id, notification_type } = order;
    await downloadQueue.send({ order_id, round, request_id, ...starterOf(notification_type), resent: true });
    return round;
  };
