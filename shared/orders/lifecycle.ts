import type { Order, OrderStatus } from './order';

/**
 * An order's state as the transitions see it. `EXHAUSTED` is an order that is FAILED only because its receives ran
 * out: its message waits in a dead-letter queue, and a redrive takes the round up where it stopped.
 */
export type State = OrderStatus | 'EXHAUSTED';

export interface Transition {
  readonly from: readonly State[];
  readonly to: OrderStatus;
}

/**
 * Every change of status within a round. A new round may begin in any state, as long as it is newer (`startRound`).
 *
 * A permanent failure of a download counts only while nothing was downloaded: once another delivery of the same message
 * got through, the order is in the hands of processing.
 */
export const transitions = {
  download: { from: ['NOTIFIED', 'EXHAUSTED'], to: 'DOWNLOADED' },
  process: { from: ['DOWNLOADED', 'EXHAUSTED'], to: 'PROCESSED' },
  failDownload: { from: ['NOTIFIED', 'EXHAUSTED'], to: 'FAILED' },
  failProcessing: { from: ['DOWNLOADED', 'EXHAUSTED'], to: 'FAILED' },
  exhaustDownload: { from: ['NOTIFIED', 'DOWNLOADED', 'EXHAUSTED'], to: 'FAILED' },
  exhaustProcessing: { from: ['DOWNLOADED', 'EXHAUSTED'], to: 'FAILED' },
} as const satisfies Record<string, Transition>;

export type TransitionName = keyof typeof transitions;

/** The state that the transitions see an order in. */
export const stateOf = (order: Order): State =>
  order.status === 'FAILED' && order.error.code === 'RETRIES_EXHAUSTED' ? 'EXHAUSTED' : order.status;

/** Whether a transition may start from an order as it stands. The condition in DynamoDB has the last word. */
export const isOpenFor = (name: TransitionName, order: Order): boolean =>
  (transitions[name].from as readonly State[]).includes(stateOf(order));
