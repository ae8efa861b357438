import type { Queue } from '../aws/queue';
import type { Delivery } from './delivery';
import type { DownloadMessage } from './message';
import type { OrderRepository } from './repository';

/** The longest delay of a message in SQS. */
const maxDelaySeconds = 900;

export interface FreshCopyOptions<Message> {
  readonly queue: Pick<Queue<Message>, 'send'>;
  readonly repository: Pick<OrderRepository, 'recordDeferral'>;
  readonly now: () => number;
}

/** Sends a message again, with all of its receives. A wait that SQS cannot delay it for is stored in the copy. */
export const createFreshCopy =
  <Message extends DownloadMessage>({ queue, repository, now }: FreshCopyOptions<Message>) =>
  async ({ message, mayHaveTakenEffect, waitingSinceMs }: Delivery<Message>, waitSeconds: number): Promise<void> => {
    const notBeforeMs = now() + waitSeconds * 1_000;
    const isLong = waitSeconds > maxDelaySeconds;
    if (isLong) await repository.recordDeferral(message.order_id, message.round, notBeforeMs);
    const copy = {
      ...message,
      first_sent_at: waitingSinceMs,
      ...(isLong && { not_before: notBeforeMs }),
      ...(mayHaveTakenEffect && { retried: true }),
      ...(message.sent_at !== undefined && { sent_at: now() }),
    };
    await queue.send(copy, Math.min(maxDelaySeconds, waitSeconds));
  };
