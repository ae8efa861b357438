import type { Order, OrderStatus } from '../../../shared/orders/order';

/** `EXHAUSTED` is FAILED with `RETRIES_EXHAUSTED`: a redrive resumes the round. */
type Status = OrderStatus | 'EXHAUSTED';

const next: Readonly<Record<Status, readonly Status[]>> = {
  NOTIFIED: ['DOWNLOADED', 'FAILED', 'EXHAUSTED'],
  DOWNLOADED: ['PROCESSED', 'FAILED', 'EXHAUSTED'],
  EXHAUSTED: ['DOWNLOADED', 'PROCESSED', 'FAILED'],
  PROCESSED: [],
  FAILED: [],
};

const statusOf = (order: Order): Status =>
  order.status === 'FAILED' && order.error.code === 'RETRIES_EXHAUSTED' ? 'EXHAUSTED' : order.status;

/** Whether an order can get from one state to the other by any number of transitions. It never moves backwards. */
export const isReachable = (before: Order | undefined, after: Order | undefined): boolean => {
  if (before === undefined) return true;
  if (after === undefined || after.round < before.round) return false;
  if (after.round > before.round) return true;
  const reachable = new Set<Status>([statusOf(before)]);
  for (const status of reachable) for (const following of next[status]) reachable.add(following);
  return reachable.has(statusOf(after));
};
