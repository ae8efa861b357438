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

/** An order, and where the raw payload of its round is, if anything of it was kept. */
export interface OrderDetails {
  readonly order: Order;
  readonly payload: PayloadLocation | undefined;
  /** Whether the order keeps what the internal API said when it refused it. */
  readonly answerKept: boolean;
}

/** An order whose newest round failed. */
export type FailedOrder = Extract<Order, { status: 'FAILED' }>;

export interface FailedOrders {
  /** Newest first. */
  readonly orders: readonly FailedOrder[];
  /** Orders whose item does not have the format of this version. */
  readonly unreadableIds: readonly OrderId[];
}

export interface ReadOptions {
  /** Shows what the internal API said when it refused an order, which may hold personal data. */
  readonly withAnswer?: boolean;
}

/** What a replay would begin with: the order as it stands, or nothing when it was never heard of. */
export interface ReplayCandidate {
  readonly orderId: OrderId;
  readonly status: OrderStatus | undefined;
  readonly errorCode: string | undefined;
}

/** What operators ask of the orders of a stage. */
export const createOrderService = (stage: StageConnection) => {
  const documents = DynamoDBDocumentClient.from(stage.dynamodb, { marshallOptions: { removeUndefinedValues: true } });
  const repository = createOrderRepository(documents, stage.ordersTableName);
  const queries = createOrderQueries(documents, stage.ordersTableName);

  return {
    /** One order by a consistent read; nothing when there is none. */
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
     * Orders whose newest round was processed since then. Reads the item of every order that has a stored payload, for
     * one may have been processed again from bytes that are older.
     *
     * @param onRead takes the number of orders that were read so far
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

    /** Orders as they stand before a replay, in the order asked for. */
    readCandidates: async (orderIds: readonly OrderId[]): Promise<ReplayCandidate[]> => {
      const known = await queries.readMany(orderIds);
      return orderIds.map((orderId) => toCandidate(orderId, known.get(orderId)));
    },
  };
};

/** An order as the plan of a replay shows it. */
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
  // An answer that could not be read is kept apart, where the item does not say.
  if (order.status === 'FAILED' && order.error.code === 'BAD_ANSWER') {
    return { bucket, key: `rejected/${order.order_id}/${order.round}.txt` };
  }
  return undefined;
};
