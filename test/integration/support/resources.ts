import { randomBytes } from 'node:crypto';
import { CreateTableCommand, DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { failedOrdersIndex } from '../../../shared/orders/failed-orders-index';
import { type Clients, readEndpoints } from './clients';

const uniqueName = (name: string): string => `${name}-${randomBytes(6).toString('hex')}`;

/** Creates an empty Orders table with a unique name. @returns its name */
export const createOrdersTable = async ({ dynamodb }: Clients): Promise<string> => {
  const TableName = uniqueName('orders');
  const attribute = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' }) as const;
  await dynamodb.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [attribute('order_id'), attribute('failed_shard'), attribute('failed_at')],
      KeySchema: [{ AttributeName: 'order_id', KeyType: 'HASH' }],
      GlobalSecondaryIndexes: [
        {
          IndexName: failedOrdersIndex.name,
          KeySchema: [
            { AttributeName: 'failed_shard', KeyType: 'HASH' },
            { AttributeName: 'failed_at', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    }),
  );
  for (let status: string | undefined; status !== 'ACTIVE'; )
    status = (await dynamodb.send(new DescribeTableCommand({ TableName }))).Table?.TableStatus;
  return TableName;
};

/** Creates an empty table with a unique name. @param keys the partition key and, if there is one, the sort key */
const createTable = async ({ dynamodb }: Clients, label: string, ...keys: readonly [string, string?]) => {
  const TableName = uniqueName(label);
  const names = keys.filter((key) => key !== undefined);
  await dynamodb.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: names.map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
      KeySchema: names.map((AttributeName, index) => ({ AttributeName, KeyType: index === 0 ? 'HASH' : 'RANGE' })),
    }),
  );
  for (let status: string | undefined; status !== 'ACTIVE'; )
    status = (await dynamodb.send(new DescribeTableCommand({ TableName }))).Table?.TableStatus;
  return TableName;
};

/** Creates an empty SyncRuns table with a unique name. @returns its name */
export const createSyncRunsTable = (clients: Clients): Promise<string> => createTable(clients, 'sync-runs', 'run_id');

/** Creates an empty Operations table with a unique name. @returns its name */
export const createOperationsTable = (clients: Clients): Promise<string> =>
  createTable(clients, 'operations', 'kind', 'id');

/** Creates an empty bucket with a unique name. @returns its name */
export const createBucket = async ({ s3 }: Clients, name = 'raw'): Promise<string> => {
  const Bucket = uniqueName(name);
  await s3.send(new CreateBucketCommand({ Bucket }));
  return Bucket;
};

export const createRawBucket = (clients: Clients): Promise<string> => createBucket(clients);

export interface QueuePair {
  readonly url: string;
  readonly deadLetterUrl: string;
  readonly deadLetterArn: string;
}

/** Creates a queue with a unique name, and its dead-letter queue. */
export const createQueuePair = async ({ sqs }: Clients, label: string, maxReceiveCount = 5): Promise<QueuePair> => {
  const name = uniqueName(label);
  const deadLetterName = `${name}-dead-letters`;
  const deadLetterArn = `arn:aws:sqs:us-east-1:000000000000:${deadLetterName}`;
  const urlOf = (queueName: string) => `${readEndpoints().sqs}/000000000000/${queueName}`;
  await sqs.send(new CreateQueueCommand({ QueueName: deadLetterName }));
  await sqs.send(
    new CreateQueueCommand({
      QueueName: name,
      Attributes: { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetterArn, maxReceiveCount }) },
    }),
  );
  return { url: urlOf(name), deadLetterUrl: urlOf(deadLetterName), deadLetterArn };
};
