import * as z from 'zod';
import { stateOf } from '../../shared/orders/lifecycle';
import type { Order } from '../../shared/orders/order';

/** One line of the journal that the simulator of the internal API writes. */
export const journalEntrySchema = z.object({
  outcome: z.enum(['taken', 'duplicate', 'older_round', 'invalid']),
  order_id: z.string().optional(),
  round: z.string().optional(),
  idempotency_key: z.string().optional(),
});
export type JournalEntry = z.output<typeof journalEntrySchema>;

/** The state after a storm, from independent sources. */
export interface FinalState {
  /** Orders with a webhook that got a 200. */
  readonly acknowledged: ReadonlySet<string>;
  /** The Orders table. */
  readonly orders: readonly Order[];
  /** Everything that was posted to the internal API, in sequence. */
  readonly journal: readonly JournalEntry[];
  /** Orders whose body at the internal API differs from the mapping of Qualia's current state. */
  readonly stale: ReadonlySet<string>;
  /** Messages that are still in the workers' queues, because the storm reached its deadline. */
  readonly messagesLeft: number;
  /** Order ids in the dead-letter queues, one for each message; `unknown` for a message without one. */
  readonly deadLetters: readonly string[];
}

/** Numbers of orders. */
export interface Ledger {
  readonly acknowledged: number;
  readonly processed: number;
  /** FAILED permanently. */
  readonly failed: number;
  /** Neither processed nor FAILED permanently, with a dead letter. */
  readonly in_dlq: number;
  /**
   * Acknowledged, with one of: no item and no dead letter; PROCESSED, but the internal API did not get the posted round;
   * `RETRIES_EXHAUSTED` without a dead letter.
   */
  readonly lost: number;
  /** PROCESSED, but the internal API does not have Qualia's newest state. */
  readonly stale: number;
  /** With too many effects at the internal API: see `isDoubled`. */
  readonly doubled: number;
  /** In the table or at the internal API without an acknowledged webhook. */
  readonly unannounced: number;
  /** If messages are left, an order that counts as lost may only be late. */
  readonly messages_left: number;
  /** Whether every acknowledged order is processed or FAILED permanently, and all other counts are zero. */
  readonly balanced: boolean;
}

/**
 * A round has one effect. If an older round may have overtaken it, it has a second effect, with the same body
 * (docs/contracts/internal-api.md). The first round of an order has exactly one.
 */
const isDoubled = (taken: readonly JournalEntry[]): boolean =>
  taken.length > 2 * new Set(taken.map(({ round }) => round)).size - 1;

/** Counts each acknowledged order once, by its final state, and compares the table with the internal API's journal. */
export const balance = ({ acknowledged, orders, journal, stale, deadLetters, messagesLeft }: FinalState): Ledger => {
  const effects = Map.groupBy(
    journal.filter(({ outcome }) => outcome === 'taken'),
    ({ order_id = '' }) => order_id,
  );
  const items = new Map<string, Order>(orders.map((order) => [order.order_id, order]));
  const dead = new Set(deadLetters);
  const count = { processed: 0, failed: 0, in_dlq: 0, lost: 0 };
  for (const orderId of acknowledged)
    count[categoryOf(orderId, items.get(orderId), effects.get(orderId) ?? [], dead)] += 1;

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

const categoryOf = (
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
