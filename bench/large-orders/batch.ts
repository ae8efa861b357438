import path from 'node:path';
import type { SQSEvent } from 'aws-lambda';
import * as z from 'zod';
import { startExecutionEnvironment } from '../../emulator/lambda/execution-environment';
import { checksumOf } from '../../shared/orders/payload-store';
import type { Bundle } from '../bundle';
import { childrenOf, readProcess } from '../pipeline/processes';
import { sum } from '../statistics';
import { largeResponse, type OrderKind } from './orders';
import { type ServedOrder, startServices } from './services';

export interface BatchOptions {
  readonly worker: 'download' | 'processing';
  readonly bundle: Bundle;
  readonly memoryMb: number;
  readonly kind: OrderKind;
  /** Orders in the batch, and bytes of each. */
  readonly orders: number;
  readonly bytes: number;
  /** Invocations with the same batch, in the same process. */
  readonly batches: number;
}

export interface BatchRun {
  /** The kernel's high-water mark of the process, MiB. */
  readonly peakMib: number;
  readonly elapsedMs: number;
  /** Messages that the worker gave back to the queue. */
  readonly returned: number;
}

const round = '001767225600000-0123456789ab';
const responseSchema = z.object({ batchItemFailures: z.array(z.unknown()) });

const servedOrder = ({ kind, bytes }: BatchOptions, index: number): ServedOrder => {
  const text = largeResponse(kind, index, bytes);
  const { _id: orderId } = z
    .object({ data: z.object({ order: z.object({ order: z.object({ _id: z.string() }) }) }) })
    .parse(JSON.parse(text)).data.order.order;
  const s3Key = `raw/${orderId}/${round}.json`;
  const body = Buffer.from(text);
  const at = '2026-01-01T00:00:00.000Z';
  return {
    orderId,
    bytes: body,
    s3Key,
    item: {
      order_id: { S: orderId },
      round: { S: round },
      request_id: { S: 'request' },
      notification_type: { S: 'order_created' },
      status: { S: 'DOWNLOADED' },
      previous_status: { S: 'NONE' },
      notified_at: { S: at },
      downloaded_at: { S: at },
      s3_key: { S: s3Key },
      checksum: { S: checksumOf(body) },
      payload_size: { N: String(body.length) },
    },
  };
};

const batchOf = (worker: string, orders: readonly ServedOrder[], nowMs: number): SQSEvent => ({
  Records: orders.map(({ orderId, s3Key, bytes }, index) => ({
    messageId: `message-${index}`,
    receiptHandle: `receipt-${index}`,
    body: JSON.stringify({
      order_id: orderId,
      round,
      request_id: 'request',
      sent_at: nowMs,
      ...(worker === 'processing' && { s3_key: s3Key, checksum: checksumOf(bytes) }),
    }),
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: String(nowMs),
      SenderId: 'sender',
      ApproximateFirstReceiveTimestamp: String(nowMs),
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:queue',
    awsRegion: 'us-east-1',
  })),
});

const peakMibOf = (pid: number): number =>
  Number(/^VmHWM:\s+(\d+) kB$/m.exec(readProcess(pid, 'status') ?? '')?.[1] ?? Number.NaN) / 1024;

/** Runs a worker's bundle in its own process, as Lambda does, with batches of large orders. */
export const runBatches = async (options: BatchOptions): Promise<BatchRun> => {
  const { worker, bundle, memoryMb, orders, batches } = options;
  const served = Array.from({ length: orders }, (_, index) => servedOrder(options, index));
  const services = await startServices(served);
  const before = new Set(childrenOf(process.pid));
  const name = `dev-marketplace-${worker}`;
  const arn = `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
  const lines: string[] = [];
  const lambda = await startExecutionEnvironment(
    {
      name,
      arn,
      codeDirectory: path.dirname(bundle.file),
      handler: 'index.handler',
      timeoutSeconds: 60,
      memoryMegabytes: memoryMb,
      logFormat: 'JSON',
      recursiveLoop: 'Allow',
      environment: {
        ...bundle.environment,
        RAW_BUCKET_NAME: 'raw',
        DOWNLOAD_QUEUE_URL: `${services.url}/download`,
        PROCESSING_QUEUE_URL: `${services.url}/processing`,
        QUALIA_API_URL: `${services.url}/graphql`,
        INTERNAL_API_URL: `${services.url}/orders`,
        AWS_ENDPOINT_URL: services.url,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'local',
        AWS_SECRET_ACCESS_KEY: 'local',
        AWS_LAMBDA_FUNCTION_NAME: name,
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
        AWS_LAMBDA_LOG_LEVEL: 'INFO',
        LAMBDA_TASK_ROOT: path.dirname(bundle.file),
        _HANDLER: 'index.handler',
      },
    },
    (line) => lines.push(line),
  );
  try {
    const [pid] = childrenOf(process.pid).filter((child) => !before.has(child));
    if (pid === undefined) throw new Error('The Lambda has no process');
    const failure = await lambda.initialized;
    if (failure) throw new Error(failure.payload);
    const startedAtMs = performance.now();
    const returned: number[] = [];
    for (let batch = 0; batch < batches; batch++) {
      const { payload, functionError } = await lambda.invoke(JSON.stringify(batchOf(worker, served, Date.now())));
      if (functionError) throw new Error(`${payload}\n${lines.at(-1)}`);
      returned.push(responseSchema.parse(JSON.parse(payload)).batchItemFailures.length);
    }
    return { peakMib: peakMibOf(pid), elapsedMs: performance.now() - startedAtMs, returned: sum(returned) };
  } finally {
    await lambda.stop();
    await services.stop();
  }
};
