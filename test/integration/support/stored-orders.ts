import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { failedOrdersIndex } from '../../../shared/orders/failed-orders-index';
import type { Order, OrderId } from '../../../shared/orders/order';
import type { Clients } from './clients';

/** Writes an order without the repository and its conditions. */
export const putOrder = async ({ documents }: Clients, tableName: string, order: Order): Promise<void> => {
  const Item = { ...order, ...(order.status === 'FAILED' && { failed_shard: failedOrdersIndex.shards[0] }) };
  await documents.send(new PutCommand({ TableName: tableName, Item }));
};

/** Reads an order's item in DynamoDB's JSON. */
export const rawItem = async ({ dynamodb }: Clients, tableName: string, orderId: OrderId): Promise<string> => {
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: tableName, Key: { order_id: { S: orderId } }, ConsistentRead: true }),
  );
  return JSON.stringify(Item);
};
