import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { PipelineError } from '../errors';

/** SQS's limits of one call. */
const maxEntries = 10;
const maxBytes = 1024 * 1024;
/** The longest that a message waits for others: little against the API call that precedes it. */
const defaultMaxWaitMs = 100;

interface WaitingMessage {
  readonly body: string;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Sends messages to one queue, several in one call. */
export interface BatchSender<Message> {
  /**
   * Resolves when SQS has accepted this message. The call is made when it is full, when all work of `during` waits for
   * it, or after `maxWaitMs`.
   *
   * @throws {PipelineError} `AWS_FAULT`, retryable, if SQS refused this message or did not mention it
   * @throws the error of the call, for each of its messages
   */
  send(message: Message): Promise<void>;
  /** Runs work that may send a message: until it ends, other messages wait for it. */
  during<T>(work: () => Promise<T>): Promise<T>;
}

const refused = (reason: string): PipelineError =>
  new PipelineError('AWS_FAULT', `SQS did not accept the message: ${reason}`, { retryable: true });

/** @param maxWaitMs how long a message waits for others at most. Default: 100. */
export const createBatchSender = <Message>(
  client: SQSClient,
  queueUrl: string,
  maxWaitMs = defaultMaxWaitMs,
): BatchSender<Message> => {
  let waiting: WaitingMessage[] = [];
  let underWay = 0;
  let timer: NodeJS.Timeout | undefined;

  const sendAll = async (batch: readonly WaitingMessage[]): Promise<void> => {
    const { Successful = [], Failed = [] } = await client.send(
      new SendMessageBatchCommand({
        QueueUrl: queueUrl,
        Entries: batch.map(({ body }, index) => ({ Id: String(index), MessageBody: body })),
      }),
    );
    const accepted = new Set(Successful.map(({ Id }) => Id));
    const failures = new Map(Failed.map(({ Id, Code }) => [Id, Code]));
    for (const [index, { resolve, reject }] of batch.entries()) {
      const id = String(index);
      const isAccepted = accepted.has(id) && !failures.has(id);
      if (isAccepted) resolve();
      else reject(refused(failures.get(id) ?? 'it is missing in the response'));
    }
  };

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    sendAll(batch).catch((error: unknown) => {
      for (const { reject } of batch) reject(error);
    });
  };

  const flushIfAllWait = (): void => {
    if (waiting.length >= underWay) flush();
  };

  return {
    send: (message) =>
      new Promise((resolve, reject) => {
        const body = JSON.stringify(message);
        const bytes = Buffer.byteLength(body);
        const waitingBytes = waiting.reduce((sum, one) => sum + one.bytes, 0);
        if (waitingBytes + bytes > maxBytes) flush();
        waiting.push({ body, bytes, resolve, reject });
        timer ??= setTimeout(flush, maxWaitMs);
        if (waiting.length === maxEntries) flush();
        else flushIfAllWait();
      }),

    during: async (work) => {
      underWay += 1;
      try {
        return await work();
      } finally {
        underWay -= 1;
        flushIfAllWait();
      }
    },
  };
};
