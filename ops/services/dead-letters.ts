import { setTimeout as wait } from 'node:timers/promises';
import {
  CancelMessageMoveTaskCommand,
  ChangeMessageVisibilityBatchCommand,
  GetQueueAttributesCommand,
  ListMessageMoveTasksCommand,
  type ListMessageMoveTasksResultEntry,
  ReceiveMessageCommand,
  StartMessageMoveTaskCommand,
  UnsupportedOperation,
} from '@aws-sdk/client-sqs';
import { parseJson } from '../../shared/json';
import { type DownloadMessage, downloadMessageSchema } from '../../shared/orders/message';
import { type WorkerName, workerNameSchema } from '../../shared/orders/order';
import type { StageConnection } from './stage-connection';

/** The workers whose queues have a dead-letter queue. */
export const workerNames = workerNameSchema.options;
export type { WorkerName };

/** A message of a dead-letter queue. `message` is undefined if the body is not an order message. */
export interface PeekedMessage {
  readonly message: DownloadMessage | undefined;
  /** When the message was first sent to the worker's queue. */
  readonly sentAt: Date;
}

/** A dead-letter queue. Counts come from SQS and are approximate. */
export interface DeadLetterQueue {
  readonly worker: WorkerName;
  readonly url: string;
  readonly messages: number;
  /** Received by another process, and hidden at the moment. */
  readonly messagesInFlight: number;
  /** At most 10 messages, the oldest first. */
  readonly peeked: readonly PeekedMessage[];
}

/** The progress of a redrive. Counts are approximate. */
export interface Redrive {
  readonly status: 'RUNNING' | 'COMPLETED' | 'CANCELLING' | 'CANCELLED' | 'FAILED';
  readonly moved: number;
  /** Messages in the dead-letter queue when the redrive began. */
  readonly toMove: number | undefined;
  readonly failureReason: string | undefined;
}

interface RedriveOptions {
  /** Maximum number of messages per second. Default: SQS decides. */
  readonly perSecond?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Maximum of SQS. */
export const maxMovesPerSecond = 500;

/** Visibility timeout of a peek: if the peek is interrupted, the messages are visible again after this time. */
const peekSeconds = 10;
const progressIntervalMs = 1_000;

/** Lists and redrives the dead-letter queues of a stage. */
export const createDeadLetterService = (stage: StageConnection) => {
  const { sqs, deadLetterQueueUrls } = stage;

  const attributesOf = async (worker: WorkerName) => {
    const { Attributes = {} } = await sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: deadLetterQueueUrls[worker],
        AttributeNames: ['QueueArn', 'ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
      }),
    );
    return {
      arn: Attributes.QueueArn ?? '',
      messages: Number(Attributes.ApproximateNumberOfMessages ?? 0),
      messagesInFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
    };
  };

  const peek = async (url: string): Promise<PeekedMessage[]> => {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: 10,
        VisibilityTimeout: peekSeconds,
        WaitTimeSeconds: 1,
        MessageSystemAttributeNames: ['SentTimestamp'],
      }),
    );
    if (Messages.length === 0) return [];
    await sqs.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl: url,
        Entries: Messages.map(({ ReceiptHandle }, index) => ({ Id: `${index}`, ReceiptHandle, VisibilityTimeout: 0 })),
      }),
    );
    return Messages.map(({ Body = '', Attributes }) => ({
      message: downloadMessageSchema.safeParse(parseJson(Body)).data,
      sentAt: new Date(Number(Attributes?.SentTimestamp ?? 0)),
    })).sort((a, b) => a.sentAt.getTime() - b.sentAt.getTime());
  };

  const newestTask = async (arn: string): Promise<ListMessageMoveTasksResultEntry | undefined> => {
    const { Results = [] } = await sqs.send(new ListMessageMoveTasksCommand({ SourceArn: arn, MaxResults: 1 }));
    return Results[0];
  };

  /** Yields the progress of a redrive once a second and at the end. Aborting does not stop the redrive. */
  async function* follow(
    arn: string,
    isListed: (task: ListMessageMoveTasksResultEntry) => boolean,
    signal?: AbortSignal,
  ): AsyncGenerator<Redrive> {
    for (;;) {
      const task = await newestTask(arn);
      const progress = toRedrive(task !== undefined && isListed(task) ? task : undefined);
      yield progress;
      if (!['RUNNING', 'CANCELLING'].includes(progress.status)) return;
      await wait(progressIntervalMs, undefined, { signal }).catch(() => undefined);
      if (signal?.aborted) return;
    }
  }

  return {
    /** Lists both dead-letter queues with some of their messages. The messages stay in the queue. */
    list: (): Promise<DeadLetterQueue[]> =>
      Promise.all(
        workerNames.map(async (worker) => {
          const url = deadLetterQueueUrls[worker];
          const { messages, messagesInFlight } = await attributesOf(worker);
          return { worker, url, messages, messagesInFlight, peeked: messages > 0 ? await peek(url) : [] };
        }),
      ),

    /** Returns how many messages a redrive would move, and whether a redrive is already running. */
    inspect: async (worker: WorkerName): Promise<{ readonly messages: number; readonly running: boolean }> => {
      const { arn, messages } = await attributesOf(worker);
      return { messages, running: (await newestTask(arn))?.Status === 'RUNNING' };
    },

    /** The newest redrive; undefined if there was none. SQS forgets one after some time. */
    newestRedrive: async (worker: WorkerName): Promise<Redrive | undefined> => {
      const task = await newestTask((await attributesOf(worker)).arn);
      return task && toRedrive(task);
    },

    /**
     * Moves the messages of a dead-letter queue back to the worker's queue. Yields the progress once a second and at the
     * end. If a redrive is already running, follows it instead of starting another. Aborting does not stop the
     * redrive.
     */
    async *redrive(worker: WorkerName, { perSecond, signal }: RedriveOptions = {}): AsyncGenerator<Redrive> {
      const { arn } = await attributesOf(worker);
      const before = await newestTask(arn);
      const running = before?.Status === 'RUNNING';
      if (!running) {
        await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: arn, MaxNumberOfMessagesPerSecond: perSecond }));
      }
      // Until SQS lists the new task, the newest one belongs to the previous redrive.
      yield* follow(arn, (task) => running || task.StartedTimestamp !== before?.StartedTimestamp, signal);
    },

    /**
     * Stops the redrive in progress. The messages that it has not moved stay in the dead-letter queue.
     *
     * @returns the stopped redrive, or the one that ended before it could be stopped; undefined if none is running
     */
    stop: async (worker: WorkerName): Promise<Redrive | undefined> => {
      const { arn } = await attributesOf(worker);
      const task = await newestTask(arn);
      if (task?.TaskHandle === undefined || task.Status !== 'RUNNING') return undefined;
      await sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle: task.TaskHandle })).catch((error: unknown) => {
        // The redrive has ended in the meantime.
        if (!(error instanceof UnsupportedOperation)) throw error;
      });
      let last: Redrive | undefined;
      for await (const progress of follow(arn, () => true)) last = progress;
      return last;
    },
  };
};

const statuses = ['RUNNING', 'COMPLETED', 'CANCELLING', 'CANCELLED', 'FAILED'] as const;

const toRedrive = (task: ListMessageMoveTasksResultEntry | undefined): Redrive => ({
  status: statuses.find((status) => status === task?.Status) ?? 'RUNNING',
  moved: task?.ApproximateNumberOfMessagesMoved ?? 0,
  toMove: task?.ApproximateNumberOfMessagesToMove,
  failureReason: task?.FailureReason,
});
