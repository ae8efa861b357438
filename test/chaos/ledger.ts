import * as z from 'zod';
import { stateOf } from '../../shared/orders/lifecycle';
import type { Order } from '../../shared/orders/order';

/** One line of the internal API's journal, as far as it counts. */
export const journalEntrySchema = z.object({
  outcome: z.enum(['taken', 'duplicate', 'older_round', 'invalid']),
  order_id: z.string().optional(),
  round: z.string().optional(),
  idempotency_key: z.string().optional(),
});
export type JournalEntry = z.output<typeof journalEntrySchema>;

/** The state after a storm, from three independent sources. */
export interface Books {
  /** Orders of which a webhook was answered with 200: the sender's side. */
  readonly acknowledged: ReadonlySet<string>;
  /** The Orders table: our side. */
  readonly orders: readonly Order[];
  /** Everything that was posted to the internal API, in its order. */
  readonly journal: readonly JournalEntry[];
  /** Orders of which the internal API holds something else than the mapping of what Qualia has. */
  readonly stale: ReadonlySet<string>;
  /** Messages that a worker will still process: the storm was cut off. */
  readonly messagesLeft: number;
  /** Order ids in the dead-letter queues, one for each message; `unknown` for a message that names none. */
  readonly deadLetters: readonly string[];
}

/** Numbers of orders. */
export interface Ledger {
  readonly acknowledged: number;
  readonly processed: number;
  /** For good: nothing is left of their message. */
  readonly failed: number;
  /** Neither processed nor failed for good, and their message is a dead letter. */
  readonly in_dlq: number;
  /**
   * Acknowledged, and nowhere; or said to be processed, and not what the internal API has; or said to have used up its
   * receives, and no dead letter.
   */
  readonly lost: number;
  /** PROCESSED, and the internal API does not hold Qualia's newest state. */
  readonly stale: number;
  /** With more effects at the internal API than their rounds allow: see `isDoubled`. */
  readonly doubled: number;
  /** In the table or at the internal API, although no webhook announced them. */
  readonly unannounced: number;
  /** Orders with one of these are late, not lost. */
  readonly messages_left: number;
  readonly balanced: boolean;
}

/**
 * A round has one effect. A round that an older one may have overtaken has another one, with the same body
 * (docs/contracts/internal-api.md), so an order of one round has exactly one.
 */
const isDoubled = (taken: readonly JournalEntry[]): boolean =>
  taken.length > 2 * new Set(taken.map(({ round }) => round)).size - 1;

/** Adds up: every acknowledged order is in exactly one place, and the internal API has what we say it has. */
export const balance = ({ acknowledged, orders, journal, stale, deadLetters, messagesLeft }: Books): Ledger => {
  const effects = Map.groupBy(
    journal.filter(({ outcome }) => outcome === 'taken'),
    ({ order_id = '' }) => order_id,
  );
  const items = new Map<string, Order>(orders.map((order) => [order.order_id, order]));
  const dead = new Set(deadLetters);
  const count = { processed: 0, failed: 0, in_dlq: 0, lost: 0 };
  for (const orderId of acknowledged)
    count[placeOf(orderId, items.get(orderId), effects.get(orderId) ?? [], dead)] += 1;

  const doubled = [...effects.values()].filter(isDoubled).length;
  const unannounced = new Set([...items.keys(), ...effects.keys()].filter((orderId) => !acknowledged.has(orderId)))
    .size;
  return {
    acknowledged: acknowledged.size,
    ...count,
    stale: stale.size,
    doubled,
    unannounced,
    messages_left: messagesLeft,
    balanced:
      count.lost + count.in_dlq + stale.size + doubled + unannounced + messagesLeft === 0 &&
      count.processed + count.failed === acknowledged.size,
  };
};

const placeOf = (
  orderId: string,
  order: Order | undefined,
  taken: readonly JournalEntry[],
  dead: ReadonlySet<string>,
) => {
  if (order?.status === 'PROCESSED') {
    return taken.some(({ round }) => round === order.posted_round) ? 'processed' : 'lost';
  }
  if (order?.status === 'FAILED' && stateOf(order) !== 'EXHAUSTED') return 'failed';
  return dead.has(orderId) ? 'in_dlq' : 'lost';
};
