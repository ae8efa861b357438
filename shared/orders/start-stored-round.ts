import type { Queue } from '../aws/queue';
import { type ProcessingMessage, starterOf } from './message';
import type { Round } from './order';
import type { StoredPayload } from './payload-store';
import { createRoundWriter, type RoundWriterDependencies, type StartedRound } from './round-writer';
import type { RoundRequest } from './start-round';

export interface StoredRoundRequest extends Omit<RoundRequest, 'occurredAt' | 'notifiedAtMs' | 'after'> {
  /** The order's round when the caller chose the payload. If a newer one has started since, the result is `stale`. */
  readonly after: Round;
  /** The bytes to process again. */
  readonly payload: StoredPayload;
  /** When their download began, if that is known: an event after it is never stale. */
  readonly downloadStartedAtMs?: number | undefined;
}

export interface StoredRoundStarterDependencies extends RoundWriterDependencies {
  readonly processingQueue: Pick<Queue<ProcessingMessage>, 'send'>;
}

/**
 * Starts rounds from stored bytes: the item becomes DOWNLOADED at once, and its message goes to processing. After a crash
 * between the two, the reconciler finds the order and downloads it again.
 *
 * One conditional write starts the round and records its download. These bytes never supersede a round that started
 * meanwhile, which has newer ones.
 */
export const createStoredRoundStarter = ({ repository, processingQueue, now }: StoredRoundStarterDependencies) => {
  const writer = createRoundWriter({ repository, now });

  return async (request: StoredRoundRequest): Promise<StartedRound> => {
    const { payload, downloadStartedAtMs, after, ...fields } = request;
    const { s3Key, checksum, sizeBytes } = payload;
    const download = {
      s3Key,
      checksum,
      payloadSizeBytes: sizeBytes,
      receiveCount: 0,
      startedAtMs: downloadStartedAtMs,
      downloadedAtMs: now(),
    };
    const started = await writer.startAfter(after, { ...fields, download });
    if (started.outcome === 'queued') {
      await processingQueue.send({
        order_id: fields.orderId,
        round: started.round,
        request_id: fields.requestId,
        ...starterOf(fields.notificationType),
        s3_key: s3Key,
        checksum,
        sent_at: now(),
      });
    }
    return started;
  };
};

export type StartStoredRound = ReturnType<typeof createStoredRoundStarter>;
