import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { arnOf } from '../../../emulator/resource-types';
import {
  activity,
  clientConfig,
  closedOrder,
  eventually,
  lambda,
  notification,
  orderAtQualia,
  post,
  setQualiaFaults,
  sqs,
} from '../../e2e/support/pipeline';
import { ended, portal, startRun } from '../../e2e/support/sync-runs';
import { target } from '../../e2e/support/target';
import type { Call } from '../../support/calls';

const { outputs, simulators } = target();
const documents = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig('dynamodb')));

const send = (QueueUrl: string, message: unknown) =>
  sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(message) }));

/** A worker and its queue have one name. */
const nameOf = (queueUrl: string) => queueUrl.split('/').at(-1) ?? '';

/** What a worker asks of the queue that it works on. */
const onOwnQueue = (queueUrl: string, action: string): Call => {
  const functionName = nameOf(queueUrl);
  return { functionName, action, resource: arnOf('sqs', functionName) };
};

/** Whether a call was made by now. */
type IsMade = (call: Call) => boolean;

/** Waits until a call is made, and does something for it at every look. */
const made = (isMade: IsMade, call: Call, provoke = async () => {}) =>
  eventually(`${call.action} by ${call.functionName}`, async () => {
    await provoke();
    return isMade(call) || undefined;
  });

/** Processes an order to its end, with a repeated webhook. @returns the closed order */
const processOne = async (at = new Date()) => {
  const { _id: orderId } = await orderAtQualia({ status: 'open' });
  await post(notification(orderId, at));
  const order = await closedOrder(orderId);
  await post(notification(orderId, at));
  return order;
};

/** The download worker meets what it did before, what it cannot read, and what is not its own. */
const downloadAgain = async (isMade: IsMade) => {
  const { order_id, round, request_id } = await processOne();
  await send(outputs.DownloadQueueUrl, { order_id, round, request_id });
  const refused = { action: 'dynamodb:GetItem', resource: arnOf('dynamodb', `table/${outputs.OrdersTableName}`) };
  await made(isMade, { functionName: nameOf(outputs.DownloadQueueUrl), ...refused });

  for (const queueUrl of [outputs.DownloadQueueUrl, outputs.ProcessingQueueUrl]) {
    await send(queueUrl, 'not ours');
    await made(isMade, onOwnQueue(queueUrl, 'sqs:ChangeMessageVisibility'));
  }

  const unreadable = await orderAtQualia();
  await setQualiaFaults([{ kind: 'garbage', match: { order_id: unreadable._id } }]);
  await post(activity(unreadable._id));
  await closedOrder(unreadable._id);
};

/** The reconciler meets an order that we missed, and one whose round is newer than its clock. */
const reconcile = async () => {
  await orderAtQualia({ status: 'open' });
  const ahead = await processOne(new Date(Date.now() + 4 * 60_000));
  await documents.send(
    new UpdateCommand({
      TableName: outputs.OrdersTableName,
      Key: { order_id: ahead.order_id },
      UpdateExpression: 'SET #status = :notified, notified_at = :before',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':notified': 'NOTIFIED', ':before': new Date(0).toISOString() },
    }),
  );
  const run = () => lambda.send(new InvokeCommand({ FunctionName: outputs.ReconcilerFunctionName, Payload: '{}' }));
  await run();
  // What it keeps of a pass that fails.
  await setQualiaFaults([{ kind: 'server_error', match: { operation: 'orders' } }]);
  await run();
  await setQualiaFaults([]);
};

/** Both sync jobs, and the same run again. */
const sync = async () => {
  const input = { run_id: randomUUID(), netlife: { portals: [portal] }, iterable: { limit: 20 } };
  await ended(await startRun(input));
  await ended(await startRun(input));
};

/** Posts orders while an API is down, until one finds the circuit open and is put off to the worker's own queue. */
const openCircuit = async (simulator: 'internalApi' | 'qualia', queueUrl: string, isMade: IsMade) => {
  const faults = [{ kind: 'server_error' }];
  await fetch(`${simulators[simulator]}/faults`, { method: 'PUT', body: JSON.stringify(faults) });
  await made(isMade, onOwnQueue(queueUrl, 'sqs:SendMessage'), async () => {
    const order = await orderAtQualia();
    await post(activity(order._id));
  });
};

/** Drives the pipeline along every path on which a Lambda calls AWS. */
export const drive = async (isMade: IsMade): Promise<void> => {
  await Promise.all([sync(), downloadAgain(isMade).then(reconcile)]);
  await openCircuit('internalApi', outputs.ProcessingQueueUrl, isMade);
  await openCircuit('qualia', outputs.DownloadQueueUrl, isMade);
};
