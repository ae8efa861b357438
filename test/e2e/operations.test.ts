import { InvokeCommand } from '@aws-sdk/client-lambda';
import {
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { closedOrder, eventually, lambda, orderAtQualia, sqs } from './support/pipeline';
import { target } from './support/target';

const { outputs } = target();

test('the reconciler finds an order whose webhook never came', async () => {
  const order = await orderAtQualia({ status: 'open' });
  const run = await lambda.send(new InvokeCommand({ FunctionName: outputs.ReconcilerFunctionName, Payload: '{}' }));
  expect(JSON.parse(run.Payload?.transformToString() ?? '')).toMatchObject({
    missing: expect.any(Number),
    nextOffset: 0,
  });
  expect(await closedOrder(order._id)).toMatchObject({
    status: 'PROCESSED',
    notification_type: 'reconciliation',
  });
});

test.each([
  ['download', outputs.DownloadQueueUrl, outputs.DownloadDeadLetterQueueUrl],
  ['processing', outputs.ProcessingQueueUrl, outputs.ProcessingDeadLetterQueueUrl],
])(
  'a message that is not ours ends in the %s dead-letter queue, and can be redriven',
  async (_, queue, deadLetters) => {
    const body = `not ours ${Date.now()}`;
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
    // It comes back: it is still not ours.
    await arrived();
    await sqs.send(new PurgeQueueCommand({ QueueUrl: deadLetters }));
  },
);
