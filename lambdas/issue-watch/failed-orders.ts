import type { Issue } from '../../shared/issues/issue';
import type { FailureGroup } from '../../shared/issues/record-failures';
import type { Order, OrderId } from '../../shared/orders/order';
import { type OrderOrUnreadable, type OrderQueries, unreadable } from '../../shared/orders/queries';

const minuteMs = 60_000;
/** Failures up to this age are compared with their issue. */
export const comparedMs = 60 * minuteMs;
/** Until then, the worker that failed an order may still write its issue: its invocation ends within a minute. */
const settledMs = 2 * minuteMs;
/** The clocks of two Lambdas differ by less. */
const clockErrorMs = 1_000;

type FailedOrder = Extract<Order, { readonly status: 'FAILED' }>;

/** An order whose failure has an issue. An earlier release wrote none. */
type GroupedOrder = FailedOrder & { readonly error: { readonly issue_id: string } };

const isGrouped = (order: OrderOrUnreadable): order is GroupedOrder =>
  order !== unreadable && order.status === 'FAILED' && order.error.issue_id !== undefined;

/** Reads the orders that are FAILED and failed since then, from the sparse index. */
export const readFailedOrders = async (
  orders: Pick<OrderQueries, 'listFailed'>,
  sinceMs: number,
): Promise<GroupedOrder[]> => {
  const found: GroupedOrder[] = [];
  for await (const { order } of orders.listFailed(new Date(sinceMs))) if (isGrouped(order)) found.push(order);
  return found;
};

/**
 * Finds failures that their worker did not add to their issue: it crashed, or DynamoDB refused the write. A failure that is
 * older than the last one of its issue counts as added, so that none is added twice.
 */
export const findUnrecorded = (
  failed: readonly GroupedOrder[],
  issues: readonly Issue[],
  nowMs: number,
): FailureGroup[] => {
  const lastSeenMs = new Map(issues.map(({ id, last_seen }) => [id, Date.parse(last_seen)]));
  const unrecorded = failed.filter(({ failed_at, error }) => {
    const atMs = Date.parse(failed_at);
    const isSettled = atMs < nowMs - settledMs && atMs > nowMs - comparedMs;
    return isSettled && atMs > (lastSeenMs.get(error.issue_id) ?? 0) + clockErrorMs;
  });
  return [...Map.groupBy(unrecorded, ({ error }) => error.issue_id)].flatMap(([issueId, orders]) => {
    const [first] = orders;
    return first === undefined ? [] : [groupOf(issueId, first, orders)];
  });
};

const groupOf = (
  issueId: string,
  { order_id, error }: GroupedOrder,
  orders: readonly GroupedOrder[],
): FailureGroup => ({
  issueId,
  cause: { worker: error.stage, code: error.code, statusCode: error.status_code, detail: error.detail },
  count: orders.length,
  sample: order_id satisfies OrderId,
  firstFailedAtMs: Math.min(...orders.map(({ failed_at }) => Date.parse(failed_at))),
});
