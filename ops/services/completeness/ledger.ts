import { isInFlight } from '../../../shared/completeness/judge';
import type { OrderId } from '../../../shared/orders/order';
import { type OrderOrUnreadable, unreadable } from '../../../shared/orders/queries';

/**
 * Where an order is: `proven` if the internal API got the status that Qualia shows, and the order was checked lately.
 * `failed` is accounted for, as it is visible and can be replayed, and so is what is in flight for minutes.
 */
export const accounted = ['proven', 'in_flight', 'failed'] as const;
/** Where an order must not be. */
export const unaccounted = ['missing', 'drifted', 'stuck', 'unchecked', 'unreadable'] as const;
export type Gap = (typeof unaccounted)[number];
export type Standing = (typeof accounted)[number] | Gap;

/** An order that is not accounted for, and why. */
export interface Unaccounted {
  readonly orderId: OrderId;
  readonly gap: Gap;
}

/** What was counted, order by order. */
export interface LedgerEntries {
  readonly counts: Readonly<Record<Standing, number>>;
  readonly unaccounted: readonly Unaccounted[];
  readonly oldestInFlightMs: number;
}

const isGap = (standing: Standing): standing is Gap => (unaccounted as readonly Standing[]).includes(standing);

/** Counts orders by where they are, and remembers those that are not accounted for. */
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

    /** Orders that were added. */
    size: (): number => Object.values(counts).reduce((sum, count) => sum + count, 0),

    entries: (): LedgerEntries => ({
      counts: counts as Record<Standing, number>,
      unaccounted: gaps,
      oldestInFlightMs,
    }),
  };
};
