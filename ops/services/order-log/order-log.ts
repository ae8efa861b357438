import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { type Order, type OrderId, orderIdSchema } from '../../../shared/orders/order';
import { createOrderQueries, unreadable } from '../../../shared/orders/queries';
import { ServiceFault } from '../fault';
import { createLogService, type LogRow, type LogService } from '../logs';
import { createOrderService } from '../orders';
import { createPayloadService } from '../payloads';
import type { StageConnection } from '../stage-connection';
import { parseLogTime, readOrderLines } from './lines';
import { type TracedRound, traceOf } from './trace';
import {
  isOpenOrder,
  type OpenOrder,
  type RetryGroup,
  retryGroupQuery,
  retryGroupsOf,
  type Tries,
  toRetryGroup,
  triesOf,
} from './tries';

/** The history of an order. */
export interface Trace {
  readonly orderId: OrderId;
  /** Undefined if there is no item. */
  readonly order: Order | undefined;
  /** The oldest first. */
  readonly rounds: readonly TracedRound[];
  /** What was tried in the newest round, while it is open. */
  readonly tries: Tries | undefined;
}

/** An open order, and what was tried for it. */
export interface WaitingOrder {
  readonly order: OpenOrder;
  readonly tries: Tries;
}

/** An order that was posted without a value that could not be read. */
export interface WarnedOrder {
  readonly orderId: string;
  readonly processedAt: Date;
  /** Code and field of its first warning. */
  readonly code: string;
  readonly field: string;
}

/** The clocks of the services that write lines can differ. */
const clockToleranceMs = 60_000;

/** The limit of CloudWatch Logs Insights. */
const maxRows = 10_000;

/** The newest round of an order wrote no line before this time. */
const startOf = ({ notified_at }: Order): Date => new Date(Date.parse(notified_at) - clockToleranceMs);

/**
 * Finds the orders whose newest line is not about the end of a round. It also finds some closed ones: the webhook logs
 * after its send, and a message of an older round can follow.
 */
const openOrderQuery = [
  'filter ispresent(order_id) and level != "DEBUG" and service in ["webhook", "download", "processing", "reconciler"]',
  'fields strcontains(coalesce(status, ""), "PROCESSED") + strcontains(coalesce(status, ""), "FAILED") as closes',
  'fields toMillis(@timestamp) * closes as closed_at, toMillis(@timestamp) * (1 - closes) as open_at',
  'stats max(closed_at) as last_closed, max(open_at) as last_open by order_id',
  'filter last_open >= last_closed',
  'sort last_open desc',
].join(' | ');

const warnedOrderQuery = [
  'filter message = "order processed" and ispresent(warnings.0.code)',
  'stats max(@timestamp) as at, latest(warnings.0.code) as code, latest(warnings.0.field) as field by order_id',
  'sort at desc',
].join(' | ');

/** The orders that wrote a line, the newest first. */
const recentOrderQuery = (limit: number): string =>
  [
    'filter ispresent(order_id) and level != "DEBUG"',
    'stats max(@timestamp) as at by order_id',
    'sort at desc',
    `limit ${limit}`,
  ].join(' | ');

/** Maximum number of recent orders. */
const maxRecent = 1_000;

/** What the logs say about orders. A clean order writes nothing extra for it. */
export const createOrderLog = (
  stage: StageConnection,
  now: () => number,
  logs: Pick<LogService, 'search'> = createLogService(stage),
) => {
  const periodSince = (since: Date) => ({ since, until: new Date(now()) });

  const readRetries = async (condition: string, since: Date): Promise<RetryGroup[]> => {
    const rows = await logs.search(retryGroupQuery(condition), { ...periodSince(since), limit: maxRows });
    return rows.flatMap((row) => toRetryGroup(row) ?? []);
  };

  const queries = createOrderQueries(DynamoDBDocumentClient.from(stage.dynamodb), stage.ordersTableName);
  /** Reads the items of the orders that a query finds, in its order. */
  const readFound = async (rows: readonly LogRow[]): Promise<Order[]> => {
    const orderIds = rows.flatMap((row) => orderIdSchema.safeParse(row.get('order_id')).data ?? []);
    const known = await queries.readMany(orderIds);
    return orderIds.flatMap((orderId) => {
      const order = known.get(orderId);
      return order === undefined || order === unreadable ? [] : [order];
    });
  };

  return {
    /** What the worker has tried for an open order, in its newest round. */
    triesOf: async (order: OpenOrder): Promise<Tries> => {
      const retries = await readRetries(`order_id = "${order.order_id}"`, startOf(order));
      return triesOf(order, retries);
    },

    /**
     * The open orders that wrote a line since then, the oldest first. Reads the logs and the items of these orders; never
     * scans the table.
     */
    listOpen: async (since: Date): Promise<WaitingOrder[]> => {
      const [rows, retries] = await Promise.all([
        logs.search(openOrderQuery, { ...periodSince(since), limit: maxRows }),
        readRetries('ispresent(order_id)', since),
      ]);
      const groups = Map.groupBy(retries, ({ orderId }) => orderId);
      return (await readFound(rows))
        .filter(isOpenOrder)
        .map((order) => ({ order, tries: triesOf(order, groups.get(order.order_id) ?? []) }))
        .sort((a, b) => a.order.notified_at.localeCompare(b.order.notified_at));
    },

    /** The orders that were posted with warnings since then, the newest first. */
    listWarned: async (since: Date): Promise<WarnedOrder[]> => {
      const rows = await logs.search(warnedOrderQuery, { ...periodSince(since), limit: maxRows });
      return rows.map((row) => ({
        orderId: row.get('order_id') ?? '',
        processedAt: parseLogTime(row.get('at') ?? ''),
        code: row.get('code') ?? '',
        field: row.get('field') ?? '',
      }));
    },

    /** The orders that wrote a line since then, the newest first; at most 1,000. */
    listRecent: async (since: Date): Promise<Order[]> =>
      readFound(await logs.search(recentOrderQuery(maxRecent), { ...periodSince(since), limit: maxRecent })),

    /** Finds the order with an ID, and those that wrote a line with this request ID since then. */
    find: async (id: string, since: Date): Promise<Order[]> => {
      const { data: orderId } = orderIdSchema.safeParse(id);
      if (orderId === undefined) return [];
      const query = `filter request_id = "${orderId}" and ispresent(order_id) | stats count(*) as times by order_id`;
      const [byId, rows] = await Promise.all([
        queries.readMany([orderId]),
        logs.search(query, { ...periodSince(since), limit: maxRecent }),
      ]);
      const named = byId.get(orderId);
      const found = [...(named === undefined || named === unreadable ? [] : [named]), ...(await readFound(rows))];
      return [...new Map(found.map((order) => [order.order_id, order])).values()];
    },

    /**
     * The history of an order, from its item, its stored payloads and its log lines since then.
     *
     * @throws {ServiceFault} `absent` if none of them knows the order
     */
    trace: async (orderId: OrderId, since: Date): Promise<Trace> => {
      const [details, payloads, lines] = await Promise.all([
        createOrderService(stage).get(orderId),
        createPayloadService(stage).listRounds(orderId),
        readOrderLines(logs, orderId, periodSince(since)),
      ]);
      const order = details?.order;
      const rounds = traceOf({ order, lines, payloads });
      if (rounds.length === 0) throw new ServiceFault('absent', `There is no order ${orderId} in ${stage.name}.`);
      const tries = order && isOpenOrder(order) ? triesOf(order, retryGroupsOf(lines)) : undefined;
      return { orderId, order, rounds, tries };
    },
  };
};
