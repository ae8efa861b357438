import type { OrderId } from './order';

/** The sparse index of FAILED orders: its name, and over how many partitions it spreads them. */
export const failedOrdersIndex = { name: 'failed-orders', shards: ['0', '1', '2', '3'] } as const;

/** The partition of an order in the index. */
export const shardOf = (orderId: OrderId): string => {
  let sum = 0;
  for (const character of orderId) sum += character.charCodeAt(0);
  return failedOrdersIndex.shards[sum % failedOrdersIndex.shards.length] ?? failedOrdersIndex.shards[0];
};
