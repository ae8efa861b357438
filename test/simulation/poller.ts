import type { SQSBatchResponse } from 'aws-lambda';
import type { FunctionPool } from './function-pool';
import type { createQueues } from './models/queues';
import type { Scheduler, Timer } from './scheduler';

export interface PollerLimits {
  readonly batchSize: number;
  readonly maxConcurrency: number;
  /** Called with the body of each message. */
  readonly onReceived?: (body: string) => void;
}

export interface PollerOptions extends PollerLimits {
  readonly scheduler: Scheduler;
  readonly queues: ReturnType<typeof createQueues>;
  readonly queueUrl: string;
  readonly pool: FunctionPool;
}

const shortestWaitMs = 20;
const longestWaitMs = 20_000;

/** An event source mapping: invokes a function with the messages of a queue, and removes those that it handled. */
export const createPoller = (options: PollerOptions) => {
  const { scheduler, queues, queueUrl, pool, batchSize, maxConcurrency, onReceived } = options;
  let inFlight = 0;
  let isPaused = false;
  let waitMs = shortestWaitMs;
  let timer: Timer | undefined;

  const deliver = async (records: ReturnType<typeof queues.receive>): Promise<void> => {
    inFlight += 1;
    for (const { body } of records) onReceived?.(body);
    const outcome = await pool.invoke({ Records: records });
    inFlight -= 1;
    if (outcome.kind === 'returned') {
      const response = outcome.value as Partial<SQSBatchResponse> | undefined;
      const failed = new Set(response?.batchItemFailures?.map(({ itemIdentifier }) => itemIdentifier));
      for (const { messageId, receiptHandle } of records) {
        if (!failed.has(messageId)) queues.remove(queueUrl, receiptHandle);
      }
    }
    poke();
  };

  const schedule = (): void => {
    timer?.cancel();
    timer = scheduler.after(waitMs * (0.5 + scheduler.random()), poll);
  };

  const poll = (): void => {
    waitMs = Math.min(longestWaitMs, 2 * waitMs);
    while (!isPaused && inFlight < maxConcurrency) {
      const records = queues.receive(queueUrl, batchSize);
      if (records.length === 0) break;
      waitMs = shortestWaitMs;
      void deliver(records);
    }
    schedule();
  };

  /** Polls soon: there may be a message. */
  const poke = (): void => {
    if (waitMs === shortestWaitMs) return;
    waitMs = shortestWaitMs;
    schedule();
  };

  schedule();
  return {
    poke,
    pause: (ms: number): void => {
      isPaused = true;
      scheduler.after(ms, () => {
        isPaused = false;
        poke();
      });
    },
  };
};
