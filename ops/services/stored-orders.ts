import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { OrderId } from '../../shared/orders/order';
import { createOrderQueries, type OrderOrUnreadable } from '../../shared/orders/queries';
import { createPayloadService } from './payloads';
import type { StageConnection } from './stage-connection';

/** An order that has a stored payload. */
export interface StoredOrder {
  readonly orderId: OrderId;
  readonly order: OrderOrUnreadable;
}

export interface StoredOrderOptions {
  /** Only orders with a payload stored since then. */
  readonly since: Date;
  /** Receives the number of objects listed so far. */
  readonly onListed: (objects: number) => void;
}

/** Maximum of BatchGetItem. */
const batchSize = 100;

/** Reads the orders that have a stored payload. Takes their IDs from the keys of the bucket instead of scanning the table. */
export async function* readStoredOrders(
  stage: StageConnection,
  { since, onListed }: StoredOrderOptions,
): AsyncGenerator<StoredOrder> {
  const queries = createOrderQueries(DynamoDBDocumentClient.from(stage.dynamodb), stage.ordersTableName);
  const read = async (orderIds: readonly OrderId[]): Promise<StoredOrder[]> =>
    [...(await queries.readMany(orderIds))].map(([orderId, order]) => ({ orderId, order }));

  let batch: OrderId[] = [];
  for await (const orderId of createPayloadService(stage).listStoredSince(since, onListed)) {
    batch.push(orderId);
    if (batch.length < batchSize) continue;
    yield* await read(batch);
    batch = [];
  }
  if (batch.length > 0) yield* await read(batch);
}
