import { setTimeout as sleep } from 'node:timers/promises';
import { isClosed, type OrderState, type OrdersTableAddress, openOrdersTable } from './orders-table';

export interface AwaitOptions extends OrdersTableAddress {
  readonly orderIds: readonly string[];
  /** The wait ends if no order was closed for this time. */
  readonly patienceMs: number;
  readonly onProgress: (closed: ReadonlyMap<string, OrderState>) => void;
}

const pollEveryMs = 250;

/** Waits until every order is PROCESSED or FAILED, or none was closed for `patienceMs`. @returns the closed orders by ID */
export const awaitOrders = async (options: AwaitOptions): Promise<ReadonlyMap<string, OrderState>> => {
  const table = openOrdersTable(options);
  const closed = new Map<string, OrderState>();
  let open = [...new Set(options.orderIds)];
  let movedAtMs = Date.now();
  while (open.length > 0 && Date.now() - movedAtMs < options.patienceMs) {
    const newlyClosed = (await table.read(open)).filter(isClosed);
    for (const order of newlyClosed) closed.set(order.order_id, order);
    if (newlyClosed.length > 0) movedAtMs = Date.now();
    open = open.filter((orderId) => !closed.has(orderId));
    options.onProgress(closed);
    if (open.length > 0) await sleep(pollEveryMs);
  }
  table.close();
  return closed;
};
