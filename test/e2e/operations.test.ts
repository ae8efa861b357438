import { InvokeCommand } from '@aws-sdk/client-lambda';
import {
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import {
  activity,
  changeAtQualia,
  closedOrder,
  eventually,
  lambda,
  orderAtQualia,
  post,
  sqs,
} from './support/pipeline';
import { target } from './support/target';

const { outputs } = target();
const open = { status: 'open', status_details: { open: true } };

test('the reconciler finds an order whose webhook never arrived', async () => {
  const order = await orderAtQualia(open);
  const run = await lambda.send(new InvokeCommand({ FunctionName: outputs.ReconcilerFunctionName, Payload: '{}' }));
  expect(JSON.parse(run.Payload?.transformToString() ?? '')).toMatchObject({
    outcome: 'complete',
    missing: expect.any(Number),
  });
  expect(await closedOrder(order._id)).toMatchObject({
    status: 'PROCESSED',
    notification_type: 'reconciliation',
  });
});

test('the reconciler finds changes at Qualia without a webhook: a new status, and a completed order', async () => {
  const reconcile = () =>
    lambda.send(new InvokeCommand({ FunctionName: outputs.ReconcilerFunctionName, Payload: '{}' }));
  const orders = [await orderAtQualia(open), await orderAtQualia(open)] as const;
  for (const { _id } of orders) await post(activity(_id));
  for (const { _id } of orders) await closedOrder(_id);
  await reconcile();
  const changes = [{ status_details: { open: true, accepted: true } }, { status: 'Completed', status_details: null }];
  for (const [index, { _id }] of orders.entries()) await changeAtQualia(_id, changes[index] ?? {});
  await reconcile();
  for (const { _id } of orders) {
    await eventually(`the new state of ${_id}`, async () => {
      const { status, notification_type } = await closedOrder(_id);
      return (status === 'PROCESSED' && notification_type === 'reconciliation') || undefined;
    });
  }
});

test.each([
  ['download', outputs.DownloadQueueUrl, outputs.DownloadDeadLetterQueueUrl],
  ['processing', outputs.ProcessingQueueUrl, outputs.ProcessingDeadLetterQueueUrl],
])('an invalid message becomes a dead letter of %s, and can be redriven', async (_, queue, deadLetters) => {
  const body = `invalid ${Date.now()}`;
  const arrived = () =>
    eventually('the dead letter', async () => {
      const { Messages } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: deadLetters, WaitTimeSeconds: 1, VisibilityTimeout: 0 }),
      );
      return Messages?.find((message) => message.Body === body);
    });

  await sqs.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: body }));
  await arrived();

  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: deadLetters, AttributeNames: ['QueueArn'] }),
  );
  await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: Attributes?.QueueArn }));
  // It returns to the dead-letter queue, because it is still invalid.
  await arrived();
  await sqs.send(new PurgeQueueCommand({ QueueUrl: deadLetters }));
});
