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
import { eventually, openClients, requestJson, scenarios } from './clients';
import { scenarioIdPattern } from './scenario';
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
export const waitUntilProcessed = (id: string): Promise<true> =>
  eventually(`${id} PROCESSED`, async () => ((await statusOf(id)) === 'PROCESSED' ? true : undefined));

/** The error code of a FAILED order; undefined for any other status. */
export const failureOf = async (id: string): Promise<string | undefined> => {
  const order = await readOrder(id);
  return order?.status === 'FAILED' ? order.error.code : undefined;
};

/** The round of each POST of an order that the internal API accepted. */
export const acceptedRounds = async (id: string): Promise<string[]> => {
  const { posts } = postsSchema.parse(await requestJson('GET', `${world().internalApi}/orders/${id}`));
  return posts.flatMap(({ outcome, round }) => (outcome === 'taken' ? round : []));
};

/** Creates an order at Qualia only. */
export const createOrder = (id: string) =>
  requestJson('POST', `${world().qualia}/orders`, [qualiaOrder({ _id: id, order_number: `MKT-${id}` })]);

/** Changes fields of an order at Qualia. */
export const changeOrder = (id: string, fields: Readonly<Record<string, unknown>>) =>
  requestJson('PATCH', `${world().qualia}/orders/${id}`, fields);

const [login] = secrets.WebhookSecret.basic;
const authorization = basicAuthorization(login?.username ?? '', login?.password ?? '');

/** Webhook bodies for an order. Each activity starts a new round; a notification with the same timestamp does not. */
export const shapes = {
  activity: (id: string) => activity({ order_id: id }),
  notification: (id: string) => notification({ order_id: id, timestamp: new Date().toISOString() }),
};
export type Shape = keyof typeof shapes;

const post = async (body: object): Promise<number> => {
  const headers = { authorization, 'content-type': 'application/json' };
  const request = { method: 'POST', headers, body: JSON.stringify(body) };
  return (await fetch(`${world().apiUrl}/webhooks/qualia`, request)).status;
};

/** How many rounds the webhooks of each order can have started. */
const notifiedRounds = new Map<string, number>();

/** Posts a webhook like Qualia: repeats it until the response is 200. @returns the status of each response */
export const notify = async (id: string, shape: Shape, attempts = 5): Promise<number[]> => {
  const body = shapes[shape](id);
  const statuses: number[] = [];
  while (statuses.length < attempts && statuses.at(-1) !== 200) statuses.push(await post(body));
  const rounds = shape === 'activity' ? statuses.length : 1;
  notifiedRounds.set(id, (notifiedRounds.get(id) ?? 0) + rounds);
  return statuses;
};

/**
 * The most effects that an order can have at the internal API: one per round, and one more per older round that may
 * have overtaken the newest (docs/adr/0012-the-newest-state-wins.md). A round that was overtaken has no effect itself.
 */
export const maxEffectsOf = (id: string, accepted: readonly string[]): number =>
  2 * Math.max(notifiedRounds.get(id) ?? 0, new Set(accepted).size) - 1;

/** Posts a webhook that is refused, once. @returns the status of the response */
export const postInvalid = (id: string): Promise<number> => post({ ...activity({ order_id: id }), type: 'exploded' });

/**
 * Runs the reconciler for one scenario once per simulated hour, until it has queued the order. @returns the number of
 * invocations
 */
export const reconcile = async (id: string): Promise<number> => {
  for (let invocations = 1; ; invocations++) {
    const Payload = JSON.stringify({ id });
    await clients.lambda.send(new InvokeCommand({ FunctionName: outputs.ReconcilerFunctionName, Payload }));
    const calls = await scenarios.calls(id);
    if (calls.some(({ lambda, service, arrived }) => lambda === 'reconciler' && service === 'sqs' && arrived))
      return invocations;
    await ageByOneHour(id);
  }
};

/** Moves the time of an order's notification back by one hour. */
const ageByOneHour = async (id: string): Promise<void> => {
  const notifiedAt = (await readOrder(id))?.notified_at;
  if (notifiedAt === undefined) return;
  await clients.documents.send(
    new UpdateCommand({
      TableName: outputs.OrdersTableName,
      Key: { order_id: id },
      UpdateExpression: 'SET notified_at = :earlier',
      ExpressionAttributeValues: { ':earlier': new Date(Date.parse(notifiedAt) - 3_600_000).toISOString() },
    }),
  );
};

/** The queues, each with its dead-letter queue. */
const queues = [
  { queue: outputs.DownloadQueueUrl, deadLetters: outputs.DownloadDeadLetterQueueUrl },
  { queue: outputs.ProcessingQueueUrl, deadLetters: outputs.ProcessingDeadLetterQueueUrl },
];

/** Empties both dead-letter queues continuously, and redrives single messages on request. */
export const watchDeadLetters = () => {
  const letters = new Map<string, { readonly queue: string; readonly body: string }>();
  let watching = true;
  const watch = async ({ queue, deadLetters }: (typeof queues)[number]): Promise<void> => {
    while (watching) {
      const request = { QueueUrl: deadLetters, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 };
      const { Messages = [] } = await clients.sqs.send(new ReceiveMessageCommand(request));
      for (const { Body = '', ReceiptHandle } of Messages) {
        letters.set(scenarioIdPattern.exec(Body)?.[0] ?? Body, { queue, body: Body });
        await clients.sqs.send(new DeleteMessageCommand({ QueueUrl: deadLetters, ReceiptHandle }));
      }
    }
  };
  const stopped = Promise.all(queues.map(watch));
  return {
    letters: letters as ReadonlyMap<string, unknown>,
    waitFor: (id: string) => eventually(`the dead letter of ${id}`, async () => (letters.has(id) ? true : undefined)),
    redrive: async (id: string): Promise<void> => {
      const letter = letters.get(id);
      letters.delete(id);
      await clients.sqs.send(new SendMessageCommand({ QueueUrl: letter?.queue, MessageBody: letter?.body }));
    },
    stop: async (): Promise<void> => {
      watching = false;
      await stopped;
    },
  };
};

/** Waits until both queues are empty: no visible, in-flight or delayed message. */
export const waitForEmptyQueues = (): Promise<true> =>
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
