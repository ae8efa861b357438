import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { failedOrdersIndex } from '../../../shared/orders/failed-orders-index';
import { createBuckets } from '../models/buckets';
import { asSdkClient } from '../models/client';
import { createQueues } from '../models/queues';
import { createTables } from '../models/tables';
import { bucketPrograms, type ProgramBucket, runBucketProgram } from './bucket-programs';
import { type ProgramQueues, queuePrograms, runQueueProgram } from './queue-programs';
import { type ProgramTables, runTableProgram, tablePrograms } from './table-programs';

/** An implementation of AWS. Each function returns what one program uses alone. */
export interface Implementation {
  readonly tables: () => Promise<ProgramTables>;
  readonly queues: () => Promise<ProgramQueues>;
  readonly bucket: () => Promise<ProgramBucket>;
}

/** The models make no choice by themselves, so that each program has one outcome. */
const world = { now: () => Date.now(), random: () => 0.999, sleep: async () => undefined };

const modelOfTables = (program: ProgramTables): ProgramTables => {
  const { ordersTable, operationsTable } = program;
  const indexes = { [failedOrdersIndex.name]: ['failed_shard', 'failed_at'] } as const;
  const layouts = {
    [ordersTable]: { key: ['order_id'], indexes },
    [operationsTable]: { key: ['kind', 'id'] },
  } as const;
  const { client } = createTables(world, { tables: layouts });
  return { ...program, client: asSdkClient(DynamoDBDocumentClient, client) };
};

const modelOfQueues = (queues: ProgramQueues): ProgramQueues => {
  const { url, deadLetterUrl } = queues;
  const layouts = { [url]: { deadLetters: { url: deadLetterUrl, maxReceiveCount: 2 } }, [deadLetterUrl]: {} };
  const { client } = createQueues(world, { queues: layouts });
  return { ...queues, client: asSdkClient(SQSClient, client) };
};

const modelOfBucket = (program: ProgramBucket): ProgramBucket => {
  const { client } = createBuckets(world, { buckets: [program.bucket] });
  return { ...program, client: asSdkClient(S3Client, client) };
};

/**
 * Runs random programs against an implementation of AWS and against the models. Each outcome must be the same.
 *
 * @param numRuns programs for each service. A failure prints its seed.
 */
export const verifyModels = (implementation: Implementation, numRuns: number) => ({
  tables: () =>
    fc.assert(
      fc.asyncProperty(tablePrograms, async (steps) => {
        const tables = await implementation.tables();
        expect(await runTableProgram(modelOfTables(tables), steps)).toEqual(await runTableProgram(tables, steps));
      }),
      { numRuns },
    ),

  queues: () =>
    fc.assert(
      fc.asyncProperty(queuePrograms, async (steps) => {
        const queues = await implementation.queues();
        expect(await runQueueProgram(modelOfQueues(queues), steps)).toEqual(await runQueueProgram(queues, steps));
      }),
      { numRuns },
    ),

  buckets: () =>
    fc.assert(
      fc.asyncProperty(bucketPrograms, async (steps) => {
        const bucket = await implementation.bucket();
        expect(await runBucketProgram(modelOfBucket(bucket), steps)).toEqual(await runBucketProgram(bucket, steps));
      }),
      { numRuns },
    ),
});
