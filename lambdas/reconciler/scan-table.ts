import { isStuck } from '../../shared/completeness/judge';
import type { Pass } from '../../shared/completeness/pass-store';
import type { OrderId } from '../../shared/orders/order';
import { type OrderOrUnreadable, type OrderQueries, unreadable } from '../../shared/orders/queries';
import type { Turn } from './turn';

export interface TableScanDependencies {
  readonly orders: Pick<OrderQueries, 'scanInFlight'>;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** With passes every hour, a scan begins within 24 hours after the last one. */
const periodMs = 23 * 3_600_000;
/**
 * A page is 128 read units. Four pages in a second use a sixth of what one partition of a table allows, so that a scan
 * slows no worker.
 */
const pageIntervalMs = 250;

/**
 * Once a day, finds the orders whose round waits although neither the list nor an earlier pass names them, and adds them
 * to those that have left: the message of their round was never sent (docs/adr/0034).
 */
export const createTableScan = ({ orders, now, sleep }: TableScanDependencies) => {
  const adopt = ({ open, closed }: Pass, orderId: OrderId, order: OrderOrUnreadable): void => {
    if (open.has(orderId) || closed.has(orderId)) return;
    if (order === unreadable) closed.set(orderId, { orderId, fingerprint: undefined, leftAtMs: now() });
    else if (isStuck(order, {}, now())) {
      // Its round is as new as that, so the order is judged as stuck, not as changed.
      closed.set(orderId, { orderId, fingerprint: undefined, leftAtMs: Date.parse(order.notified_at) });
    }
  };

  /** @returns whether no page is left to read in this pass */
  return async (pass: Pass, { endsAtMs }: Turn): Promise<boolean> => {
    const { scanned_at_ms: scannedAtMs = 0, scan } = pass.header;
    if (scan === undefined && now() - scannedAtMs < periodMs) return true;
    const beganAtMs = scan?.began_at_ms ?? now();
    for (let after = scan?.after as OrderId | undefined; ; await sleep(pageIntervalMs)) {
      if (now() >= endsAtMs) return false;
      const page = await orders.scanInFlight(after);
      for (const [orderId, order] of page.orders) adopt(pass, orderId, order);
      after = page.next;
      if (after === undefined) break;
      pass.header = { ...pass.header, scan: { began_at_ms: beganAtMs, after } };
    }
    pass.header = { ...pass.header, scanned_at_ms: beganAtMs, scan: undefined };
    return true;
  };
};
