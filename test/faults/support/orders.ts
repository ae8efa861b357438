import { InvokeCommand } from '@aws-sdk/client-lambda';
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { qualiaOrder } from '../../support/qualia-orders';
import { activity, basicAuthorization, notification } from '../../support/webhook-calls';
import { ask, cells, eventually, openClients } from './ask';
import { cellIdPattern } from './cell';
import { secrets, world } from './world';

const clients = openClients();
const { outputs } = world();

const postsSchema = z.object({
  posts: z.array(z.object({ outcome: z.string(), round: z.string() })).default([]),
});

const readOrder = async (id: string) => {
  const key = { TableName: outputs.OrdersTableName, Key: { order_id: id }, ConsistentRead: true };
  return (await clients.documents.send(new GetCommand(key))).Item;
};

const statusOf = async (id: string): Promise<unknown> => (await readOrder(id))?.status;

/** Waits until an order is PROCESSED. */
export const processed = (id: string): Promise<true> =>
  eventually(`${id} PROCESSED`, async () => ((await statusOf(id)) === 'PROCESSED' ? true : undefined));

/** Why an order is FAILED; undefined if it is not. */
export const failureOf = async (id: string): Promise<string | undefined> => {
  const order = await readOrder(id);
  return order?.status === 'FAILED' ? order.error.code : undefined;
};

/** The round of each POST about an order that took effect at the internal API. */
export const takenRounds = async (id: string): Promise<string[]> => {
  const { posts } = postsSchema.parse(await ask('GET', `${world().internalApi}/orders/${id}`));
  return posts.flatMap(({ outcome, round }) => (outcome === 'taken' ? round : []));
};

/** Creates an order at Qualia only. */
export const createOrder = (id: string) =>
  ask('POST', `${world().qualia}/orders`, [qualiaOrder({ _id: id, order_number: `MKT-${id}` })]);

/** Changes fields of an order at Qualia. */
export const changeOrder = (id: string, fields: Readonly<Record<string, unknown>>) =>
  ask('PATCH', `${world().qualia}/orders/${id}`, fields);

const [login] = secrets.WebhookSecret.basic;
const authorization = basicAuthorization(login?.username ?? '', login?.password ?? '');

/** Webhooks of an order: Qualia's activity, which is a new round each time, and a notification with a time. */
export const shapes = {
  activity: (id: string) => activity({ order_id: id }),
  notification: (id: string) => notification({ order_id: id, timestamp: new Date().toISOString() }),
};
export type Shape = keyof typeof shapes;

/** Posts a webhook as Qualia does: again, until it is answered with 200. @returns the answers */
export const notify = async (id: string, shape: Shape, attempts = 5): Promise<number[]> => {
  const body = JSON.stringify(shapes[shape](id));
  const answers: number[] = [];
  while (answers.length < attempts && answers.at(-1) !== 200) {
    const headers = { authorization, 'content-type': 'application/json' };
    const { status } = await fetch(`${world().apiUrl}/webhooks/qualia`, { method: 'POST', headers, body });
    answers.push(status);
  }
  return answers;
};

/**
 * Runs the reconciler for one cell, as the schedule does: once an hour, until it has queued its order. @returns the
 * runs
 */
export const reconcile = async (id: string): Promise<number> => {
  for (let runs = 1; ; runs++) {
    const Payload = JSON.stringify({ id });
    await clients.lambda.send(new InvokeCommand({ FunctionName: outputs.ReconcilerFunctionName, Payload }));
    const seen = await cells.seen(id);
    if (seen.some(({ lambda, service, arrived }) => lambda === 'reconciler' && service === 'sqs' && arrived))
      return runs;
    await passAnHour(id);
  }
};

const passAnHour = async (id: string): Promise<void> => {
  const notified = (await readOrder(id))?.notified_at;
  if (notified === undefined) return;
  await clients.documents.send(
    new UpdateCommand({
      TableName: outputs.OrdersTableName,
      Key: { order_id: id },
      UpdateExpression: 'SET notified_at = :earlier',
      ExpressionAttributeValues: { ':earlier': new Date(Date.parse(notified) - 3_600_000).toISOString() },
    }),
  );
};

/** The queues, each with its dead letters. */
const queues = [
  { queue: outputs.DownloadQueueUrl, deadLetters: outputs.DownloadDeadLetterQueueUrl },
  { queue: outputs.ProcessingQueueUrl, deadLetters: outputs.ProcessingDeadLetterQueueUrl },
];

/** An operator's hand on both dead-letter queues: takes what comes, and gives it back one by one. */
export const watchDeadLetters = () => {
  const letters = new Map<string, { readonly queue: string; readonly body: string }>();
  let watching = true;
  const watch = async ({ queue, deadLetters }: (typeof queues)[number]): Promise<void> => {
    while (watching) {
      const request = { QueueUrl: deadLetters, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 };
      const { Messages = [] } = await clients.sqs.send(new ReceiveMessageCommand(request));
      for (const { Body = '', ReceiptHandle } of Messages) {
        letters.set(cellIdPattern.exec(Body)?.[0] ?? Body, { queue, body: Body });
        await clients.sqs.send(new DeleteMessageCommand({ QueueUrl: deadLetters, ReceiptHandle }));
      }
    }
  };
  const watched = Promise.all(queues.map(watch));
  return {
    letters: letters as ReadonlyMap<string, unknown>,
    arrived: (id: string) => eventually(`the dead letter of ${id}`, async () => (letters.has(id) ? true : undefined)),
    redrive: async (id: string): Promise<void> => {
      const letter = letters.get(id);
      letters.delete(id);
      await clients.sqs.send(new SendMessageCommand({ QueueUrl: letter?.queue, MessageBody: letter?.body }));
    },
    stop: async (): Promise<void> => {
      watching = false;
      await watched;
    },
  };
};

/** Waits until no queue has a message that a worker may still process. */
export const queuesEmpty = (): Promise<true> =>
  eventually('empty queues', async () => {
    for (const { queue } of queues) {
      const request = { QueueUrl: queue, AttributeNames: ['All' as const] };
      const { Attributes } = await clients.sqs.send(new GetQueueAttributesCommand(request));
      const { ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible, ApproximateNumberOfMessagesDelayed } =
        Attributes ?? {};
      const counts = [
        ApproximateNumberOfMessages,
        ApproximateNumberOfMessagesNotVisible,
        ApproximateNumberOfMessagesDelayed,
      ];
      if (counts.some((count) => count !== '0')) return undefined;
    }
    return true;
  });
