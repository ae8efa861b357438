import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  MessageNotInflight,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { SQSEvent } from 'aws-lambda';
import * as z from 'zod';
import type { Notice } from '../../../lambdas/issue-watch/notice';
import type { Random } from '../../../shared/http/backoff';
import { mapOrder as map } from '../../../shared/internal-api/mapping';
import { listOperations } from '../../../shared/operations/list';
import type { OrderId, RequestId, WorkerName } from '../../../shared/orders/order';
import { createPayloadStore } from '../../../shared/orders/payload-store';
import { createOrderRepository } from '../../../shared/orders/repository';
import { lambdaContext } from '../../support/lambda-context';
import { recordMetrics } from '../../support/metrics';
import { basicAuthorization, webhookEvent } from '../../support/webhook-calls';
import { createClients, createLambdaClients } from './clients';
import { type Crash, crashAt, type Interceptor, runIntercepted } from './interceptor';
import { runTraced } from './invocation-trace';
import { createLambdas, type WorkerEnvironment } from './lambdas';
import { createOperationsTable, createOrdersTable, createQueuePair, createRawBucket } from './resources';
import { secrets } from './secrets';
import { startInternalApi, startQualia } from './simulators';
import { rawItem } from './stored-orders';

export interface DeliveryOptions {
  /** Maximum number of messages in the batch. Default: 10. */
  readonly max?: number;
  readonly interceptor?: Interceptor;
  /** The worker crashes at this point, and its messages become visible again. */
  readonly crash?: Crash;
  /** The worker succeeds, but its messages are not deleted, and become visible again. */
  readonly deletionLost?: boolean;
  /** The execution environment of the invocation. Default: a new one. */
  readonly environment?: WorkerEnvironment;
}

export interface ReconcileOptions {
  readonly interceptor?: Interceptor;
  /** The reconciler crashes at this point. */
  readonly crash?: Crash;
  /** Duration of the invocation. Default: 15 minutes. */
  readonly remainingMs?: number;
}

export interface PipelineOptions {
  /** The receive that is the last before the dead-letter queue. */
  readonly maxReceiveCount?: number;
  /** Default: a clock that advances only by `advance`. */
  readonly now?: () => number;
  /** Random numbers for the waits between receives. */
  readonly random?: Random;
  /** Waits within an invocation. Default: no waiting. */
  readonly sleep?: (ms: number) => Promise<void>;
  /**
   * Whether a worker's own calls are the only evidence that the API responds. Default: the API constantly responds to other
   * workers.
   */
  readonly onlyOwnResponses?: boolean;
}

const responseSchema = z.object({
  status: z.enum(['queued', 'duplicate', 'stale']).optional(),
  request_id: z.string(),
});
const passThrough: Interceptor = (_call, make) => make();
const maxDeliveries = 500;

/**
 * Starts an order pipeline with its own table, bucket, queues and APIs. Messages are delivered only by `deliver` and
 * `drain`. Hidden and delayed messages are visible at once.
 */
export const startPipeline = async ({
  maxReceiveCount = 5,
  onlyOwnResponses = false,
  ...options
}: PipelineOptions = {}) => {
  const operator = createClients();
  const clients = createLambdaClients();
  const metrics = recordMetrics();
  let nowMs = Date.UTC(2026, 0, 5, 12);
  let mapping = map;
  const [tableName, operationsTableName, bucketName, download, processing, reconciler, qualia, internalApi] =
    await Promise.all([
      createOrdersTable(operator),
      createOperationsTable(operator),
      createRawBucket(operator),
      createQueuePair(operator, 'download', maxReceiveCount),
      createQueuePair(operator, 'processing', maxReceiveCount),
      createQueuePair(operator, 'reconciler', maxReceiveCount),
      startQualia(),
      startInternalApi(),
    ]);
  const queues = { download, processing, reconciler };
  const lambdas = createLambdas({
    clients,
    tableName,
    operationsTableName,
    bucketName,
    queues,
    qualiaUrl: qualia.url,
    internalApiUrl: internalApi.url,
    maxReceiveCount,
    metrics: metrics.recorder,
    now: options.now ?? (() => nowMs),
    mapOrder: (order) => mapping(order),
    random: options.random,
    sleep: options.sleep,
    lastResponseAtMs: onlyOwnResponses ? undefined : () => Number.POSITIVE_INFINITY,
  });

  const receiveFrom = async (url: string, max: number): Promise<Message[]> => {
    const { Messages = [] } = await operator.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: max,
        VisibilityTimeout: 600,
        MessageSystemAttributeNames: ['All'],
      }),
    );
    return Messages;
  };
  const receive = (worker: WorkerName, max: number) => receiveFrom(queues[worker].url, max);

  const advance = (ms: number): number => {
    nowMs += ms;
    return nowMs;
  };

  const invokeReconciler = async (event: unknown, { remainingMs = 900_000, ...options }: ReconcileOptions) => {
    const { handler, close } = lambdas.reconciler();
    const crash = options.crash && crashAt(options.crash);
    const { interceptor: outer = passThrough } = options;
    const interceptor: Interceptor = (call, make) => outer(call, () => (crash?.interceptor ?? passThrough)(call, make));
    const context = lambdaContext({ functionName: 'reconciler', remainingMs });
    const invocation = runIntercepted(interceptor, () => handler(event, context));
    const result = await (crash === undefined ? invocation : Promise.race([invocation, crash.crashed]));
    if (result !== 'crashed') await close();
    return result;
  };

  const release = async (worker: keyof typeof queues, messages: readonly Message[]): Promise<void> => {
    for (const { ReceiptHandle } of messages) {
      const change = { QueueUrl: queues[worker].url, ReceiptHandle, VisibilityTimeout: 0 };
      await operator.sqs.send(new ChangeMessageVisibilityCommand(change)).catch((error: unknown) => {
        // The worker made the message visible before it crashed.
        if (!(error instanceof MessageNotInflight)) throw error;
      });
    }
  };

  const remove = async (worker: keyof typeof queues, messages: readonly Message[]): Promise<void> => {
    for (const { ReceiptHandle } of messages)
      await operator.sqs.send(new DeleteMessageCommand({ QueueUrl: queues[worker].url, ReceiptHandle }));
  };

  const invokeWorker = async (worker: WorkerName, messages: readonly Message[], options: DeliveryOptions) => {
    const { handler, close } = options.environment ?? lambdas[worker]();
    const crash = options.crash && crashAt(options.crash);
    const { interceptor: inner = passThrough } = options;
    const interceptor: Interceptor = crash ? (call, make) => crash.interceptor(call, () => inner(call, make)) : inner;
    const invocation = runTraced(worker, messages, () =>
      runIntercepted(interceptor, () =>
        handler(toEvent(messages, clients.sentIds), lambdaContext({ functionName: worker })),
      ),
    );
    const result = await (crash === undefined ? invocation : Promise.race([invocation, crash.crashed]));
    if (options.environment === undefined && result !== 'crashed') await close();
    return result;
  };

  /** Invokes a worker with received messages, like an event source mapping. */
  const handle = async (worker: WorkerName, messages: readonly Message[], options: DeliveryOptions = {}) => {
    const result = await invokeWorker(worker, messages, options);
    if (result === 'crashed' || options.deletionLost) {
      await release(worker, messages);
      return result;
    }
    const failed = new Set(result.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    await remove(
      worker,
      messages.filter(({ MessageId = '' }) => !failed.has(MessageId)),
    );
    return result;
  };

  /** Delivers one batch. @returns the messages in it */
  const deliver = async (worker: WorkerName, options: DeliveryOptions = {}): Promise<Message[]> => {
    const messages = await receive(worker, options.max ?? 10);
    if (messages.length > 0) await handle(worker, messages, options);
    return messages;
  };

  const repository = createOrderRepository(operator.documents, tableName);

  return {
    /** The resources of the Lambdas. */
    resources: { tableName, operationsTableName, bucketName, queues },
    lambdas,
    metrics,
    qualia,
    internalApi,
    repository,
    payloads: createPayloadStore(operator.s3, bucketName),
    /** The waits that the Lambdas requested from SQS. */
    waitsSeconds: clients.waitsSeconds,
    /** The waits by receipt handle, or by the id of the message that was sent. */
    waitSecondsOf: clients.waitSecondsOf,
    receive,
    release,
    handle,
    deliver,

    /** Starts a new round of an order, like an activity of Qualia. */
    startRound: async (orderId: string): Promise<void> => {
      await lambdas.startRound({
        orderId: orderId as OrderId,
        requestId: crypto.randomUUID() as RequestId,
        notificationType: 'order_request',
      });
    },

    /** Replaces the bytes of a raw payload. */
    overwritePayload: async (Key: string, Body: Uint8Array): Promise<void> => {
      await operator.s3.send(new PutObjectCommand({ Bucket: bucketName, Key, Body }));
    },

    deletePayload: async (Key: string): Promise<void> => {
      await operator.s3.send(new DeleteObjectCommand({ Bucket: bucketName, Key }));
    },

    /** Invokes the watch over issues like its schedule. @returns the notifications that it sends, and whether it crashed */
    watchIssues: async ({ crash, interceptor = passThrough }: { crash?: Crash; interceptor?: Interceptor } = {}) => {
      const notices: Notice[] = [];
      const crashing = crash && crashAt(crash);
      const invocation = runIntercepted(crashing?.interceptor ?? interceptor, () =>
        lambdas.issueWatch(notices)({}, lambdaContext({ functionName: 'issue-watch' })),
      );
      const result = await (crashing === undefined ? invocation : Promise.race([invocation, crashing.crashed]));
      return { notices, crashed: result === 'crashed' };
    },

    /** The issues, ordered by id. */
    issues: async (): Promise<unknown[]> => {
      const issues: unknown[] = [];
      for await (const item of listOperations(operator.documents, operationsTableName, 'ISSUE', nowMs))
        issues.push(item);
      return issues;
    },

    /** The order's item in DynamoDB's JSON. */
    rawItem: (orderId: string): Promise<string> => rawItem(operator, tableName, orderId as OrderId),

    now: (): number => nowMs,

    /** Advances the clock. @returns the new time, in epoch ms */
    advance,

    /** Invokes the reconciler like its schedule. @returns its report, or `crashed` */
    reconcile: (options: ReconcileOptions = {}) => invokeReconciler({}, options),

    /**
     * Delivers a message of the reconciler's queue. If the invocation fails, the message becomes visible again.
     * @returns the report, the error or `crashed`; undefined if there is no message
     */
    continueReconciling: async (options: ReconcileOptions = {}) => {
      const [message] = await receiveFrom(queues.reconciler.url, 1);
      if (message === undefined) return undefined;
      const result = await invokeReconciler(toEvent([message], clients.sentIds), options).catch((error: unknown) => ({
        error,
      }));
      const isDone = result !== 'crashed' && !('error' in result);
      await (isDone ? remove : release)('reconciler', [message]);
      return result;
    },

    /** Deletes every message of a worker's queue. */
    purge: async (worker: WorkerName): Promise<void> => {
      await operator.sqs.send(new PurgeQueueCommand({ QueueUrl: queues[worker].url }));
    },

    /** Writes an item without the repository. */
    putItem: async (Item: Readonly<Record<string, unknown>>): Promise<void> => {
      await operator.documents.send(new PutCommand({ TableName: tableName, Item }));
    },

    /** Replaces the mapping, like a new release. */
    changeMapping: (mapOrder: typeof map): void => {
      mapping = mapOrder;
    },

    /** Posts a webhook with valid credentials. @returns its response, or `crashed` */
    post: async (
      body: unknown,
      { crash, interceptor = passThrough }: { crash?: Crash; interceptor?: Interceptor } = {},
    ) => {
      const crashing = crash && crashAt(crash);
      const [login] = secrets.webhook.basic;
      const headers = { authorization: basicAuthorization(login.username, login.password) };
      const event = webhookEvent({ headers, body });
      const invocation = runIntercepted(crashing?.interceptor ?? interceptor, () =>
        lambdas.webhook()(event, lambdaContext()),
      );
      const response = await (crashing === undefined ? invocation : Promise.race([invocation, crashing.crashed]));
      if (response === 'crashed') return response;
      return { statusCode: response.statusCode, ...responseSchema.parse(JSON.parse(response.body ?? 'null')) };
    },

    /** Delivers until both queues are empty. */
    drain: async (): Promise<void> => {
      for (let deliveries = 0; deliveries < maxDeliveries; deliveries++) {
        const moved = [...(await deliver('download')), ...(await deliver('processing'))];
        if (moved.length === 0) return;
      }
      throw new Error(`The queues are not empty after ${maxDeliveries} deliveries`);
    },

    send: async (worker: WorkerName, body: string): Promise<void> => {
      const { MessageId = '' } = await operator.sqs.send(
        new SendMessageCommand({ QueueUrl: queues[worker].url, MessageBody: body }),
      );
      // The test simulates a message that SQS delivers twice.
      clients.sentIds.add(MessageId);
    },

    /** The messages in a worker's dead-letter queue. They stay there. */
    deadLetters: async (worker: WorkerName): Promise<Message[]> => {
      const { deadLetterUrl } = queues[worker];
      const messages = await receiveFrom(deadLetterUrl, 10);
      for (const { ReceiptHandle } of messages)
        await operator.sqs.send(
          new ChangeMessageVisibilityCommand({ QueueUrl: deadLetterUrl, ReceiptHandle, VisibilityTimeout: 0 }),
        );
      return messages;
    },

    /** Moves a worker's dead letters back to its queue. */
    redrive: async (worker: WorkerName): Promise<void> => {
      await operator.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: queues[worker].deadLetterArn }));
    },

    /** Reads an order. @throws {Error} if it does not exist */
    orderOf: async (orderId: string) => {
      const order = await repository.read(orderId as OrderId);
      if (order === undefined) throw new Error(`There is no order ${orderId}`);
      return order;
    },

    stop: async (): Promise<void> => {
      await Promise.all([qualia.stop(), internalApi.stop()]);
      clients.destroy();
      operator.destroy();
    },
  };
};

export type Pipeline = Awaited<ReturnType<typeof startPipeline>>;

/**
 * Sent messages get the time 0, because the clock of SQS is ahead of the pipeline's. Redriven messages keep their time, so
 * that the worker recognizes the redrive.
 */
const toEvent = (messages: readonly Message[], sentIds: ReadonlySet<string>): SQSEvent => ({
  Records: messages.map(({ MessageId = '', ReceiptHandle = '', Body = '', MD5OfBody = '', Attributes = {} }) => ({
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    md5OfBody: MD5OfBody,
    attributes: {
      ApproximateReceiveCount: Attributes.ApproximateReceiveCount ?? '',
      SentTimestamp: sentIds.has(MessageId) ? '0' : (Attributes.SentTimestamp ?? ''),
      SenderId: Attributes.SenderId ?? '',
      ApproximateFirstReceiveTimestamp: Attributes.ApproximateFirstReceiveTimestamp ?? '',
    },
    messageAttributes: {},
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:queue',
    awsRegion: 'us-east-1',
  })),
});
