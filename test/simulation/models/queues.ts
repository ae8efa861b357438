import {
  type ChangeMessageVisibilityBatchCommandInput,
  type ChangeMessageVisibilityCommandInput,
  type DeleteMessageBatchCommandInput,
  type DeleteMessageCommandInput,
  type GetQueueAttributesCommandInput,
  type MessageAttributeValue,
  MessageNotInflight,
  type QueueAttributeName,
  QueueDoesNotExist,
  ReceiptHandleIsInvalid,
  type ReceiveMessageCommandInput,
  type SendMessageBatchCommandInput,
  type SendMessageCommandInput,
  SQSServiceException,
} from '@aws-sdk/client-sqs';
import type { SQSRecord } from 'aws-lambda';
import type { SimulatedWorld } from '../world';
import { clientOf, metadata } from './client';
import { createVisibleMessages } from './visible-messages';

export interface QueueLayout {
  /** How long a received message is hidden. Default: 30 s. */
  readonly visibilityMs?: number;
  /** Default: 4 days. */
  readonly retentionMs?: number;
  /** The queue that gets a message instead of its next receive after `maxReceiveCount` receives. */
  readonly deadLetters?: { readonly url: string; readonly maxReceiveCount: number };
}

export interface QueuesOptions {
  /** By URL. */
  readonly queues: Readonly<Record<string, QueueLayout>>;
  /** The share of receives that leave the message visible, so that it is delivered twice. Default: 0. */
  readonly duplicateShare?: number;
  /** The share of deletes without effect: the message is delivered again. Default: 0. */
  readonly lostDeleteShare?: number;
  /** The share of receives out of order. Default: 0. */
  readonly reorderedShare?: number;
  /** The share of the entries of a `SendMessageBatch` that SQS does not accept. Default: 0. */
  readonly refusedShare?: number;
}

interface Message {
  readonly id: string;
  readonly body: string;
  readonly attributes: Record<string, MessageAttributeValue> | undefined;
  readonly sentAtMs: number;
  visibleAtMs: number;
  receives: number;
  firstReceivedAtMs: number | undefined;
}

/** A message of a queue, as an oracle sees it. */
export type QueuedMessage = Readonly<Message>;

interface Queue {
  readonly url: string;
  readonly layout: QueueLayout;
  readonly messages: Map<string, Message>;
  readonly visible: ReturnType<typeof createVisibleMessages<Message>>;
}

const defaultVisibilityMs = 30_000;
const defaultRetentionMs = 4 * 86_400_000;
const maxVisibilitySeconds = 43_200;
const maxDelaySeconds = 900;

const invalid = (message: string): SQSServiceException =>
  new SQSServiceException({ name: 'InvalidParameterValue', message, $fault: 'client', ...metadata(400) });

const checkSeconds = (name: string, seconds: number, maximum: number): void => {
  if (seconds < 0 || seconds > maximum) throw invalid(`Value ${seconds} for parameter ${name} is invalid`);
};

/** A receipt handle names its message and the receive. */
const idOf = (handle: string): string => handle.slice(0, handle.lastIndexOf('#'));

/**
 * SQS's standard queues: at least once, and in no order. It takes each choice that SQS makes by itself from the seed.
 * Empty receives are not delayed: long polls are the caller's.
 */
export const createQueues = (world: SimulatedWorld, options: QueuesOptions) => {
  const { duplicateShare = 0, lostDeleteShare = 0, reorderedShare = 0, refusedShare = 0 } = options;
  let ids = 0;
  let expired = 0;
  const happens = (share: number): boolean => share > 0 && world.random() < share;

  const queues = new Map<string, Queue>(
    Object.entries(options.queues).map(([url, layout]) => [
      url,
      { url, layout, messages: new Map(), visible: createVisibleMessages<Message>(world, reorderedShare) },
    ]),
  );

  const queueOf = (url: string | undefined): Queue => {
    const queue = queues.get(url ?? '');
    if (queue !== undefined) return queue;
    throw new QueueDoesNotExist({ message: 'The specified queue does not exist.', ...metadata(400) });
  };

  const add = (queue: Queue, message: Message): void => {
    queue.messages.set(message.id, message);
    queue.visible.schedule(message);
  };

  const send = (
    queue: Queue,
    { MessageBody = '', DelaySeconds = 0, MessageAttributes }: Partial<SendMessageCommandInput>,
  ): string => {
    checkSeconds('DelaySeconds', DelaySeconds, maxDelaySeconds);
    const id = `message-${++ids}`;
    const visibleAtMs = world.now() + DelaySeconds * 1_000;
    const sent = { id, body: MessageBody, attributes: MessageAttributes, sentAtMs: world.now() };
    add(queue, { ...sent, visibleAtMs, receives: 0, firstReceivedAtMs: undefined });
    return id;
  };

  const hasExpired = ({ layout }: Queue, { sentAtMs }: Message): boolean =>
    sentAtMs + (layout.retentionMs ?? defaultRetentionMs) <= world.now();

  /** A message that may be received now. Moves dead letters, and drops expired messages. */
  const next = (queue: Queue): Message | undefined => {
    const { layout, messages, visible } = queue;
    for (let message = visible.take(); message !== undefined; message = visible.take()) {
      if (messages.get(message.id) !== message) continue;
      if (hasExpired(queue, message)) {
        messages.delete(message.id);
        expired += 1;
      } else if (layout.deadLetters && message.receives >= layout.deadLetters.maxReceiveCount) {
        messages.delete(message.id);
        add(queueOf(layout.deadLetters.url), { ...message, visibleAtMs: world.now() });
      } else return message;
    }
    return;
  };

  const receive = (queue: Queue, maximum: number, visibilityMs = queue.layout.visibilityMs ?? defaultVisibilityMs) => {
    const received: Message[] = [];
    while (received.length < maximum) {
      const message = next(queue);
      if (message === undefined) break;
      message.receives += 1;
      message.firstReceivedAtMs ??= world.now();
      message.visibleAtMs = world.now() + visibilityMs;
      received.push(message);
    }
    for (const message of received) {
      if (happens(duplicateShare)) message.visibleAtMs = world.now();
      queue.visible.schedule(message);
    }
    return received;
  };

  const handleOf = ({ id, receives }: Message): string => `${id}#${receives}`;

  /**
   * The message of a receipt handle. SQS does not specify what it does with a handle after the message is visible again
   * or was received again: the seed decides whether it still names the message.
   */
  const named = (queue: Queue, handle = ''): Message | undefined => {
    if (!handle.includes('#')) {
      throw new ReceiptHandleIsInvalid({ message: 'The input receipt handle is invalid.', ...metadata(404) });
    }
    const message = queue.messages.get(idOf(handle));
    if (message === undefined) return;
    const isOutdated = message.visibleAtMs <= world.now() || handleOf(message) !== handle;
    return isOutdated && world.random() >= 0.5 ? undefined : message;
  };

  const remove = (queue: Queue, handle: string | undefined): void => {
    const message = named(queue, handle);
    if (message !== undefined && !happens(lostDeleteShare)) queue.messages.delete(message.id);
  };

  const changeVisibility = (queue: Queue, handle: string | undefined, seconds = 0): void => {
    checkSeconds('VisibilityTimeout', seconds, maxVisibilitySeconds);
    const message = named(queue, handle);
    if (message === undefined || message.visibleAtMs <= world.now()) {
      throw new MessageNotInflight({ message: "The specified message isn't in flight.", ...metadata(400) });
    }
    message.visibleAtMs = world.now() + seconds * 1_000;
    queue.visible.schedule(message);
  };

  /** Runs an action for each entry of a batch: some may fail. */
  const batch = <Entry extends { readonly Id: string | undefined }>(
    entries: readonly Entry[] | undefined = [],
    action: (entry: Entry) => object,
  ) => {
    if (entries.length === 0) throw batchFault('EmptyBatchRequest');
    if (entries.length > 10) throw batchFault('TooManyEntriesInBatchRequest');
    if (new Set(entries.map(({ Id }) => Id)).size < entries.length) throw batchFault('BatchEntryIdsNotDistinct');
    const successful: object[] = [];
    const failed: object[] = [];
    for (const entry of entries) {
      try {
        successful.push({ Id: entry.Id, ...action(entry) });
      } catch (error) {
        if (!(error instanceof SQSServiceException)) throw error;
        failed.push({ Id: entry.Id, Code: error.name, SenderFault: error.$fault === 'client', Message: error.message });
      }
    }
    return { Successful: successful, Failed: failed };
  };

  const client = clientOf({
    SendMessageCommand: (input: SendMessageCommandInput) => ({ MessageId: send(queueOf(input.QueueUrl), input) }),

    SendMessageBatchCommand: ({ QueueUrl, Entries }: SendMessageBatchCommandInput) => {
      const queue = queueOf(QueueUrl);
      return batch(Entries, (entry) => {
        if (happens(refusedShare)) throw serviceFault();
        return { MessageId: send(queue, entry) };
      });
    },

    ReceiveMessageCommand: (input: ReceiveMessageCommandInput) => {
      const { QueueUrl, MaxNumberOfMessages = 1, VisibilityTimeout } = input;
      if (MaxNumberOfMessages < 1 || MaxNumberOfMessages > 10) throw invalid('MaxNumberOfMessages must be 1 to 10');
      const visibilityMs = VisibilityTimeout === undefined ? undefined : VisibilityTimeout * 1_000;
      const messages = receive(queueOf(QueueUrl), MaxNumberOfMessages, visibilityMs);
      if (messages.length === 0) return {};
      return {
        Messages: messages.map((message) => ({
          MessageId: message.id,
          ReceiptHandle: handleOf(message),
          Body: message.body,
          Attributes: systemAttributesOf(message),
          ...(message.attributes && { MessageAttributes: message.attributes }),
        })),
      };
    },

    DeleteMessageCommand: ({ QueueUrl, ReceiptHandle }: DeleteMessageCommandInput) => {
      remove(queueOf(QueueUrl), ReceiptHandle);
      return {};
    },

    DeleteMessageBatchCommand: ({ QueueUrl, Entries }: DeleteMessageBatchCommandInput) => {
      const queue = queueOf(QueueUrl);
      return batch(Entries, ({ ReceiptHandle }) => {
        remove(queue, ReceiptHandle);
        return {};
      });
    },

    ChangeMessageVisibilityCommand: (input: ChangeMessageVisibilityCommandInput) => {
      changeVisibility(queueOf(input.QueueUrl), input.ReceiptHandle, input.VisibilityTimeout);
      return {};
    },

    ChangeMessageVisibilityBatchCommand: ({ QueueUrl, Entries }: ChangeMessageVisibilityBatchCommandInput) => {
      const queue = queueOf(QueueUrl);
      return batch(Entries, ({ ReceiptHandle, VisibilityTimeout }) => {
        changeVisibility(queue, ReceiptHandle, VisibilityTimeout);
        return {};
      });
    },

    GetQueueAttributesCommand: ({ QueueUrl, AttributeNames = [] }: GetQueueAttributesCommandInput) => {
      const queue = queueOf(QueueUrl);
      let [waiting, hidden, delayed] = [0, 0, 0];
      for (const message of queue.messages.values()) {
        if (hasExpired(queue, message)) continue;
        if (message.visibleAtMs <= world.now()) waiting += 1;
        else if (message.receives > 0) hidden += 1;
        else delayed += 1;
      }
      const values: Partial<Record<QueueAttributeName, number>> = {
        ApproximateNumberOfMessages: waiting,
        ApproximateNumberOfMessagesNotVisible: hidden,
        ApproximateNumberOfMessagesDelayed: delayed,
        MessageRetentionPeriod: (queue.layout.retentionMs ?? defaultRetentionMs) / 1_000,
      };
      return { Attributes: Object.fromEntries(AttributeNames.map((name) => [name, String(values[name])])) };
    },
  });

  return {
    client,

    /** Sends a message, as an earlier release left it. */
    send: (url: string, body: string): void => void send(queueOf(url), { MessageBody: body }),

    /** Receives up to `maximum` messages, as an event source mapping passes them to a Lambda. */
    receive: (url: string, maximum: number): SQSRecord[] =>
      receive(queueOf(url), maximum).map((message) => recordOf(url, message, handleOf(message))),

    /** Deletes a received message. */
    remove: (url: string, handle: string): void => remove(queueOf(url), handle),

    /**
     * Moves the messages of a dead-letter queue that are visible, as a move task does: each becomes a new message.
     *
     * @param maximum the number of messages. Default: all
     * @returns how many were moved
     */
    redrive: (from: string, to: string, maximum = Number.POSITIVE_INFINITY): number => {
      const source = queueOf(from);
      for (let moved = 0; ; moved++) {
        const message = moved < maximum ? next(source) : undefined;
        if (message === undefined) return moved;
        source.messages.delete(message.id);
        send(queueOf(to), { MessageBody: message.body, MessageAttributes: message.attributes });
      }
    },

    /** The messages of a queue: waiting, delayed and hidden. The time of its first send gives the age of each. */
    messages: (url: string): QueuedMessage[] => {
      const queue = queueOf(url);
      return [...queue.messages.values()].filter((message) => !hasExpired(queue, message));
    },

    /** The number of stored messages. Counts an expired message until a receive finds it. */
    size: (url: string): number => queueOf(url).messages.size,

    /** The number of messages that were dropped at the end of their retention. */
    expired: (): number => expired,
  };
};

const batchFault = (name: string): SQSServiceException =>
  new SQSServiceException({ name, message: name, $fault: 'client', ...metadata(400) });

const serviceFault = (): SQSServiceException =>
  new SQSServiceException({ name: 'InternalError', message: 'InternalError', $fault: 'server', ...metadata(500) });

const systemAttributesOf = ({ receives, sentAtMs, firstReceivedAtMs }: QueuedMessage) => ({
  ApproximateReceiveCount: String(receives),
  SentTimestamp: String(sentAtMs),
  ApproximateFirstReceiveTimestamp: String(firstReceivedAtMs),
  SenderId: 'simulation',
});

const recordOf = (url: string, message: QueuedMessage, receiptHandle: string): SQSRecord => ({
  messageId: message.id,
  receiptHandle,
  body: message.body,
  attributes: systemAttributesOf(message),
  messageAttributes: {},
  md5OfBody: '',
  eventSource: 'aws:sqs',
  eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${url.slice(url.lastIndexOf('/') + 1)}`,
  awsRegion: 'us-east-1',
});
