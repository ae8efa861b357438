import type { Logger } from '@aws-lambda-powertools/logger';
import type { Queue } from '../../shared/aws/queue';
import { toPipelineError } from '../../shared/errors';
import type { DownloadMessage } from '../../shared/orders/message';
import type { KeepUnsent } from '../../shared/orders/unsent-keeper';

interface UnsentKeeperOptions {
  readonly queue: Pick<Queue<DownloadMessage>, 'send'>;
  readonly keepUnsent: KeepUnsent;
  readonly logger: Logger;
}

/**
 * The download queue as the webhook uses it. A message that it cannot send is kept for the reconciler, because the sender
 * of the webhook may give up. The webhook fails all the same: the sender's retry is faster than the reconciler.
 */
export const createKeepingQueue = ({
  queue,
  keepUnsent,
  logger,
}: UnsentKeeperOptions): Pick<Queue<DownloadMessage>, 'send'> => ({
  send: async (message) => {
    try {
      await queue.send(message);
    } catch (failure) {
      await keepUnsent(message).catch((thrown: unknown) => {
        const error = toPipelineError(thrown);
        logger.error('unsent message was not kept', {
          error: error.message,
          error_code: error.code,
          error_details: error,
        });
      });
      throw failure;
    }
  },
});
