import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { type PreHandler, type SqsQueue, SqsStore } from './fauxqs';

const startSchema = z.object({
  SourceArn: z.string(),
  DestinationArn: z.string().optional(),
  MaxNumberOfMessagesPerSecond: z.int().min(1).max(500).optional(),
});
const listSchema = z.object({ SourceArn: z.string(), MaxResults: z.number().default(1) });
const cancelSchema = z.object({ TaskHandle: z.string() });
const redriveSchema = z.object({ deadLetterTargetArn: z.string() });

interface MoveTask {
  readonly handle: string;
  readonly settings: z.output<typeof startSchema>;
  readonly startedAtMs: number;
  readonly toMove: number;
  moved: number;
  status: 'RUNNING' | 'COMPLETED' | 'CANCELLED';
  /** Of a task that moves messages at a rate. */
  timer?: NodeJS.Timeout;
}

/** Thrown to send an error response of SQS with this name. */
class MoveTaskError extends Error {
  constructor(
    override readonly name: string,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Adds `StartMessageMoveTask`, `ListMessageMoveTasks` and `CancelMessageMoveTask`, which fauxqs lacks. Without a rate, a
 * task is complete when its start gets a response. With a rate, it moves one message at a time, and ends with this
 * process: the remaining messages stay in the dead-letter queue. As on SQS, a moved message is a new message: a new id, no
 * receives, and a new chain of requests.
 * @param transaction stores all writes of a move or none
 */
export const serveMessageMoveTasks = (
  store: SqsStore,
  transaction: <T>(work: () => T) => T,
): { readonly onRequest: PreHandler; readonly stop: () => void } => {
  const tasks: MoveTask[] = [];

  const end = (task: MoveTask, status: MoveTask['status']): void => {
    clearInterval(task.timer);
    task.status = status;
  };

  const start = (settings: MoveTask['settings']): MoveTask => {
    const { SourceArn, DestinationArn, MaxNumberOfMessagesPerSecond: rate } = settings;
    const queue = store.getQueueByArn(SourceArn);
    const destination = destinationOf(store, SourceArn, DestinationArn);
    if (!queue || !destination) {
      throw new MoveTaskError('ResourceNotFoundException', 'The resource that you specified does not exist.');
    }
    if (tasks.some((task) => task.settings.SourceArn === SourceArn && task.status === 'RUNNING')) {
      throw new MoveTaskError(
        'UnsupportedOperation',
        'There is already a task running. Only one active task is allowed.',
      );
    }
    queue.processTimers();
    const task: MoveTask = {
      handle: randomUUID(),
      settings,
      startedAtMs: Date.now(),
      toMove: queue.messages.length,
      moved: 0,
      status: 'RUNNING',
    };
    const move = (most: number): void => {
      task.moved += transaction(() => moveMessages(queue, destination, most));
      if (queue.messages.length === 0) {
        end(task, 'COMPLETED');
      }
    };
    if (rate === undefined) {
      move(task.toMove);
    } else {
      task.timer = setInterval(() => move(1), 1_000 / rate).unref();
    }
    tasks.unshift(task);
    return task;
  };

  const actions: Readonly<Record<string, (body: unknown) => unknown>> = {
    'AmazonSQS.StartMessageMoveTask': (body) => ({ TaskHandle: start(startSchema.parse(body)).handle }),
    'AmazonSQS.ListMessageMoveTasks'(body) {
      const { SourceArn, MaxResults } = listSchema.parse(body);
      const listed = tasks.filter(({ settings }) => settings.SourceArn === SourceArn).slice(0, MaxResults);
      return { Results: listed.map(describe) };
    },
    'AmazonSQS.CancelMessageMoveTask'(body) {
      const { TaskHandle } = cancelSchema.parse(body);
      const task = tasks.find(({ handle }) => handle === TaskHandle);
      if (!task) {
        throw new MoveTaskError('ResourceNotFoundException', 'The resource that you specified does not exist.');
      }
      if (task.status !== 'RUNNING') {
        throw new MoveTaskError('UnsupportedOperation', 'Only active tasks can be cancelled.');
      }
      end(task, 'CANCELLED');
      return { ApproximateNumberOfMessagesMoved: task.moved };
    },
  };

  return {
    async onRequest(request, reply) {
      const action = actions[String(request.headers['x-amz-target'])];
      if (!action) {
        return undefined;
      }
      reply.header('content-type', 'application/x-amz-json-1.0');
      try {
        return reply.send(JSON.stringify(action(request.body)));
      } catch (error) {
        const name = error instanceof MoveTaskError ? error.name : 'InvalidParameterValue';
        return reply.status(400).send(JSON.stringify({ __type: `com.amazonaws.sqs#${name}`, message: String(error) }));
      }
    },
    stop() {
      for (const { timer } of tasks) {
        clearInterval(timer);
      }
    },
  };
};

/** An entry of `ListMessageMoveTasks`. Only a running task has a handle. */
const describe = ({ handle, settings, startedAtMs, toMove, moved, status }: MoveTask) => ({
  ...settings,
  ...(status === 'RUNNING' && { TaskHandle: handle }),
  Status: status,
  ApproximateNumberOfMessagesMoved: moved,
  ApproximateNumberOfMessagesToMove: toMove,
  StartedTimestamp: startedAtMs,
});

/** Finds the source of a dead-letter queue's messages from the redrive policies: fauxqs does not store it. */
const destinationOf = (store: SqsStore, deadLetterArn: string, destinationArn: string | undefined) => {
  const sources = [...store.allQueues()].filter(({ attributes: { RedrivePolicy } }) => {
    const policy = RedrivePolicy ? redriveSchema.parse(JSON.parse(RedrivePolicy)) : undefined;
    return policy?.deadLetterTargetArn === deadLetterArn;
  });
  if (sources.length === 0) {
    throw new MoveTaskError(
      'UnsupportedOperation',
      'Source queue must be configured as a Dead Letter Queue for another queue.',
    );
  }
  if (destinationArn !== undefined) {
    return store.getQueueByArn(destinationArn);
  }
  if (sources.length > 1) {
    throw new MoveTaskError('UnsupportedOperation', 'This queue has several sources: set the DestinationArn.');
  }
  return sources[0];
};

const moveMessages = (from: SqsQueue, to: SqsQueue, most: number): number => {
  from.processTimers();
  const messages = from.messages.splice(0, most);
  for (const { messageId, body, messageAttributes } of messages) {
    from.persistence?.deleteMessage(messageId);
    // A copy of the attributes, because the original object has the trace of the moved message.
    to.enqueue(SqsStore.createMessage(body, { ...messageAttributes }));
  }
  return messages.length;
};
