import type { Stack } from 'aws-cdk-lib';
import { backlogLimitOf, callSharesOf } from '../call-budget';
import type { Config } from '../config';
import type { Data } from '../stacks/data';
import type { ContinuationQueue } from './continuation-queue';
import { NodeFunction } from './node-function';
import type { WorkerQueue } from './worker-queue';

/** Timeout of the download and the processing worker. */
export const workerTimeoutSeconds = 60;
/** Timeout of the reconciler: the longest that Lambda offers. */
export const reconcilerTimeoutSeconds = 900;

export interface OrderQueues {
  readonly download: WorkerQueue;
  readonly processing: WorkerQueue;
  /** Carries a pass of the reconciler from one invocation to the next. */
  readonly continuations: ContinuationQueue;
}

/** The Lambdas between Qualia and the internal API. */
export type OrderFunctions = Readonly<Record<'webhook' | 'download' | 'processing' | 'reconciler', NodeFunction>>;

/** An environment variable with a call budget; none without a budget. */
const budgetVariable = (name: string, callsPerSecond: number | undefined): Readonly<Record<string, string>> =>
  callsPerSecond === undefined ? {} : { [name]: String(callsPerSecond) };

/** Creates the Lambdas of the order flow in `stack`, without access to anything but their log groups. */
export const createOrderFunctions = (
  stack: Stack,
  config: Config,
  data: Data,
  { download, processing, continuations }: OrderQueues,
): OrderFunctions => {
  const shares = callSharesOf(config);
  const qualia = { QUALIA_API_URL: config.qualiaApiUrl, QUALIA_SECRET_ARN: data.qualiaSecret.secretArn };
  return {
    webhook: new NodeFunction(stack, 'webhook', {
      config,
      description: 'Receives webhooks of Qualia, records the order and queues its download.',
      timeoutSeconds: 10,
      memoryMb: 512,
      reservedConcurrency: config.webhookReservedConcurrency,
      environment: {
        ORDERS_TABLE_NAME: data.orders.tableName,
        OPERATIONS_TABLE_NAME: data.operations.tableName,
        DOWNLOAD_QUEUE_URL: download.queue.queueUrl,
        RAW_BUCKET_NAME: data.rawBucket.bucketName,
        WEBHOOK_SECRET_ARN: data.webhookSecret.secretArn,
      },
    }),
    download: new NodeFunction(stack, 'download', {
      config,
      description: 'Downloads an order from Qualia, stores it unchanged and queues its processing.',
      timeoutSeconds: workerTimeoutSeconds,
      memoryMb: 512,
      environment: {
        ORDERS_TABLE_NAME: data.orders.tableName,
        OPERATIONS_TABLE_NAME: data.operations.tableName,
        DOWNLOAD_QUEUE_URL: download.queue.queueUrl,
        PROCESSING_QUEUE_URL: processing.queue.queueUrl,
        RAW_BUCKET_NAME: data.rawBucket.bucketName,
        ...qualia,
        ...budgetVariable('QUALIA_CALLS_PER_SECOND', shares.download),
      },
    }),
    processing: new NodeFunction(stack, 'processing', {
      config,
      description: 'Maps a downloaded order and posts it to the internal API.',
      timeoutSeconds: workerTimeoutSeconds,
      memoryMb: 512,
      environment: {
        ORDERS_TABLE_NAME: data.orders.tableName,
        OPERATIONS_TABLE_NAME: data.operations.tableName,
        PROCESSING_QUEUE_URL: processing.queue.queueUrl,
        RAW_BUCKET_NAME: data.rawBucket.bucketName,
        INTERNAL_API_URL: config.internalApiUrl,
        INTERNAL_API_SECRET_ARN: data.internalApiSecret.secretArn,
        ...budgetVariable('INTERNAL_API_CALLS_PER_SECOND', shares.processing),
      },
    }),
    reconciler: new NodeFunction(stack, 'reconciler', {
      config,
      description: 'Starts a round for each order that is missing, stuck, changed at Qualia, or not checked for a day.',
      timeoutSeconds: reconcilerTimeoutSeconds,
      // A pass over 720,000 orders takes about 400 MB.
      memoryMb: 1024,
      environment: {
        ORDERS_TABLE_NAME: data.orders.tableName,
        OPERATIONS_TABLE_NAME: data.operations.tableName,
        ARTIFACTS_BUCKET_NAME: data.artifacts.bucketName,
        DOWNLOAD_QUEUE_URL: download.queue.queueUrl,
        RECONCILER_QUEUE_URL: continuations.queue.queueUrl,
        ...qualia,
        ROUNDS_PER_SECOND: String(config.reconciler.roundsPerSecond),
        BACKLOG_LIMIT: String(backlogLimitOf(config)),
        SETTLE_SECONDS: String(config.reconciler.settleSeconds),
        ...budgetVariable('QUALIA_CALLS_PER_SECOND', shares.reconciler),
      },
    }),
  };
};
