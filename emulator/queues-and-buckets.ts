import * as z from 'zod';
import type { Application } from './application';
import { checkPreconditions } from './bucket-preconditions';
import { buildApp, receiveMessage, S3Store, SnsStore, type SqsQueue, SqsStore } from './fauxqs';
import { refuseForeignCallers, withFallback } from './loopback-server';
import { keepMessageTraces } from './message-traces';
import { createPublisher, createTopics, refuseUnservedSns } from './notifications';
import { serveMessageMoveTasks } from './queue-redrive';
import { openQueueStore } from './queue-store';
import { accountId, arnOf } from './resource-types';
import { refuseUnservedS3 } from './s3-requests';
import { correctSqs } from './sqs-requests';
import { keepObjectsOnDisk } from './stored-objects';

const queueSchema = z.object({
  VisibilityTimeout: z.coerce.string().optional(),
  DelaySeconds: z.coerce.string().optional(),
  MessageRetentionPeriod: z.coerce.string().optional(),
  MaximumMessageSize: z.coerce.string().optional(),
  ReceiveMessageWaitTimeSeconds: z.coerce.string().optional(),
  RedrivePolicy: z.object({ deadLetterTargetArn: z.string(), maxReceiveCount: z.coerce.number() }).optional(),
  FifoQueue: z.literal(false).optional(),
});

const messagesSchema = z.array(
  z.object({
    MessageId: z.string(),
    ReceiptHandle: z.string(),
    Body: z.string(),
    MD5OfBody: z.string(),
    Attributes: z.record(z.string(), z.string()).default({}),
    MessageAttributes: z
      .record(
        z.string(),
        z.object({ DataType: z.string(), StringValue: z.string().optional(), BinaryValue: z.string().optional() }),
      )
      .default({}),
  }),
);

/** A message as `ReceiveMessage` returns it. */
export type Message = z.infer<typeof messagesSchema>[number];

/** One queue, for its event source mapping. There is no network in between that could lose a response. */
export interface MessageSource {
  /** Receives up to 10 messages. Waits at most one second for the first. */
  receive(maxMessages: number): Promise<Message[]>;
  /** Deletes messages by their receipt handles: all or none. */
  delete(receiptHandles: readonly string[]): unknown;
  /** Ends the work on messages. They become visible after their timeout, or sooner if a shorter limit is configured. */
  release(receiptHandles: readonly string[]): void;
}

/** The messages of a queue, counted. */
export interface QueueDepth {
  readonly name: string;
  readonly visible: number;
  readonly notVisible: number;
  readonly delayed: number;
  /** Unix time in ms at which the oldest message was sent; like SQS, without those that were received over three times. */
  readonly oldestSentAtMs: number | undefined;
  /** Number of messages that clients have sent since the start. */
  readonly sent: number;
}

/** SQS, SNS and S3 on one port, served by fauxqs. */
export interface QueuesAndBuckets {
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Creates missing queues, topics and buckets, and sets the template's attributes on existing queues. */
  create(application: Application): void;
  /** @throws {Error} if there is no such queue */
  source(queueArn: string): MessageSource;
  depths(): QueueDepth[];
  /** Publishes a message to a topic of SNS. */
  publish(topicArn: string, subject: string, message: string): void;
  stop(): Promise<void>;
}

/**
 * Serves SQS, SNS and S3 from an SQLite file in `directory`.
 * @param longestHiddenSeconds maximum time that a message is delayed, or stays invisible after its worker stopped
 */
export const startQueuesAndBuckets = async (
  directory: string,
  preferredPort = 0,
  longestHiddenSeconds = Number.POSITIVE_INFINITY,
): Promise<QueuesAndBuckets> => {
  const longestHiddenMs = longestHiddenSeconds * 1000;
  const sqsStore = new SqsStore();
  const s3Store = new S3Store();
  const snsStore = new SnsStore();
  const { persistence, database, transaction } = openQueueStore(directory);
  const objects = keepObjectsOnDisk(s3Store, persistence, database);
  const traces = keepMessageTraces(sqsStore, persistence, database);
  const moveTasks = serveMessageMoveTasks(sqsStore, transaction);

  const open = async (port: number) => {
    const app = buildApp({ logger: false, stores: { sqsStore, snsStore, s3Store } });
    const sqs = correctSqs(sqsStore);
    app.addHook('preHandler', refuseUnservedS3());
    app.addHook('preHandler', refuseUnservedSns());
    app.addHook('preHandler', sqs.onRequest);
    app.addHook('preHandler', checkPreconditions(objects));
    app.addHook('preHandler', moveTasks.onRequest);
    refuseForeignCallers(app.server);
    app.addHook('preHandler', traces.onRequest);
    app.addHook('preSerialization', traces.onReply);
    app.addHook('preSerialization', sqs.onReply);
    await app.listen({ port, host: '127.0.0.1' });
    return app;
  };
  const app = await withFallback(preferredPort, open);
  const port = app.addresses()[0]?.port ?? preferredPort;
  const url = `http://127.0.0.1:${port}`;
  const urlOf = (name: string) => `${url}/${accountId}/${name}`;
  // The default URL of a queue contains a host name that does not resolve.
  sqsStore.buildQueueUrl = urlOf;

  // The workers that held messages died with the previous process, and the port can differ from the previous one.
  database.exec('UPDATE sqs_messages SET receipt_handle = NULL, visibility_deadline = NULL');
  database.prepare('UPDATE sqs_queues SET url = ? || name').run(urlOf(''));
  persistence.load(sqsStore, snsStore, s3Store);
  traces.restore();
  sqsStore.persistence = persistence;
  snsStore.persistence = persistence;
  s3Store.persistence = persistence;

  /** Name of a queue → number of messages that clients have sent. */
  const sent = new Map<string, number>();
  const createQueue = (name: string, attributes: Record<string, string>) => {
    const existing = sqsStore.getQueueByName(name);
    const queue = existing ?? sqsStore.createQueue(name, urlOf(name), arnOf('sqs', name), attributes);
    queue.persistence = persistence;
    queue.setAttributes(attributes);
    // A move to the dead-letter queue is a delete and an insert: both or neither must take effect.
    const dequeue = queue.dequeue.bind(queue);
    queue.dequeue = (...args) => transaction(() => dequeue(...args));
    const enqueue = queue.enqueue.bind(queue);
    queue.enqueue = ({ delayUntil, ...message }) => {
      // A message that SQS moves to the dead-letter queue has been received before.
      if (message.approximateReceiveCount === 0) sent.set(name, (sent.get(name) ?? 0) + 1);
      enqueue({ ...message, ...(delayUntil && { delayUntil: Math.min(delayUntil, Date.now() + longestHiddenMs) }) });
    };
  };

  return {
    port,
    url,
    create(application) {
      for (const { name, properties } of application.resources(['AWS::SQS::Queue'], queueSchema)) {
        const { RedrivePolicy, FifoQueue, ...attributes } = properties;
        const redrive = RedrivePolicy ? JSON.stringify(RedrivePolicy) : '';
        createQueue(name, { ...withoutUndefined(attributes), RedrivePolicy: redrive });
      }
      for (const { name } of application.resources(['AWS::S3::Bucket'], z.object({}))) {
        s3Store.createBucket(name);
      }
      createTopics(application, snsStore);
    },
    source(queueArn) {
      const queue = sqsStore.getQueueByArn(queueArn);
      if (!queue) {
        throw new Error(`There is no queue ${queueArn}.`);
      }
      const request = { QueueUrl: queue.url, WaitTimeSeconds: 1, MessageSystemAttributeNames: ['All'] };
      return {
        async receive(maxMessages) {
          const { Messages } = await receiveMessage({ ...request, MaxNumberOfMessages: maxMessages }, sqsStore);
          return messagesSchema.parse(Messages ?? []).map((message) => {
            const AWSTraceHeader = traces.of(queue, message.ReceiptHandle);
            return AWSTraceHeader === undefined
              ? message
              : { ...message, Attributes: { ...message.Attributes, AWSTraceHeader } };
          });
        },
        release(receiptHandles) {
          const latest = Date.now() + longestHiddenMs;
          for (const handle of receiptHandles) {
            if ((queue.inflightMessages.get(handle)?.visibilityDeadline ?? 0) > latest) {
              queue.changeVisibility(handle, longestHiddenSeconds);
            }
          }
        },
        delete: (receiptHandles) => transaction(() => receiptHandles.map((handle) => queue.deleteMessage(handle))),
      };
    },
    publish: createPublisher(snsStore, sqsStore),
    depths: () => [...sqsStore.allQueues()].map((queue) => ({ ...depthOf(queue), sent: sent.get(queue.name) ?? 0 })),
    async stop() {
      moveTasks.stop();
      await app.close();
      persistence.close();
    },
  };
};

const maxReceivesOfOldest = 3;

const depthOf = (queue: SqsQueue): Omit<QueueDepth, 'sent'> => {
  // Moves messages whose delay or visibility timeout has ended.
  queue.processTimers();
  const inFlight = [...queue.inflightMessages.values()].map(({ message }) => message);
  const sentAt = [...queue.messages, ...inFlight, ...queue.delayedMessages]
    .filter(({ approximateReceiveCount }) => approximateReceiveCount <= maxReceivesOfOldest)
    .map(({ sentTimestamp }) => sentTimestamp);
  return {
    name: queue.name,
    visible: queue.messages.length,
    notVisible: inFlight.length,
    delayed: queue.delayedMessages.length,
    oldestSentAtMs: sentAt.length === 0 ? undefined : sentAt.reduce((oldest, one) => Math.min(oldest, one)),
  };
};

const withoutUndefined = (attributes: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(attributes).filter((entry): entry is [string, string] => entry[1] !== undefined));
