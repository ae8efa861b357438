import { readdirSync } from 'node:fs';
import type { Server } from 'node:http';
import path from 'node:path';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import dynaliteStore from 'dynalite/db';
import * as z from 'zod';
import type { Application } from './application';
import { isDiskFull } from './full-disk';
import { notServed } from './json-service';
import { staticCredentials } from './lambda/function-definition';
import { type LoopbackServer, listenOnLoopback } from './loopback-server';
import { region } from './resource-types';
import { damagedStore, StateError } from './state-files';
import { writeOneAtATime } from './write-order';

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
 * Serves DynamoDB from a LevelDB store in `directory`.
 * @throws {StateError} if another process has the store open, or it is damaged
 */
export const startTables = async (directory: string, preferredPort?: number): Promise<LoopbackServer> => {
  await checkStore(directory);
  const server = createServer(directory);
  // Dynalite throws when a client disconnects during a request, for example a function that is killed at its timeout.
  server.on('request', (request) => {
    request.removeAllListeners('error');
    request.on('error', () => undefined);
  });
  refuseUnserved(server);
  return listenOnLoopback(server, preferredPort);
};

const openStore = dynaliteStore.create;

/** Dynalite opens its store internally. Replacing `create` gives access to the store. */
const createServer = (directory: string): Server => {
  dynaliteStore.create = (options) => {
    const store = openStore(options);
    writeOneAtATime(store.db);
    return store;
  };
  try {
    return dynalite({ path: directory, createTableMs: 0 });
  } finally {
    dynaliteStore.create = openStore;
  }
};

/** Rejects unknown actions with a message. Dynalite's own response has none. */
const refuseUnserved = (server: Server): void => {
  const served = readdirSync(path.join(path.dirname(require.resolve('dynalite')), 'actions')).map((file) =>
    file.replace(/\.js$/, '').toLowerCase(),
  );
  const listeners = server.listeners('request');
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const target = request.headers['x-amz-target']?.toString();
    const [service, action = ''] = target?.split('.') ?? [];
    if (target === undefined || (service === 'DynamoDB_20120810' && served.includes(action.toLowerCase()))) {
      for (const listener of listeners) {
        Reflect.apply(listener, server, [request, response]);
      }
      return;
    }
    request.resume();
    response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' }).end(
      JSON.stringify({
        __type: 'com.amazon.coral.service#UnknownOperationException',
        message: notServed(service === 'DynamoDB_20120810' ? action : target, 'DynamoDB'),
      }),
    );
  });
};

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

/**
 * Opens the store once, without its server. Repairs a table whose creation was interrupted by a kill: it would stay
 * CREATING. Reads every file, because LevelDB notices damage only then.
 */
const checkStore = async (directory: string): Promise<void> => {
  const { db } = openStore({ path: directory });
  try {
    await db.open();
    for await (const [key, table] of db.iterator({ gte: 'table~', lt: 'table~\xFF' })) {
      if (table.TableStatus === 'CREATING') {
        table.TableStatus = 'ACTIVE';
        for (const index of table.GlobalSecondaryIndexes ?? []) {
          index.IndexStatus = 'ACTIVE';
        }
        await db.put(key, table);
      }
    }
    for await (const _ of db.keys()) {
      // Reading is enough.
    }
  } catch (error) {
    throw toStateError(directory, error);
  } finally {
    await db.close();
  }
};

/** The error that `open` throws has LevelDB's error as its cause. */
const toStateError = (directory: string, error: unknown): unknown => {
  if (isDiskFull(error)) {
    return error;
  }
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const isLocked = cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED';
  return isLocked
    ? new StateError(`${directory} is in use by another embedded AWS: stop it first.`, { cause })
    : damagedStore(directory, path.dirname(directory), cause);
};
