import { PutObjectCommand } from '@aws-sdk/client-s3';
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { parseJson } from '../../shared/json';
import { type DownloadMessage, downloadMessageSchema } from '../../shared/orders/message';
import type { WorkerName } from '../../shared/orders/order';
import { ServiceFault } from './fault';
import type { LogService } from './logs';
import { parseLogTime } from './order-log/lines';
import type { PayloadLocation } from './orders';
import type { StageConnection } from './stage-connection';

/** A message of a dead-letter queue. */
export interface DeadLetter {
  /** Given by SQS. A redrive creates a new message with another id. */
  readonly id: string;
  /** The parsed body; undefined if it is not an order message. */
  readonly message: DownloadMessage | undefined;
  readonly body: string;
  /** When it was first sent to the worker's queue. */
  readonly sentAt: Date;
  readonly firstReceivedAt: Date;
  /** As SQS counts them: includes the receives of `dlq list` and `dlq show`. */
  readonly receives: number;
  /** When SQS deletes it. */
  readonly expiresAt: Date;
}

/** The first logged failure of the worker with a message. */
export interface FirstFailure {
  readonly at: Date;
  readonly code: string;
  readonly error: string | undefined;
}

/** Dead letters that were read. */
export interface DeadLetterPage {
  /** The oldest first. */
  readonly letters: readonly DeadLetter[];
  /** Whether the queue may have more. */
  readonly isPartial: boolean;
}

/** A receive of a message, which its handle identifies. */
interface Held {
  readonly letter: DeadLetter;
  readonly handle: string | undefined;
  readonly attributes: Message['MessageAttributes'];
}

/** Maximum of one receive. */
const batchSize = 10;
/** Messages that one search receives at most: SQS cannot read a message by its id. */
export const maxReceived = 1_000;
const maxSearchMs = 30_000;
/** Longer than a search, so that it gets no message twice. If it is killed, the messages are visible again after that. */
const holdSeconds = 60;

/** The clocks of SQS and of the Lambdas can differ. */
const clockToleranceMs = 60_000;

/** The key of a dropped message in the artifacts bucket. */
export const droppedKey = (worker: WorkerName, id: string): string => `dead-letters/${worker}/${id}.json`;

/** Reads, moves and drops single messages of a stage's dead-letter queues. */
export const createDeadLetterMessages = (stage: StageConnection, now: () => number) => {
  const { sqs, s3, artifactsBucketName, deadLetterQueueUrls } = stage;
  const queueUrls = { download: stage.downloadQueueUrl, processing: stage.processingQueueUrl };

  const readRetentionMs = async (QueueUrl: string): Promise<number> => {
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['MessageRetentionPeriod'] }),
    );
    return Number(Attributes?.MessageRetentionPeriod ?? 0) * 1_000;
  };

  const release = async (QueueUrl: string, held: readonly Held[]): Promise<void> => {
    for (let at = 0; at < held.length; at += batchSize) {
      const Entries = held
        .slice(at, at + batchSize)
        .map(({ handle }, index) => ({ Id: `${index}`, ReceiptHandle: handle, VisibilityTimeout: 0 }));
      await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
    }
  };

  /**
   * Receives messages until `isEnough`, or until the queue returns no more, and gives them back when `work` ends.
   *
   * @param work gets the messages, and whether the queue may have more
   */
  const hold = async <Result>(
    worker: WorkerName,
    isEnough: (held: ReadonlyMap<string, Held>) => boolean,
    work: (held: ReadonlyMap<string, Held>, isPartial: boolean) => Promise<Result>,
  ): Promise<Result> => {
    const QueueUrl = deadLetterQueueUrls[worker];
    const retentionMs = await readRetentionMs(QueueUrl);
    const held = new Map<string, Held>();
    const deadlineMs = now() + maxSearchMs;
    const isOver = () => isEnough(held) || held.size >= maxReceived || now() > deadlineMs;
    try {
      while (!isOver()) {
        const { Messages = [] } = await sqs.send(
          new ReceiveMessageCommand({
            QueueUrl,
            MaxNumberOfMessages: batchSize,
            VisibilityTimeout: holdSeconds,
            // A long poll asks all servers of the queue, so an empty response means that it has no visible message.
            WaitTimeSeconds: 1,
            MessageSystemAttributeNames: [
              'SentTimestamp',
              'ApproximateFirstReceiveTimestamp',
              'ApproximateReceiveCount',
            ],
            MessageAttributeNames: ['All'],
          }),
        );
        if (Messages.length === 0) return await work(held, false);
        for (const message of Messages) held.set(message.MessageId ?? '', toHeld(message, retentionMs));
      }
      return await work(held, true);
    } finally {
      // SQS refuses this only for messages that `work` has deleted.
      await release(QueueUrl, [...held.values()]);
    }
  };

  /** @throws {ServiceFault} `absent` if a search does not find the message */
  const withMessage = <Result>(
    worker: WorkerName,
    id: string,
    work: (held: Held) => Promise<Result>,
  ): Promise<Result> =>
    hold(
      worker,
      (held) => held.has(id),
      async (held) => {
        const found = held.get(id);
        if (found === undefined) throw await notFound(worker, id, held.size);
        return work(found);
      },
    );

  const notFound = async (worker: WorkerName, id: string, received: number): Promise<ServiceFault> => {
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: deadLetterQueueUrls[worker],
        AttributeNames: ['ApproximateNumberOfMessagesNotVisible'],
      }),
    );
    const hidden = Number(Attributes?.ApproximateNumberOfMessagesNotVisible ?? 0) - received;
    const more = [
      ...(received >= maxReceived ? [`only ${maxReceived} messages were searched`] : []),
      ...(hidden > 0 ? [`${hidden} are hidden by another reader: try again in a minute`] : []),
    ];
    const reason = more.length === 0 ? '' : ` (${more.join('; ')})`;
    return new ServiceFault('absent', `The ${worker} dead-letter queue has no message ${id}${reason}.`);
  };

  const remove = async (worker: WorkerName, { handle }: Held): Promise<void> => {
    await sqs.send(new DeleteMessageCommand({ QueueUrl: deadLetterQueueUrls[worker], ReceiptHandle: handle }));
  };

  return {
    /** Reads messages of a dead-letter queue, up to `limit` and the rest of a batch. They stay in the queue. */
    list: (worker: WorkerName, limit: number): Promise<DeadLetterPage> =>
      hold(
        worker,
        ({ size }) => size >= limit,
        async (held, isPartial) => ({
          letters: [...held.values()]
            .map(({ letter }) => letter)
            .sort((a, b) => a.sentAt.getTime() - b.sentAt.getTime()),
          isPartial,
        }),
      ),

    /**
     * Reads one message. It stays in the queue.
     *
     * @throws {ServiceFault} `absent`
     */
    get: (worker: WorkerName, id: string): Promise<DeadLetter> => withMessage(worker, id, async ({ letter }) => letter),

    /**
     * Sends one message to the worker's queue again, and then deletes it from the dead-letter queue. If this process stops
     * in between, both queues have it: the worker only acknowledges a second message of the same round.
     *
     * @throws {ServiceFault} `absent`
     */
    redrive: (worker: WorkerName, id: string): Promise<DeadLetter> =>
      withMessage(worker, id, async (held) => {
        const { letter, attributes } = held;
        await sqs.send(
          new SendMessageCommand({
            QueueUrl: queueUrls[worker],
            MessageBody: letter.body,
            ...(attributes && { MessageAttributes: attributes }),
          }),
        );
        await remove(worker, held);
        return letter;
      }),

    /**
     * Stores one message in the artifacts bucket, and then deletes it from its queue. If this process stops in between, the
     * next drop writes the same object again.
     *
     * @throws {ServiceFault} `absent`
     */
    drop: (worker: WorkerName, id: string): Promise<PayloadLocation> =>
      withMessage(worker, id, async (held) => {
        const location = { bucket: artifactsBucketName, key: droppedKey(worker, id) };
        await s3.send(
          new PutObjectCommand({
            Bucket: location.bucket,
            Key: location.key,
            Body: JSON.stringify(toStored(worker, held)),
            ContentType: 'application/json',
          }),
        );
        await remove(worker, held);
        return location;
      }),
  };
};

const toHeld = (message: Message, retentionMs: number): Held => {
  const { MessageId = '', Body = '', ReceiptHandle, Attributes, MessageAttributes } = message;
  const timeOf = (name: 'SentTimestamp' | 'ApproximateFirstReceiveTimestamp') =>
    new Date(Number(Attributes?.[name] ?? 0));
  const sentAt = timeOf('SentTimestamp');
  return {
    letter: {
      id: MessageId,
      message: downloadMessageSchema.safeParse(parseJson(Body)).data,
      body: Body,
      sentAt,
      firstReceivedAt: timeOf('ApproximateFirstReceiveTimestamp'),
      receives: Number(Attributes?.ApproximateReceiveCount ?? 0),
      // A dead letter keeps the time of its first send, from which its queue counts the retention.
      expiresAt: new Date(sentAt.getTime() + retentionMs),
    },
    handle: ReceiptHandle,
    attributes: MessageAttributes,
  };
};

const toStored = (worker: WorkerName, { letter, attributes }: Held) => ({
  queue: worker,
  message_id: letter.id,
  sent_at: letter.sentAt.toISOString(),
  first_received_at: letter.firstReceivedAt.toISOString(),
  receives: letter.receives,
  message_attributes: attributes ?? {},
  body: letter.body,
});

/** The query for the first failures of a worker with some messages. Each request id belongs to one message. */
const firstFailureQuery = (worker: WorkerName, requestIds: readonly string[]): string =>
  [
    `filter service = ${JSON.stringify(worker)} and ispresent(error_code) and request_id in ${JSON.stringify(requestIds)}`,
    'stats min(@timestamp) as at, earliest(error_code) as code, earliest(error) as first_error by request_id',
  ].join(' | ');

/**
 * Reads from the logs what first failed with each message.
 *
 * @returns by message id; without an entry if no failure is logged, as after a timeout of the Lambda
 */
export const readFirstFailures = async (
  logs: Pick<LogService, 'search'>,
  worker: WorkerName,
  letters: readonly DeadLetter[],
  now: () => number,
): Promise<ReadonlyMap<string, FirstFailure>> => {
  const readable = letters.flatMap(({ id, message, sentAt }) => (message ? [{ id, message, sentAt }] : []));
  if (readable.length === 0) return new Map();
  const sentAtMs = readable.map(({ sentAt }) => sentAt.getTime());
  const query = firstFailureQuery(
    worker,
    readable.map(({ message }) => message.request_id),
  );
  const rows = await logs.search(query, {
    since: new Date(Math.min(...sentAtMs) - clockToleranceMs),
    until: new Date(Math.max(now(), ...sentAtMs) + clockToleranceMs),
    limit: maxReceived,
  });
  const failures = new Map(
    rows.map((row) => [
      row.get('request_id'),
      { at: parseLogTime(row.get('at') ?? ''), code: row.get('code') ?? '', error: row.get('first_error') },
    ]),
  );
  return new Map(
    readable.flatMap(({ id, message }) => {
      const failure = failures.get(message.request_id);
      return failure ? [[id, failure] as const] : [];
    }),
  );
};
