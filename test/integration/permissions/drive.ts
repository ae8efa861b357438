import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, ListEventSourceMappingsCommand, UpdateEventSourceMappingCommand } from '@aws-sdk/client-lambda';
import { DeleteQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { arnOf } from '../../../emulator/resource-types';
import { createUnsentKeeper } from '../../../shared/orders/unsent-keeper';
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
import { portal, startRun, waitForEnd } from '../../e2e/support/sync-runs';
import { target } from '../../e2e/support/target';
import type { Call } from '../../support/calls';
import { downloadMessage } from '../../support/orders';

const { outputs, simulators } = target();
const documents = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig('dynamodb')));

const send = (QueueUrl: string, message: unknown) =>
  sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(message) }));

/** A worker has the name of its queue. */
const nameOf = (queueUrl: string) => queueUrl.split('/').at(-1) ?? '';

/** A call of a worker to its own queue. */
const onOwnQueue = (queueUrl: string, action: string): Call => {
  const functionName = nameOf(queueUrl);
  return { functionName, action, resource: arnOf('sqs', functionName) };
};

/** Whether a call was recorded. */
type IsMade = (call: Call) => boolean;

/** Waits until a call is recorded. Runs `provoke` before each check. */
const waitForCall = (isMade: IsMade, call: Call, provoke = async () => {}) =>
  eventually(`${call.action} by ${call.functionName}`, async () => {
    await provoke();
    return isMade(call) || undefined;
  });

/** Processes an order, and repeats its webhook. @returns the closed order */
const processOne = async (at = new Date()) => {
  const { _id: orderId } = await orderAtQualia({ status: 'open' });
  await post(notification(orderId, at));
  const order = await closedOrder(orderId);
  await post(notification(orderId, at));
  return order;
};

/** Posts an invalid webhook, sends the workers a repeated message and invalid messages, and downloads an unreadable response. */
const sendUnusualMessages = async (isMade: IsMade) => {
  await post({ ...notification('QO-1'), timestamp: 'now' });
  const { order_id, round, request_id } = await processOne();
  await send(outputs.DownloadQueueUrl, { order_id, round, request_id });
  const readOrder = { action: 'dynamodb:GetItem', resource: arnOf('dynamodb', `table/${outputs.OrdersTableName}`) };
  await waitForCall(isMade, { functionName: nameOf(outputs.DownloadQueueUrl), ...readOrder });

  for (const queueUrl of [outputs.DownloadQueueUrl, outputs.ProcessingQueueUrl]) {
    await send(queueUrl, 'not a message');
    await waitForCall(isMade, onOwnQueue(queueUrl, 'sqs:ChangeMessageVisibility'));
  }

  const unreadable = await orderAtQualia();
  await setQualiaFaults([{ kind: 'garbage', match: { order_id: unreadable._id } }]);
  await post(activity(unreadable._id));
  await closedOrder(unreadable._id);

  const unmappable = await orderAtQualia({ properties: [{ state: 'ZZ' }] });
  await post(activity(unmappable._id));
  await closedOrder(unmappable._id);

  const watch = { functionName: outputs.ReconcilerFunctionName.replace('reconciler', 'issue-watch') };
  const record = { action: 'dynamodb:UpdateItem', resource: arnOf('dynamodb', `table/${outputs.OperationsTableName}`) };
  await waitForCall(isMade, { ...watch, ...record }, async () => {
    await lambda.send(new InvokeCommand({ FunctionName: watch.functionName, Payload: '{}' }));
  });
};

/**
 * Runs the reconciler with an order without a webhook, with an unreadable item whose round is in the future, and with a
 * message that a webhook could not send.
 */
const reconcile = async () => {
  await orderAtQualia({ status: 'open' });
  await createUnsentKeeper(documents, outputs.OperationsTableName)(downloadMessage());
  const futureOrder = await processOne(new Date(Date.now() + 4 * 60_000));
  await documents.send(
    new UpdateCommand({
      TableName: outputs.OrdersTableName,
      Key: { order_id: futureOrder.order_id },
      UpdateExpression: 'SET #status = :unreadable',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':unreadable': 'UNREADABLE' },
    }),
  );
  const run = () => lambda.send(new InvokeCommand({ FunctionName: outputs.ReconcilerFunctionName, Payload: '{}' }));
  await run();
  // A pass that fails stores its progress.
  await setQualiaFaults([{ kind: 'server_error', match: { operation: 'orders' } }]);
  await run();
  await setQualiaFaults([]);
};

/** Runs both sync jobs, and repeats the run. */
const sync = async () => {
  const input = { run_id: randomUUID(), netlife: { portals: [portal] }, iterable: { only_changed: true } };
  await waitForEnd(await startRun(input));
  await waitForEnd(await startRun(input));
};

/** Posts orders while an API is down, until the worker's circuit is open and it sends a message to its own queue. */
const openCircuit = async (simulator: 'internalApi' | 'qualia', queueUrl: string, isMade: IsMade) => {
  const faults = [{ kind: 'server_error' }];
  await fetch(`${simulators[simulator]}/faults`, { method: 'PUT', body: JSON.stringify(faults) });
  await waitForCall(isMade, onOwnQueue(queueUrl, 'sqs:SendMessage'), async () => {
    const order = await orderAtQualia();
    await post(activity(order._id));
  });
};

/** Posts a webhook whose message cannot be sent. No order can be processed afterwards. */
const loseQueue = async () => {
  const FunctionName = nameOf(outputs.DownloadQueueUrl);
  const list = async () => {
    const { EventSourceMappings = [] } = await lambda.send(new ListEventSourceMappingsCommand({ FunctionName }));
    return EventSourceMappings;
  };
  for (const { UUID } of await list()) await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
  await eventually('the download worker no longer polls', async () =>
    (await list()).every(({ State }) => State === 'Disabled') ? true : undefined,
  );
  await sqs.send(new DeleteQueueCommand({ QueueUrl: outputs.DownloadQueueUrl }));
  const { status } = await post(activity((await orderAtQualia())._id));
  if (status !== 500) throw new Error(`The webhook answered ${status} without its queue`);
};

/** Runs every code path on which a Lambda calls AWS. */
export const drive = async (isMade: IsMade): Promise<void> => {
  await Promise.all([sync(), sendUnusualMessages(isMade).then(reconcile)]);
  await openCircuit('internalApi', outputs.ProcessingQueueUrl, isMade);
  await openCircuit('qualia', outputs.DownloadQueueUrl, isMade);
  await loseQueue();
};
