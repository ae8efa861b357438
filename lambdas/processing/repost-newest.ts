import { PipelineError } from '../../shared/errors';
import type { Order } from '../../shared/orders/order';
import type { OrderRepository } from '../../shared/orders/repository';
import type { StartStoredRound } from '../../shared/orders/start-round';

export interface RepostDependencies {
  readonly repository: Pick<OrderRepository, 'read' | 'requestRepost'>;
  readonly startStoredRound: StartStoredRound;
}

/** How often the order may move on while the repost is requested. */
const maxRaces = 5;

/**
 * Posts the newest payload once more after an older round may have posted over it: what the internal API holds is then
 * unknown (docs/contracts/internal-api.md). A round that is still open only needs the request; a closed one needs a
 * new round from the bytes that it processed.
 *
 * @throws {PipelineError} `INTERNAL_FAULT`, retryable, when the order keeps moving on
 */
export const createRepostNewest =
  ({ repository, startStoredRound }: RepostDependencies) =>
  async (older: Order['round'], newest: Order | undefined): Promise<void> => {
    let order = newest;
    for (let race = 0; race < maxRaces; race++) {
      if (order === undefined || order.round <= older) return;
      if (order.status === 'PROCESSED') {
        const started = await startStoredRound({
          orderId: order.order_id,
          requestId: order.request_id,
          notificationType: 'overtaken',
          force: true,
          after: order.round,
          payload: { s3Key: order.s3_key, checksum: order.checksum, sizeBytes: order.payload_size },
          ...(order.download_started_at !== undefined && {
            downloadStartedAtMs: Date.parse(order.download_started_at),
          }),
        });
        if (started.outcome === 'queued') return;
        order = await repository.read(order.order_id);
        continue;
      }
      const written = await repository.requestRepost(order.order_id, order.round, older);
      if (written.applied) return;
      order = written.order;
    }
    throw new PipelineError('INTERNAL_FAULT', 'The order moves on faster than its repost can be requested', {
      retryable: true,
    });
  };
