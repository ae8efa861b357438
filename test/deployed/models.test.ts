import { randomBytes } from 'node:crypto';
import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { failedOrdersIndex } from '../../shared/orders/failed-orders-index';
import { verifyModels } from '../simulation/verification/verify';

const programsPerService = 60;

const uniqueName = (): string => `programs-${randomBytes(6).toString('hex')}`;

const attribute = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' }) as const;
const keys = (partition: string, sort?: string) => [
  { AttributeName: partition, KeyType: 'HASH' as const },
  ...(sort === undefined ? [] : [{ AttributeName: sort, KeyType: 'RANGE' as const }]),
];

describe("the simulation's models of AWS and MiniStack", () => {
  const dynamodb = new DynamoDBClient();
  const documents = DynamoDBDocumentClient.from(dynamodb, { marshallOptions: { removeUndefinedValues: true } });
  const sqs = new SQSClient();
  const s3 = new S3Client({ forcePathStyle: true });
  let programs = 0;
  const nextPrefix = (): string => `program-${++programs}/`;
  const [ordersTable, operationsTable, bucket] = [uniqueName(), uniqueName(), uniqueName()];

  const createTable = async (name: string, input: Partial<ConstructorParameters<typeof CreateTableCommand>[0]>) => {
    await dynamodb.send(
      new CreateTableCommand({
        TableName: name,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [],
        KeySchema: [],
        ...input,
      }),
    );
    await waitUntilTableExists({ client: dynamodb, minDelay: 0.1, maxDelay: 1, maxWaitTime: 30 }, { TableName: name });
  };

  const createQueue = async (Attributes: Record<string, string>): Promise<string> => {
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: uniqueName(), Attributes }));
    return QueueUrl;
  };

  const createQueuePair = async () => {
    const deadLetterUrl = await createQueue({});
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: deadLetterUrl, AttributeNames: ['QueueArn'] }),
    );
    const policy = { deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount: 2 };
    return { url: await createQueue({ RedrivePolicy: JSON.stringify(policy) }), deadLetterUrl };
  };

  beforeAll(async () => {
    await createTable(ordersTable, {
      AttributeDefinitions: ['order_id', 'failed_shard', 'failed_at'].map(attribute),
      KeySchema: keys('order_id'),
      GlobalSecondaryIndexes: [
        {
          IndexName: failedOrdersIndex.name,
          KeySchema: keys('failed_shard', 'failed_at'),
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    });
    await createTable(operationsTable, {
      AttributeDefinitions: ['kind', 'id'].map(attribute),
      KeySchema: keys('kind', 'id'),
    });
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  });

  afterAll(() => {
    for (const client of [dynamodb, sqs, s3]) client.destroy();
  });

  const verify = verifyModels(
    {
      tables: async () => ({ client: documents, ordersTable, operationsTable, prefix: nextPrefix() }),
      queues: async () => ({ client: sqs, ...(await createQueuePair()), checksLimits: false }),
      bucket: async () => ({ client: s3, bucket, prefix: nextPrefix(), checksLimits: false }),
    },
    programsPerService,
  );

  it('agree on every call of DynamoDB', () => verify.tables());
  it('agree on every call of SQS', () => verify.queues());
  it('agree on every call of S3', () => verify.buckets());
});
