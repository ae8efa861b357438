import path from 'node:path';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import type { Application } from '../application';
import { staticCredentials } from '../lambda/function-definition';
import type { LoopbackServer } from '../loopback-server';
import { region } from '../resource-types';
import { startServiceThread } from '../service-thread';
import type { TablesOptions } from './thread';

const keySchema = z.array(z.object({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }));
const indexSchema = z.object({
  IndexName: z.string(),
  KeySchema: keySchema,
  Projection: z.object({
    ProjectionType: z.enum(['ALL', 'KEYS_ONLY', 'INCLUDE']),
    NonKeyAttributes: z.array(z.string()).optional(),
  }),
});
const tableSchema = z.object({
  AttributeDefinitions: z.array(z.object({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) })),
  KeySchema: keySchema,
  GlobalSecondaryIndexes: z.array(indexSchema).optional(),
});

/**
 * Serves DynamoDB from a LevelDB store in `directory`, in its own thread.
 * @throws {StateError} if another process has the store open, or it is damaged
 */
export const startTables = (directory: string, preferredPort?: number): Promise<LoopbackServer> =>
  startServiceThread<TablesOptions>({
    name: 'tables',
    program: path.join(__dirname, 'thread.ts'),
    packages: ['dynalite'],
    options: { directory, preferredPort },
  });

/**
 * Creates the application's missing tables.
 * @throws {Error} if a table exists with other keys or indexes than in the template: these cannot be changed here
 */
export const createTables = async (application: Application, endpoint: string): Promise<void> => {
  const client = new DynamoDBClient({
    endpoint,
    region,
    credentials: {
      accessKeyId: staticCredentials.AWS_ACCESS_KEY_ID,
      secretAccessKey: staticCredentials.AWS_SECRET_ACCESS_KEY,
    },
  });
  const types = ['AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable'];
  for (const { name, properties } of application.resources(types, tableSchema)) {
    const existing = await client.send(new DescribeTableCommand({ TableName: name })).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'ResourceNotFoundException') {
        return undefined;
      }
      throw error;
    });
    if (!existing) {
      await client.send(new CreateTableCommand({ TableName: name, BillingMode: 'PAY_PER_REQUEST', ...properties }));
      await waitUntilTableExists({ client, minDelay: 0.01, maxDelay: 0.1, maxWaitTime: 10 }, { TableName: name });
    } else if (layoutOf(tableSchema.parse(existing.Table)) !== layoutOf(properties)) {
      throw new Error(
        `The table ${name} on this machine has other keys or indexes than the template: delete the state directory to start over.`,
      );
    }
  }
  client.destroy();
};

const layoutOf = ({ KeySchema, GlobalSecondaryIndexes = [] }: z.infer<typeof tableSchema>): string => {
  const indexes = GlobalSecondaryIndexes.map(({ IndexName, KeySchema }) => ({ IndexName, KeySchema }));
  return JSON.stringify({ KeySchema, indexes: indexes.toSorted((a, b) => a.IndexName.localeCompare(b.IndexName)) });
};
