import type { Order, OrderStatus } from './order';

/**
 * An order's state in the table of transitions. `EXHAUSTED` is an order that is FAILED only because its receives ran
 * out: its message is in a dead-letter queue, and a redrive resumes the round where it stopped.
 */
export type State = OrderStatus | 'EXHAUSTED';

export interface Transition {
  readonly from: readonly State[];
  readonly to: OrderStatus;
}

/**
 * Every change of status within a round. A new round may begin in any state, as long as it is newer (`startRound`).
 *
 * A permanent failure of a download counts only while nothing is downloaded: once another delivery of the same message
 * has succeeded, processing decides the order's outcome.
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

/** An order's state in the table of transitions. */
export const stateOf = (order: Order): State =>
  order.status === 'FAILED' && order.error.code === 'RETRIES_EXHAUSTED' ? 'EXHAUSTED' : order.status;

/** Whether a transition can start from an order's current state. The condition in DynamoDB decides in the end. */
export const isOpenFor = (name: TransitionName, order: Order): boolean =>
  (transitions[name].from as readonly State[]).includes(stateOf(order));
