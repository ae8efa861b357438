import { setTimeout as sleepFor } from 'node:timers/promises';
import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  QueryCommand,
  type QueryCommandOutput,
  ScanCommand,
} from '@aws-sdk/lib-dynamodb';
import { safeParse } from 'zod/v4/core';
import { fullJitterMs, type Random } from '../http/backoff';
import { failedOrdersIndex } from './failed-orders-index';
import { type Order, type OrderId, orderSchema } from './order';

/** The number of keys that `BatchGetItem` accepts. */
const batchSize = 100;

/**
 * An item that is not an order, for example one that a newer release wrote before it was rolled back. Reads of many
 * orders report such an item and continue.
 */
export const unreadable = 'UNREADABLE';
export type OrderOrUnreadable = Order | typeof unreadable;

const toOrder = (item: Record<string, unknown>): OrderOrUnreadable => safeParse(orderSchema, item).data ?? unreadable;

const idOf = ({ order_id }: Record<string, unknown>): OrderId => String(order_id) as OrderId;

/**
 * Reads of many orders. They are separate from the repository, so that the webhook's bundle does not contain what only
 * the reconciler and the operators use.
 */
export const createOrderQueries = (
  client: DynamoDBDocumentClient,
  tableName: string,
  random: Random = Math.random,
  sleep: (ms: number) => Promise<unknown> = sleepFor,
) => ({
  /** Orders by id. The result has no entry for an order without an item. */
  readMany: async (orderIds: readonly OrderId[]): Promise<ReadonlyMap<OrderId, OrderOrUnreadable>> => {
    const found = new Map<OrderId, OrderOrUnreadable>();
    let keys: Record<string, unknown>[] = [...new Set(orderIds)].map((order_id) => ({ order_id }));
    for (let throttled = 0; keys.length > 0; ) {
      const requested = { [tableName]: { Keys: keys.slice(0, batchSize) } };
      const response = await client.send(new BatchGetCommand({ RequestItems: requested }));
      for (const item of response.Responses?.[tableName] ?? []) {
        found.set(idOf(item), toOrder(item));
      }
      const left = response.UnprocessedKeys?.[tableName]?.Keys ?? [];
      keys = [...keys.slice(batchSize), ...left];
      if (left.length > 0) await sleep(fullJitterMs(++throttled, 50, 5_000, random));
    }
    return found;
  },

  /**
   * Reads the next page of the whole table, up to 1 MB, and returns its orders in NOTIFIED or DOWNLOADED. The read is
   * eventually consistent, which costs half: it is for orders that have been in flight for a while.
   *
   * @param after where the last page ended; undefined for the first page
   * @returns `next`: where this page ended; undefined at the end of the table
   */
  scanInFlight: async (
    after: OrderId | undefined,
  ): Promise<{ readonly orders: ReadonlyMap<OrderId, OrderOrUnreadable>; readonly next: OrderId | undefined }> => {
    const { Items = [], LastEvaluatedKey } = await client.send(
      new ScanCommand({
        TableName: tableName,
        FilterExpression: '#status IN (:notified, :downloaded)',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ':notified': 'NOTIFIED', ':downloaded': 'DOWNLOADED' },
        ...(after !== undefined && { ExclusiveStartKey: { order_id: after } }),
      }),
    );
    return {
      orders: new Map(Items.map((item) => [idOf(item), toOrder(item)])),
      next: LastEvaluatedKey && idOf(LastEvaluatedKey),
    };
  },

  /** Orders that failed since then, newest first within a shard. Reads the sparse index, which holds FAILED orders only. */
  async *listFailed(since: Date): AsyncGenerator<{ readonly orderId: OrderId; readonly order: OrderOrUnreadable }> {
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
        for (const item of page.Items ?? []) yield { orderId: idOf(item), order: toOrder(item) };
        startKey = page.LastEvaluatedKey;
      } while (startKey !== undefined);
    }
  },
});

export type OrderQueries = ReturnType<typeof createOrderQueries>;
