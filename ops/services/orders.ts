import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Order, OrderId, OrderStatus } from '../../shared/orders/order';
import { createOrderQueries, type OrderOrUnreadable, unreadable } from '../../shared/orders/queries';
import { createOrderRepository } from '../../shared/orders/repository';
import type { StageConnection } from './stage-connection';
import { readStoredOrders } from './stored-orders';

/** An object in S3. */
export interface PayloadLocation {
  readonly bucket: string;
  readonly key: string;
}

/** An order, and the location of its round's raw payload, if one is stored. */
export interface OrderDetails {
  readonly order: Order;
  readonly payload: PayloadLocation | undefined;
  /** Whether the internal API's refusal is stored with the order. */
  readonly answerKept: boolean;
}

/** An order whose newest round failed. */
export type FailedOrder = Extract<Order, { readonly status: 'FAILED' }>;

export interface FailedOrders {
  /** Newest first. */
  readonly orders: readonly FailedOrder[];
  /** Orders whose item does not have the format of this version. */
  readonly unreadableIds: readonly OrderId[];
}

export interface ReadOptions {
  /** Includes the internal API's refusal, which may contain personal data. */
  readonly withAnswer?: boolean;
}

/** An order before a replay. `status` is undefined if the order is unknown or unreadable. */
export interface ReplayCandidate {
  readonly orderId: OrderId;
  readonly status: OrderStatus | undefined;
  readonly errorCode: string | undefined;
}

/** Reads the orders of a stage. */
export const createOrderService = (stage: StageConnection) => {
  const documents = DynamoDBDocumentClient.from(stage.dynamodb, { marshallOptions: { removeUndefinedValues: true } });
  const repository = createOrderRepository(documents, stage.ordersTableName);
  const queries = createOrderQueries(documents, stage.ordersTableName);

  return {
    /** Reads one order consistently; undefined if it does not exist. */
    get: async (orderId: OrderId, { withAnswer = false }: ReadOptions = {}): Promise<OrderDetails | undefined> => {
      const order = await repository.read(orderId);
      if (order === undefined) return undefined;
      const failed = order.status === 'FAILED' ? order : undefined;
      return {
        order: failed && !withAnswer ? withoutAnswer(failed) : order,
        payload: payloadOf(order, stage.rawBucketName),
        answerKept: failed?.error.answer !== undefined,
      };
    },

    /** Every order that is FAILED and failed since then. Reads only the sparse index. */
    listFailed: async (since: Date): Promise<FailedOrders> => {
      const orders: FailedOrder[] = [];
      const unreadableIds: OrderId[] = [];
      for await (const { orderId, order } of queries.listFailed(since)) {
        if (order === unreadable) unreadableIds.push(orderId);
        else if (order.status === 'FAILED') orders.push(withoutAnswer(order));
      }
      return { orders: orders.sort((a, b) => b.failed_at.localeCompare(a.failed_at)), unreadableIds };
    },

    /**
     * Lists orders whose newest round was processed since then. Reads the item of every order that has a stored payload,
     * because a recent round may have processed an old payload.
     *
     * @param onRead receives the number of orders read so far
     */
    listProcessed: async (since: Date, onRead: (orders: number) => void): Promise<ReplayCandidate[]> => {
      const found: ReplayCandidate[] = [];
      let count = 0;
      const everything = { since: new Date(0), onListed: () => undefined };
      for await (const { orderId, order } of readStoredOrders(stage, everything)) {
        onRead(++count);
        if (order === unreadable || order.status !== 'PROCESSED') continue;
        if (Date.parse(order.processed_at) >= since.getTime()) found.push(toCandidate(orderId, order));
      }
      return found;
    },

    /** Reads orders before a replay, in the order of `orderIds`. */
    readCandidates: async (orderIds: readonly OrderId[]): Promise<ReplayCandidate[]> => {
      const known = await queries.readMany(orderIds);
      return orderIds.map((orderId) => toCandidate(orderId, known.get(orderId)));
    },
  };
};

/** Returns an order as the plan of a replay shows it. */
export const toCandidate = (orderId: OrderId, order: OrderOrUnreadable | undefined): ReplayCandidate =>
  order === unreadable
    ? { orderId, status: undefined, errorCode: unreadable }
    : { orderId, status: order?.status, errorCode: order?.status === 'FAILED' ? order.error.code : undefined };

const withoutAnswer = (order: FailedOrder): FailedOrder => {
  const { answer, ...error } = order.error;
  return { ...order, error };
};

const payloadOf = (order: Order, bucket: string): PayloadLocation | undefined => {
  if ('s3_key' in order && order.s3_key !== undefined) return { bucket, key: order.s3_key };
  // An unreadable response is stored under another key, which is not in the item.
  if (order.status === 'FAILED' && order.error.code === 'BAD_ANSWER') {
    return { bucket, key: `rejected/${order.order_id}/${order.round}.txt` };
  }
  return undefined;
};
