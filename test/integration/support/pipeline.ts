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
import type { Random } from '../../../shared/http/backoff';
import { mapOrder as map } from '../../../shared/internal-api/mapping';
import type { OrderId, RequestId } from '../../../shared/orders/order';
import { createPayloadStore } from '../../../shared/orders/payload-store';
import { createOrderRepository } from '../../../shared/orders/repository';
import { lambdaContext } from '../../support/lambda-context';
import { recordMetrics } from '../../support/metrics';
import { basicAuthorization, webhookEvent } from '../../support/webhook-calls';
import { createClients, createLambdaClients } from './clients';
import { runTraced } from './invocation-trace';
import { createLambdas, type Worker } from './lambdas';
import { type Death, dyingAt, type Outside, runWithin } from './outside';
import { createOrdersTable, createQueuePair, createRawBucket } from './resources';
import { secrets } from './secrets';
import { startInternalApi, startQualia } from './simulators';
import { rawItem } from './stored-orders';

export type StageName = 'download' | 'processing';

export interface DeliveryOptions {
  /** Maximum number of messages in the batch. Default: 10. */
  readonly max?: number;
  readonly outside?: Outside;
  /** The worker dies there, and its messages come back. */
  readonly death?: Death;
  /** The worker ends well, but its messages are not deleted: they come back. */
  readonly deletionLost?: boolean;
  /** Runs in this execution environment, not in a new one. */
  readonly worker?: Worker;
}

export interface ReconcileOptions {
  readonly outside?: Outside;
  /** The reconciler dies there. */
  readonly death?: Death;
  /** Duration of the invocation. Default: 15 minutes. */
  readonly remainingMs?: number;
}

export interface PipelineOptions {
  /** The receive that is the last before the dead-letter queue. */
  readonly maxReceiveCount?: number;
  /** Default: a clock that only `pass` moves. */
  readonly now?: () => number;
  /** Of the waits between messages. */
  readonly random?: Random;
  /** Waits within an invocation. Default: no waiting. */
  readonly sleep?: (ms: number) => Promise<void>;
  /** The workers know only the responses that they got themselves. Default: the API constantly responds to others. */
  readonly alone?: boolean;
}

const answerSchema = z.object({
  status: z.enum(['queued', 'duplicate', 'stale']).optional(),
  request_id: z.string(),
});
const passThrough: Outside = (_call, make) => make();
const maxDeliveries = 500;

/**
 * The order pipeline with everything of its own: table, bucket, queues, and both APIs. Messages move only when
 * `deliver` or `drain` says so; what would be hidden for a while is there again at once.
 */
export const startPipeline = async ({ maxReceiveCount = 5, alone = false, ...options }: PipelineOptions = {}) => {
  const operator = createClients();
  const clients = createLambdaClients();
  const metrics = recordMetrics();
  let nowMs = Date.UTC(2026, 0, 5, 12);
  let mapping = map;
  const [tableName, bucketName, download, processing, reconciler, qualia, internalApi] = await Promise.all([
    createOrdersTable(operator),
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
    answeredAtMs: alone ? undefined : () => Number.POSITIVE_INFINITY,
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
  const receive = (stage: StageName, max: number) => receiveFrom(queues[stage].url, max);

  const passTime = (ms: number): number => {
    nowMs += ms;
    return nowMs;
  };

  const invokeReconciler = async (event: unknown, { remainingMs = 900_000, ...options }: ReconcileOptions) => {
    const { handler, close } = lambdas.reconciler();
    const death = options.death && dyingAt(options.death);
    const { outside: around = passThrough } = options;
    const outside: Outside = (call, make) => around(call, () => (death?.outside ?? passThrough)(call, make));
    const context = lambdaContext({ functionName: 'reconciler', remainingMs });
    const invocation = runWithin(outside, () => handler(event, context));
    const result = await (death === undefined ? invocation : Promise.race([invocation, death.died]));
    if (result !== 'died') await close();
    return result;
  };

  const release = async (stage: keyof typeof queues, messages: readonly Message[]): Promise<void> => {
    for (const { ReceiptHandle } of messages) {
      const change = { QueueUrl: queues[stage].url, ReceiptHandle, VisibilityTimeout: 0 };
      await operator.sqs.send(new ChangeMessageVisibilityCommand(change)).catch((error: unknown) => {
        // Its worker made it visible before it died.
        if (!(error instanceof MessageNotInflight)) throw error;
      });
    }
  };

  const remove = async (stage: keyof typeof queues, messages: readonly Message[]): Promise<void> => {
    for (const { ReceiptHandle } of messages)
      await operator.sqs.send(new DeleteMessageCommand({ QueueUrl: queues[stage].url, ReceiptHandle }));
  };

  const invokeWorker = async (stage: StageName, messages: readonly Message[], options: DeliveryOptions) => {
    const { handler, close } = options.worker ?? lambdas[stage]();
    const death = options.death && dyingAt(options.death);
    const { outside: given = passThrough } = options;
    const outside: Outside = death ? (call, make) => death.outside(call, () => given(call, make)) : given;
    const invocation = runTraced(stage, messages, () =>
      runWithin(outside, () => handler(toEvent(messages, clients.sentIds), lambdaContext({ functionName: stage }))),
    );
    const result = await (death === undefined ? invocation : Promise.race([invocation, death.died]));
    if (options.worker === undefined && result !== 'died') await close();
    return result;
  };

  /** Hands messages that were received to the stage's worker, as an event source mapping does. */
  const handle = async (stage: StageName, messages: readonly Message[], options: DeliveryOptions = {}) => {
    const result = await invokeWorker(stage, messages, options);
    if (result === 'died' || options.deletionLost) {
      await release(stage, messages);
      return result;
    }
    const failed = new Set(result.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    await remove(
      stage,
      messages.filter(({ MessageId = '' }) => !failed.has(MessageId)),
    );
    return result;
  };

  /** Delivers one batch. @returns the messages in it */
  const deliver = async (stage: StageName, options: DeliveryOptions = {}): Promise<Message[]> => {
    const messages = await receive(stage, options.max ?? 10);
    if (messages.length > 0) await handle(stage, messages, options);
    return messages;
  };

  const repository = createOrderRepository(operator.documents, tableName);

  return {
    /** What the Lambdas are wired to. */
    resources: { tableName, bucketName, queues },
    lambdas,
    metrics,
    qualia,
    internalApi,
    repository,
    payloads: createPayloadStore(operator.s3, bucketName),
    /** The waits that the Lambdas asked of SQS, in seconds. */
    waitsSeconds: clients.waitsSeconds,
    /** The same by receipt handle, or by the id of the message that was sent. */
    waitOf: clients.waitOf,
    receive,
    release,
    handle,
    deliver,

    /** Begins a round of an order that has none yet, or a newer one: an activity of Qualia's. */
    touch: async (orderId: string): Promise<void> => {
      await lambdas.startRound({
        orderId: orderId as OrderId,
        requestId: crypto.randomUUID() as RequestId,
        notificationType: 'order_request',
      });
    },

    /** Puts other bytes in the place of a raw payload. */
    overwritePayload: async (Key: string, Body: Uint8Array): Promise<void> => {
      await operator.s3.send(new PutObjectCommand({ Bucket: bucketName, Key, Body }));
    },

    deletePayload: async (Key: string): Promise<void> => {
      await operator.s3.send(new DeleteObjectCommand({ Bucket: bucketName, Key }));
    },

    /** The order's item as DynamoDB holds it, as text. */
    rawItem: (orderId: string): Promise<string> => rawItem(operator, tableName, orderId as OrderId),

    now: (): number => nowMs,

    /** Moves the clock on. @returns the new time, in epoch ms */
    pass: passTime,

    /** One invocation of the reconciler by its schedule. @returns its report, or `died` when it did */
    reconcile: (options: ReconcileOptions = {}) => invokeReconciler({}, options),

    /**
     * Delivers a message of the reconciler's queue, as its event source mapping does: a message whose invocation fails
     * comes back. @returns what came of it; nothing when there was no message
     */
    continueReconciling: async (options: ReconcileOptions = {}) => {
      const [message] = await receiveFrom(queues.reconciler.url, 1);
      if (message === undefined) return undefined;
      const result = await invokeReconciler(toEvent([message], clients.sentIds), options).catch((error: unknown) => ({
        error,
      }));
      const isDone = result !== 'died' && !('error' in result);
      await (isDone ? remove : release)('reconciler', [message]);
      return result;
    },

    /** Loses every message of a stage's queue. */
    purge: async (stage: StageName): Promise<void> => {
      await operator.sqs.send(new PurgeQueueCommand({ QueueUrl: queues[stage].url }));
    },

    /** Writes an item as it is. */
    putItem: async (Item: Readonly<Record<string, unknown>>): Promise<void> => {
      await operator.documents.send(new PutCommand({ TableName: tableName, Item }));
    },

    /** Changes the mapping, as a release does, from here on. */
    changeMapping: (mapOrder: typeof map): void => {
      mapping = mapOrder;
    },

    /** Posts a webhook with good credentials. @returns what its sender sees, or `died` when the Lambda did */
    post: async (body: unknown, { death, outside = passThrough }: { death?: Death; outside?: Outside } = {}) => {
      const dying = death && dyingAt(death);
      const [login] = secrets.webhook.basic;
      const headers = { authorization: basicAuthorization(login.username, login.password) };
      const event = webhookEvent({ headers, body });
      const invocation = runWithin(dying?.outside ?? outside, () => lambdas.webhook()(event, lambdaContext()));
      const answer = await (dying === undefined ? invocation : Promise.race([invocation, dying.died]));
      if (answer === 'died') return answer;
      return { statusCode: answer.statusCode, ...answerSchema.parse(JSON.parse(answer.body ?? 'null')) };
    },

    /** Delivers until both queues are empty. */
    drain: async (): Promise<void> => {
      for (let deliveries = 0; deliveries < maxDeliveries; deliveries++) {
        const moved = [...(await deliver('download')), ...(await deliver('processing'))];
        if (moved.length === 0) return;
      }
      throw new Error(`The queues are not empty after ${maxDeliveries} deliveries`);
    },

    send: async (stage: StageName, body: string): Promise<void> => {
      const { MessageId = '' } = await operator.sqs.send(
        new SendMessageCommand({ QueueUrl: queues[stage].url, MessageBody: body }),
      );
      // It stands for a message that SQS delivers twice.
      clients.sentIds.add(MessageId);
    },

    /** The messages in the dead-letter queue of a stage; they stay there. */
    deadLetters: async (stage: StageName): Promise<Message[]> => {
      const { deadLetterUrl } = queues[stage];
      const messages = await receiveFrom(deadLetterUrl, 10);
      for (const { ReceiptHandle } of messages)
        await operator.sqs.send(
          new ChangeMessageVisibilityCommand({ QueueUrl: deadLetterUrl, ReceiptHandle, VisibilityTimeout: 0 }),
        );
      return messages;
    },

    /** Moves the dead letters of a stage back to its queue. */
    redrive: async (stage: StageName): Promise<void> => {
      await operator.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: queues[stage].deadLetterArn }));
    },

    /** The order as it stands. @throws when there is none */
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

/** A sent message is reported as sent. A message that a redrive moved has a later time, by the clock of SQS. */
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
