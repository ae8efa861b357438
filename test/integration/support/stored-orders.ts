import { GetItemCommand } from '@aws-sdk/client-dynamodb';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Order, OrderId } from '../../../shared/orders/order';
import { failedOrdersIndex } from '../../../shared/orders/repository';
import type { Clients } from './clients';

/** Writes an order as it is, past the repository. */
export const putOrder = async ({ documents }: Clients, tableName: string, order: Order): Promise<void> => {
  const Item = { ...order, ...(order.status === 'FAILED' && { failed_shard: failedOrdersIndex.shards[0] }) };
  await documents.send(new PutCommand({ TableName: tableName, Item }));
};

/** The item as DynamoDB holds it, as text. */
export const rawItem = async ({ dynamodb }: Clients, tableName: string, orderId: OrderId): Promise<string> => {
  const { Item } = await dynamodb.send(
    new GetItemCommand({ TableName: tableName, Key: { order_id: { S: orderId } }, ConsistentRead: true }),
  );
  return JSON.stringify(Item);
};
