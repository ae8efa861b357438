import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';

/** The attributes of an order that a start reports on. */
const orderSchema = z.object({
  order_id: z.string(),
  status: z.string(),
  notified_at: z.string(),
  processed_at: z.string().optional(),
  error: z.object({ code: z.string() }).optional(),
});
export type OrderState = z.output<typeof orderSchema>;

export interface AwaitOptions {
  /** The endpoint of DynamoDB. */
  readonly endpoint: string;
  readonly tableName: string;
  readonly orderIds: readonly string[];
  /** The wait ends if no order was closed for this time. */
  readonly patienceMs: number;
  readonly onProgress: (closed: ReadonlyMap<string, OrderState>) => void;
}

const batchSize = 100;
const pollEveryMs = 250;

const isClosed = ({ status }: OrderState): boolean => status === 'PROCESSED' || status === 'FAILED';

/** Reads orders, in batches. */
const readOrders = async (client: DynamoDBDocumentClient, tableName: string, orderIds: readonly string[]) => {
  const found: OrderState[] = [];
  for (let start = 0; start < orderIds.length; start += batchSize) {
    const Keys = orderIds.slice(start, start + batchSize).map((order_id) => ({ order_id }));
    const { Responses } = await client.send(new BatchGetCommand({ RequestItems: { [tableName]: { Keys } } }));
    found.push(...z.array(orderSchema).parse(Responses?.[tableName] ?? []));
  }
  return found;
};

/** Waits until every order is PROCESSED or FAILED, or none was closed for `patienceMs`. @returns the closed orders by ID */
export const awaitOrders = async (options: AwaitOptions): Promise<ReadonlyMap<string, OrderState>> => {
  const client = DynamoDBDocumentClient.from(
    new DynamoDBClient({
      endpoint: options.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    }),
  );
  const closed = new Map<string, OrderState>();
  let open = [...new Set(options.orderIds)];
  let movedAtMs = Date.now();
  while (open.length > 0 && Date.now() - movedAtMs < options.patienceMs) {
    const newlyClosed = (await readOrders(client, options.tableName, open)).filter(isClosed);
    for (const order of newlyClosed) closed.set(order.order_id, order);
    if (newlyClosed.length > 0) movedAtMs = Date.now();
    open = open.filter((orderId) => !closed.has(orderId));
    options.onProgress(closed);
    if (open.length > 0) await sleep(pollEveryMs);
  }
  client.destroy();
  return closed;
};
