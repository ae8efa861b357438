import { type GetObjectCommandInput, S3Client } from '@aws-sdk/client-s3';
import * as fc from 'fast-check';
import { createHandler as createDownload } from '../../../lambdas/download/handler';
import { createHandler as createProcessing } from '../../../lambdas/processing/handler';
import type { Connection } from '../../../shared/http/exchange';
import { createLogger } from '../../../shared/observability/logger';
import { createWorkerMemory, largeOrderBytes } from '../../../shared/orders/order-memory';
import { createPayloadStore } from '../../../shared/orders/payload-store';
import { createQualiaClient } from '../../../shared/qualia/client';
import { asSdkClient, clientOf } from '../../simulation/models/client';
import { unbatched } from '../../support/batch-sender';
import { recordFailureGroups } from '../../support/failures';
import { fakeRepository } from '../../support/fake-repository';
import { lambdaContext } from '../../support/lambda-context';
import { type CapturedLogs, captureLogs } from '../../support/logs';
import { recordMetrics } from '../../support/metrics';
import { checksum, downloadMessage, orderId, orders, processingMessage } from '../../support/orders';
import { qualiaOrder, qualiaResponse } from '../../support/qualia-orders';
import { secretOf } from '../../support/secrets';
import { sqsEvent, sqsRecord } from '../../support/sqs-events';
import { unconfigured } from '../../support/unconfigured';

const memoryMb = 512;
const budgetBytes = largeOrderBytes(memoryMb);
const smallBytes = 32 * 1_024;
const maxBytes = 4 * 1_024 * 1_024;
const batchSize = 20;

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());

const applied = async () => ({ applied: true }) as const;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The declared sizes of the orders that a worker holds. */
const holding = () => {
  const held = new Map<string, number>();
  let largestBytes = 0;
  return {
    largestBytes: () => largestBytes,
    hold: (id: string, bytes: number): void => {
      if (bytes <= smallBytes) return;
      held.set(id, bytes);
      largestBytes = Math.max(
        largestBytes,
        [...held.values()].reduce((sum, one) => sum + one, 0),
      );
    },
    drop: (id: string): void => {
      held.delete(id);
    },
  };
};

const common = () => ({
  queue: { send: unconfigured('send'), hideFor: async () => undefined },
  failures: recordFailureGroups().collector,
  memory: createWorkerMemory(memoryMb),
  maxReceiveCount: 5,
  logger: createLogger({ STAGE: 'dev', SERVICE_VERSION: '1' }),
  metrics: recordMetrics().recorder,
  now: () => Date.now(),
});

const idOf = (index: number) => orderId(`QO-${index}`);
const responseOf = (id: string): Buffer => Buffer.from(qualiaResponse(qualiaOrder({ _id: id })));

/** Handles a batch of orders of these sizes. The bodies are short and only declare their size. */
const workers = {
  processing: async (sizes: readonly number[], workMs: number) => {
    const { hold, drop, largestBytes } = holding();
    const s3 = clientOf({
      GetObjectCommand: ({ Key = '' }: GetObjectCommandInput) => {
        const bytes = sizes[Number(Key)] ?? 0;
        const read = async () => {
          hold(`QO-${Key}`, bytes);
          await sleep(1);
          return responseOf(`QO-${Key}`);
        };
        return { ContentLength: bytes, Body: { transformToByteArray: read } };
      },
    });
    const handler = createProcessing({
      ...common(),
      payloads: createPayloadStore(asSdkClient(S3Client, s3), 'raw'),
      internalApi: {
        postOrder: async ({ order: { qualiaOrderId } }) => {
          await sleep(workMs);
          drop(qualiaOrderId);
          return { outcome: 'posted', statusCode: 201, responseTimeMs: workMs };
        },
        lastResponseAtMs: () => undefined,
      },
      repository: fakeRepository({
        read: async (id) => ({ ...orders.downloaded(), order_id: id }),
        recordProcessing: applied,
      }),
    });
    const records = sizes.map((_, index) => {
      const id = idOf(index);
      const sum = checksum(responseOf(id).toString());
      const message = processingMessage({ order_id: id, s3_key: String(index), checksum: sum });
      return sqsRecord(message, { messageId: id });
    });
    const { batchItemFailures } = await handler(sqsEvent(...records), lambdaContext());
    return { returned: batchItemFailures.length, largestBytes: largestBytes() };
  },

  download: async (sizes: readonly number[], workMs: number) => {
    const { hold, drop, largestBytes } = holding();
    const connection: Connection = {
      request: async ({ body }) => {
        const id: string = JSON.parse(body ?? '').variables.id;
        const bytes = sizes[Number(id.slice(3))] ?? 0;
        const chunks = (async function* () {
          await sleep(1);
          yield responseOf(id);
          hold(id, bytes);
        })();
        const stream = Object.assign(chunks, { destroy: () => undefined, dump: async () => undefined });
        return { statusCode: 200, headers: { 'content-length': String(bytes) }, body: stream };
      },
      close: async () => undefined,
    };
    const handler = createDownload({
      ...common(),
      qualia: createQualiaClient({
        url: 'https://qualia.example/graphql',
        credential: secretOf({ username: 'us', password: 'a-long-password' }),
        connection,
        now: () => Date.now(),
        onCircuitOpen: unconfigured('onCircuitOpen'),
      }),
      payloads: {
        keep: async (id) => {
          await sleep(workMs);
          drop(id);
          return { s3Key: `raw/${id}`, checksum: checksum(), sizeBytes: 1, isNew: true };
        },
        keepRejected: unconfigured('keepRejected'),
      },
      repository: fakeRepository({ recordDownload: applied }),
      processingQueue: unbatched(async () => undefined),
    });
    const records = sizes.map((_, index) =>
      sqsRecord(downloadMessage({ order_id: idOf(index) }), { messageId: idOf(index) }),
    );
    const { batchItemFailures } = await handler(sqsEvent(...records), lambdaContext());
    return { returned: batchItemFailures.length, largestBytes: largestBytes() };
  },
};

describe.each(Object.entries(workers))('%s', (_, run) => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  const finish = async <T>(work: Promise<T>): Promise<T> => {
    await jest.advanceTimersByTimeAsync(60_000);
    return work;
  };

  test('property: whatever the sizes of a batch, its large orders in memory are within the budget', async () => {
    const size = fc.oneof(fc.nat(smallBytes), fc.integer({ min: smallBytes, max: maxBytes }), fc.constant(maxBytes));
    await fc.assert(
      fc.asyncProperty(fc.array(size, { minLength: 1, maxLength: batchSize }), fc.nat(1_000), async (sizes, workMs) => {
        const { returned, largestBytes } = await finish(run(sizes, workMs));
        expect(returned).toBe(0);
        expect(largestBytes).toBeLessThanOrEqual(budgetBytes);
      }),
      { numRuns: 30 },
    );
  });

  test('orders that get no memory in time go back to the queue, and the others are done', async () => {
    const sizes = Array.from({ length: batchSize }, () => maxBytes);
    const { returned, largestBytes } = await finish(run(sizes, 10_000));
    // One after the other, until too little time is left.
    expect(returned).toBe(batchSize - 5);
    expect(largestBytes).toBe(maxBytes);
  });

  test('small orders wait for nothing', async () => {
    const sizes = Array.from({ length: batchSize }, (_one, index) => (index === 0 ? maxBytes : smallBytes));
    const work = run(sizes, 1_000);
    await jest.advanceTimersByTimeAsync(1_100);
    expect((await work).returned).toBe(0);
  });
});
