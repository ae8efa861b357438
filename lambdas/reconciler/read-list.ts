import type { Logger } from '@aws-lambda-powertools/logger';
import type { Pass } from '../../shared/completeness/pass-store';
import { walkOpenOrders } from '../../shared/completeness/walk';
import type { OrderId } from '../../shared/orders/order';
import type { QualiaClient } from '../../shared/qualia/client';
import { isForeign, keyOf } from './list-key';
import type { Turn } from './turn';

export interface ListReaderDependencies {
  readonly qualia: Pick<QualiaClient, 'listOpenOrders'>;
  readonly logger: Logger;
  readonly now: () => number;
}

/** Reads Qualia's list of open orders into a pass, and finds the orders that have left it since the last pass. */
export const createListReader = ({ qualia, logger, now }: ListReaderDependencies) => {
  /** Compares the list with the last pass: orders that were open then and are not listed now have left. */
  const closeWalk = (pass: Pass, last: Pass | undefined, isEndless: boolean): void => {
    const walkedAtMs = now();
    pass.header = { ...pass.header, walked_at_ms: walkedAtMs, is_endless: isEndless };
    for (const [key, { previous: _, ...entry }] of last?.open ?? []) {
      if (pass.open.has(key) || isForeign(key)) continue;
      // The walk may have missed the order, so it has not certainly left.
      if (isEndless) pass.open.set(key, entry);
      else pass.closed.set(key, { ...entry, leftAtMs: walkedAtMs });
    }
    for (const [key, entry] of last?.closed ?? []) if (!pass.open.has(key)) pass.closed.set(key, entry);
    if (isEndless) logger.warn('the list of open orders repeats itself', { listed: pass.open.size });
  };

  /**
   * @param last the pass to compare with
   * @returns whether the list was read to its end
   */
  return async (pass: Pass, last: Pass | undefined, { endsAtMs, context }: Turn): Promise<boolean> => {
    const walked = await walkOpenOrders({
      list: (request) => qualia.listOpenOrders(request, context),
      progress: pass.header.walk,
      hasSeen: (id) => pass.open.has(keyOf(id)),
      onOrder: ({ id, fingerprint: listed }) => {
        const key = keyOf(id);
        const before = last?.open.get(key) ?? last?.closed.get(key);
        const fingerprint = listed ?? before?.fingerprint;
        const previous = before?.fingerprint === fingerprint ? undefined : before?.fingerprint;
        pass.open.set(key, { orderId: key as OrderId, fingerprint, previous, startedAtMs: before?.startedAtMs });
      },
      onProgress: (progress) => {
        pass.header = { ...pass.header, walk: progress };
      },
      isTimeUp: () => now() >= endsAtMs,
      onStatusRefused: (error) =>
        logger.warn('Qualia does not show the status of listed orders', {
          error: error.message,
          error_code: error.code,
          status_code: error.statusCode,
          api: error.api,
        }),
    });
    if (walked === 'out of time') return false;
    closeWalk(pass, last, walked === 'endless');
    return true;
  };
};
