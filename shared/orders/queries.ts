import { setTimeout as sleep } from 'node:timers/promises';
import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  QueryCommand,
  type QueryCommandOutput,
} from '@aws-sdk/lib-dynamodb';
import { fullJitterMs } from '../http/backoff';
import type { Order, OrderId } from './order';
import { failedOrdersIndex, readItem } from './repository';

/** As many keys as `BatchGetItem` takes. */
const batchSize = 100;

/**
 * Questions about many orders. Apart from the repository, so that the webhook does not carry what only the reconciler
 * and the operators ask. Nothing here scans.
 */
export const createOrderQueries = (client: DynamoDBDocumentClient, tableName: string) => ({
  /** Orders as they stand, by id. An order that is not there is left out. */
  readMany: async (orderIds: readonly OrderId[]): Promise<ReadonlyMap<OrderId, Order>> => {
    const found = new Map<OrderId, Order>();
    let keys: Record<string, unknown>[] = [...new Set(orderIds)].map((order_id) => ({ order_id }));
    for (let throttled = 0; keys.length > 0; ) {
      const asked = { [tableName]: { Keys: keys.slice(0, batchSize) } };
      const answer = await client.send(new BatchGetCommand({ RequestItems: asked }));
      for (const item of answer.Responses?.[tableName] ?? []) {
        const order = readItem(item);
        found.set(order.order_id, order);
      }
      const left = answer.UnprocessedKeys?.[tableName]?.Keys ?? [];
      keys = [...keys.slice(batchSize), ...left];
      if (left.length > 0) await sleep(fullJitterMs(++throttled, 50, 5_000, Math.random));
    }
    return found;
  },

  /** Orders that failed since then, newest first within a shard, without a scan: the sparse index holds no others. */
  async *listFailed(since: Date): AsyncGenerator<Order> {
    for (const shard of failedOrdersIndex.shards) {
      let startKey: Record<string, unknown> | undefined;
      do {
        const page: QueryCommandOutput = await client.send(
          new QueryCommand({
            TableName: tableName,
            IndexName: failedOrdersIndex.name,
            KeyConditionExpression: 'failed_shard = :shard AND failed_at >= :since',
            ExpressionAttributeValues: { ':shard': shard, ':since': since.toISOString() },
            ScanIndexForward: false,
            ...(startKey && { ExclusiveStartKey: startKey }),
          }),
        );
        for (const item of page.Items ?? []) yield readItem(item);
        startKey = page.LastEvaluatedKey;
      } while (startKey !== undefined);
    }
  },
});

export type OrderQueries = ReturnType<typeof createOrderQueries>;
