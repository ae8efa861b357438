import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { EmbeddedAws } from '../../emulator/embedded-aws';

/** The attributes of an order that a start reports on. */
const orderSchema = z.object({
  order_id: z.string(),
  status: z.string(),
  notified_at: z.string(),
  downloaded_at: z.string().optional(),
  payload_size: z.number().optional(),
  processed_at: z.string().optional(),
  failed_at: z.string().optional(),
  error: z.object({ code: z.string() }).optional(),
});
export type OrderState = z.output<typeof orderSchema>;

/** Where the table of orders is. */
export interface OrdersTableAddress {
  /** The endpoint of DynamoDB. */
  readonly endpoint: string;
  readonly tableName: string;
}

/** Reads orders. */
export interface OrdersTable {
  read(orderIds: readonly string[]): Promise<OrderState[]>;
  close(): void;
}

const batchSize = 100;
const outputsSchema = z.object({ OrdersTableName: z.string() });

/** Whether an order is at its end. */
export const isClosed = ({ status }: OrderState): boolean => status === 'PROCESSED' || status === 'FAILED';

/** Finds the table of a running pipeline. */
export const findOrdersTable = ({
  endpoints,
  outputs,
}: Pick<EmbeddedAws, 'endpoints' | 'outputs'>): OrdersTableAddress => ({
  endpoint: endpoints.dynamodb,
  tableName: outputsSchema.parse(Object.assign({}, ...Object.values(outputs))).OrdersTableName,
});

/** Opens the table of orders. */
export const openOrdersTable = ({ endpoint, tableName }: OrdersTableAddress): OrdersTable => {
  const client = DynamoDBDocumentClient.from(
    new DynamoDBClient({
      endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    }),
  );
  return {
    async read(orderIds) {
      const found: OrderState[] = [];
      for (let start = 0; start < orderIds.length; start += batchSize) {
        const Keys = orderIds.slice(start, start + batchSize).map((order_id) => ({ order_id }));
        const RequestItems = { [tableName]: { Keys, ConsistentRead: true } };
        const { Responses } = await client.send(new BatchGetCommand({ RequestItems }));
        found.push(...z.array(orderSchema).parse(Responses?.[tableName] ?? []));
      }
      return found;
    },
    close: () => client.destroy(),
  };
};
