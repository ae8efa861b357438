import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { type PreHandler, type SqsQueue, SqsStore } from './fauxqs';

const startSchema = z.object({ SourceArn: z.string(), DestinationArn: z.string().optional() });
const listSchema = z.object({ SourceArn: z.string(), MaxResults: z.number().default(1) });
const redriveSchema = z.object({ deadLetterTargetArn: z.string() });

interface MoveTask {
  readonly TaskHandle: string;
  readonly Status: 'COMPLETED';
  readonly SourceArn: string;
  readonly DestinationArn?: string | undefined;
  readonly ApproximateNumberOfMessagesMoved: number;
  readonly ApproximateNumberOfMessagesToMove: number;
  readonly StartedTimestamp: number;
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
 * Adds `StartMessageMoveTask` and `ListMessageMoveTasks`, which fauxqs lacks. A task is complete when its start gets a
 * response. As on SQS, a moved message is a new message: a new id, no receives, and a new chain of requests.
 * @param transaction stores all writes of a task or none
 */
export const serveMessageMoveTasks = (store: SqsStore, transaction: <T>(work: () => T) => T): PreHandler => {
  const tasks: MoveTask[] = [];
  const actions: Readonly<Record<string, (body: unknown) => unknown>> = {
    'AmazonSQS.StartMessageMoveTask'(body) {
      const { SourceArn, DestinationArn } = startSchema.parse(body);
      const queue = store.getQueueByArn(SourceArn);
      const destination = destinationOf(store, SourceArn, DestinationArn);
      if (!queue || !destination) {
        throw new MoveTaskError('ResourceNotFoundException', 'The resource that you specified does not exist.');
      }
      const moved = transaction(() => moveAll(queue, destination));
      const task: MoveTask = {
        TaskHandle: randomUUID(),
        Status: 'COMPLETED',
        SourceArn,
        DestinationArn,
        ApproximateNumberOfMessagesMoved: moved,
        ApproximateNumberOfMessagesToMove: moved,
        StartedTimestamp: Date.now(),
      };
      tasks.unshift(task);
      return { TaskHandle: task.TaskHandle };
    },
    'AmazonSQS.ListMessageMoveTasks'(body) {
      const { SourceArn, MaxResults } = listSchema.parse(body);
      const results = tasks.filter((task) => task.SourceArn === SourceArn).slice(0, MaxResults);
      return { Results: results.map(({ TaskHandle, ...result }) => result) };
    },
  };

  return async (request, reply) => {
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
  };
};

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

const moveAll = (from: SqsQueue, to: SqsQueue): number => {
  from.processTimers();
  const messages = from.messages.splice(0);
  for (const { messageId, body, messageAttributes } of messages) {
    from.persistence?.deleteMessage(messageId);
    // A copy of the attributes, because the original object has the trace of the moved message.
    to.enqueue(SqsStore.createMessage(body, { ...messageAttributes }));
  }
  return messages.length;
};
