import type { QualiaOrder } from '../../samples/orders';
import { withBadValues, withUnknownState } from '../../samples/orders';
import type { Fault } from '../simulators/faults';

const notificationEveryMs = 60_000;

/** A special case: what happens to an order during a day, and to how many orders. */
export interface OrderStory {
  readonly name: string;
  /** Shape of its webhooks. A `notification` needs an order with a `QO-` id, an `activity` one without. */
  readonly shape: 'notification' | 'activity';
  /** Share of all orders, 0 to 1; at least one order has it. */
  readonly share: number;
  /** Its webhooks, one after the other; default: one plain webhook. `ageMs` is how much older it is than the newest. */
  readonly sends?: readonly {
    readonly ageMs?: number;
    readonly shape?: 'notification' | 'activity';
    readonly expectedAnswer?: 'queued' | 'duplicate' | 'stale';
  }[];
  /** The order that Qualia has instead of the sample order; undefined for none. */
  readonly order?: (order: QualiaOrder) => QualiaOrder | undefined;
  /** Faults that affect only this order. */
  readonly qualiaFaults?: readonly Omit<Fault, 'match'>[];
  readonly internalApiFaults?: readonly Omit<Fault, 'match'>[];
  /** Default `PROCESSED`. */
  readonly outcome?: 'PROCESSED' | 'FAILED';
  readonly errorCode?: string;
}

/**
 * The special cases of a mixed day. A temporary failure occurs once, so that a retry within one invocation succeeds:
 * the download's circuit breaker opens after five consecutive failures, and a day should not wait for it.
 */
export const orderStories: readonly OrderStory[] = [
  { name: 'sent twice', shape: 'notification', share: 0.04, sends: [{}, { expectedAnswer: 'duplicate' }] },
  {
    name: 'overtaken',
    shape: 'notification',
    share: 0.04,
    sends: [{}, { ageMs: notificationEveryMs, expectedAnswer: 'stale' }],
  },
  { name: 'updated', shape: 'notification', share: 0.04, sends: [{ ageMs: notificationEveryMs }, {}] },
  {
    name: 'updated, then twice, then overtaken',
    shape: 'notification',
    share: 0.01,
    sends: [
      { ageMs: notificationEveryMs },
      {},
      { expectedAnswer: 'duplicate' },
      { ageMs: notificationEveryMs / 2, expectedAnswer: 'stale' },
    ],
  },
  { name: 'activity about a QO- id', shape: 'notification', share: 0.04, sends: [{ shape: 'activity' }] },
  { name: 'active again', shape: 'activity', share: 0.04, sends: [{}, {}] },
  { name: 'bad values', shape: 'activity', share: 0.01, order: withBadValues },

  {
    name: 'unknown state',
    shape: 'notification',
    share: 0.01,
    order: withUnknownState,
    outcome: 'FAILED',
    errorCode: 'UNKNOWN_STATE',
  },
  {
    name: 'unknown at Qualia',
    shape: 'notification',
    share: 0.01,
    order: () => undefined,
    outcome: 'FAILED',
    errorCode: 'ORDER_NOT_FOUND',
  },
  {
    name: 'not found, as a GraphQL error',
    shape: 'activity',
    share: 0.004,
    qualiaFaults: [{ kind: 'not_found' }],
    outcome: 'FAILED',
  },
  {
    name: 'forbidden at Qualia',
    shape: 'activity',
    share: 0.004,
    qualiaFaults: [{ kind: 'client_error', status: 403 }],
    outcome: 'FAILED',
  },
  {
    name: 'never readable',
    shape: 'activity',
    share: 0.002,
    qualiaFaults: [{ kind: 'garbage' }],
    outcome: 'FAILED',
    errorCode: 'BAD_ANSWER',
  },

  {
    name: 'Qualia down once',
    shape: 'notification',
    share: 0.004,
    qualiaFaults: [{ kind: 'server_error', times: 1 }],
  },
  {
    name: 'Qualia asks to wait',
    shape: 'activity',
    share: 0.004,
    qualiaFaults: [{ kind: 'rate_limited', times: 1, retry_after: 1 }],
  },
  { name: 'Qualia hangs up once', shape: 'notification', share: 0.004, qualiaFaults: [{ kind: 'hang_up', times: 1 }] },
  { name: 'unreadable once', shape: 'activity', share: 0.004, qualiaFaults: [{ kind: 'garbage', times: 1 }] },
  {
    name: 'GraphQL error once',
    shape: 'notification',
    share: 0.004,
    qualiaFaults: [{ kind: 'graphql_error', times: 1 }],
  },
  {
    name: 'slow at Qualia',
    shape: 'activity',
    share: 0.004,
    qualiaFaults: [{ kind: 'slow', latency_ms: 1_500, times: 1 }],
  },
  {
    name: 'internal API down once',
    shape: 'notification',
    share: 0.004,
    internalApiFaults: [{ kind: 'server_error', times: 1 }],
  },
  {
    name: "internal API's answer lost once",
    shape: 'activity',
    share: 0.004,
    internalApiFaults: [{ kind: 'lost_answer', times: 1 }],
  },
];
