import type { Order } from '../../../../shared/orders/order';
import { createOrderLog, type WaitingOrder } from '../../../services/order-log/order-log';
import { isOpenOrder } from '../../../services/order-log/tries';
import { createOrderService } from '../../../services/orders';
import type { StageConnection } from '../../../services/stage-connection';

/** The lists of orders. */
export const orderTabs = ['open', 'failed', 'warnings', 'recent'] as const;
export type OrderTab = (typeof orderTabs)[number];

/** A row of a list. */
export interface OrderRow {
  readonly order_id: string;
  /** Null if it has no item. */
  readonly status: Order['status'] | null;
  /** When it was notified, failed or processed. */
  readonly at: string;
  /** The worker that it failed in or waits for. */
  readonly worker: string | null;
  /** The code of its error or warning. */
  readonly code: string | null;
  /** A sentence, or the field of a warning. */
  readonly detail: string | null;
  /** The last receive of its message, of five. */
  readonly receive: number | null;
  readonly held_by_circuit: boolean;
  readonly next_attempt_at: string | null;
}

const nothing = {
  worker: null,
  code: null,
  detail: null,
  receive: null,
  held_by_circuit: false,
  next_attempt_at: null,
};

const timeOf = (order: Order): string => {
  if (order.status === 'FAILED') return order.failed_at;
  if (order.status === 'PROCESSED') return order.processed_at;
  return order.notified_at;
};

const toRow = (order: Order): OrderRow => {
  const row = { ...nothing, order_id: order.order_id, status: order.status, at: timeOf(order) };
  if (order.status === 'FAILED') {
    const { stage: worker, code, message: detail } = order.error;
    return { ...row, worker, code, detail };
  }
  const [warning] = order.status === 'PROCESSED' ? (order.warnings ?? []) : [];
  return warning === undefined ? row : { ...row, code: warning.code, detail: warning.field };
};

const toWaitingRow = ({ order, tries }: WaitingOrder): OrderRow => ({
  ...toRow(order),
  worker: tries.worker,
  code: tries.lastFailure?.code ?? null,
  detail: tries.lastFailure?.error ?? null,
  receive: tries.lastReceive ?? null,
  held_by_circuit: tries.isHeldByCircuit,
  next_attempt_at: tries.nextAttemptAt?.toISOString() ?? null,
});

/** Reads the lists of orders. */
export const createOrderLists = (stage: StageConnection, now: () => number) => {
  const orders = createOrderService(stage);
  const log = createOrderLog(stage, now);
  const withTries = async (order: Order): Promise<OrderRow> =>
    isOpenOrder(order) ? toWaitingRow({ order, tries: await log.triesOf(order) }) : toRow(order);

  const lists: Readonly<Record<OrderTab, (since: Date) => Promise<OrderRow[]>>> = {
    open: async (since) => (await log.listOpen(since)).map(toWaitingRow),
    failed: async (since) => (await orders.listFailed(since)).orders.map(toRow),
    warnings: async (since) =>
      (await log.listWarned(since)).map(({ orderId, processedAt, code, field }) => ({
        ...nothing,
        order_id: orderId,
        status: 'PROCESSED',
        at: processedAt.toISOString(),
        code,
        detail: field,
      })),
    recent: async (since) => (await log.listRecent(since)).map(toRow),
  };

  return {
    list: (tab: OrderTab, since: Date): Promise<OrderRow[]> => lists[tab](since),

    /** Finds orders by their ID, or by a request ID. */
    find: async (text: string, since: Date): Promise<OrderRow[]> =>
      Promise.all((await log.find(text, since)).map(withTries)),
  };
};
