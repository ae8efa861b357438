import { isInFlight } from '../../../shared/completeness/judge';
import type { OrderId } from '../../../shared/orders/order';
import { type OrderOrUnreadable, unreadable } from '../../../shared/orders/queries';

/**
 * States in which an order is accounted for. `proven`: the internal API has the status that Qualia shows, and the order
 * was checked recently. `failed` counts because such an order is visible and can be replayed.
 */
export const accounted = ['proven', 'in_flight', 'failed'] as const;
/** States in which an order is not accounted for. */
export const unaccounted = ['missing', 'drifted', 'stuck', 'unchecked', 'unreadable'] as const;
export type Gap = (typeof unaccounted)[number];
export type Standing = (typeof accounted)[number] | Gap;

/** An order that is not accounted for, and the reason. */
export interface Unaccounted {
  readonly orderId: OrderId;
  readonly gap: Gap;
}

/** The counts, and the orders that are not accounted for. */
export interface LedgerEntries {
  readonly counts: Readonly<Record<Standing, number>>;
  readonly unaccounted: readonly Unaccounted[];
  readonly oldestInFlightMs: number;
}

const isGap = (standing: Standing): standing is Gap => (unaccounted as readonly Standing[]).includes(standing);

/** Counts orders by state, and keeps those that are not accounted for. */
export const openLedger = (now: () => number) => {
  const counts = Object.fromEntries([...accounted, ...unaccounted].map((standing) => [standing, 0]));
  const gaps: Unaccounted[] = [];
  let oldestInFlightMs = 0;
  return {
    add: (orderId: OrderId, standing: Standing, order: OrderOrUnreadable | undefined): void => {
      counts[standing] = (counts[standing] ?? 0) + 1;
      if (isGap(standing)) gaps.push({ orderId, gap: standing });
      if (order === undefined || order === unreadable || !isInFlight(order)) return;
      oldestInFlightMs = Math.max(oldestInFlightMs, now() - Date.parse(order.notified_at));
    },

    /** The number of orders that were added. */
    size: (): number => Object.values(counts).reduce((sum, count) => sum + count, 0),

    entries: (): LedgerEntries => ({
      counts: counts as Record<Standing, number>,
      unaccounted: gaps,
      oldestInFlightMs,
    }),
  };
};
