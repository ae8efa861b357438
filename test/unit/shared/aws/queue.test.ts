import type { SQSClient } from '@aws-sdk/client-sqs';
import { createQueue } from '../../../../shared/aws/queue';
import { fakeAwsClient } from '../../../support/aws-client';

const url = 'https://sqs.example/orders';
const start = (answer: () => unknown = () => ({})) => {
  const sqs = fakeAwsClient<SQSClient>((_, command) => ({ command, ...(answer() as object) }));
  return { queue: createQueue<{ id: number }>(sqs.client, url), inputs: sqs.inputs };
};

test('sends a message as JSON', async () => {
  const { queue, inputs } = start();
  await queue.send({ id: 1 });
  expect(inputs).toEqual([{ QueueUrl: url, MessageBody: '{"id":1}' }]);
});

test.each([0, 1, 900])('delays a message by %i s', async (seconds) => {
  const { queue, inputs } = start();
  await queue.send({ id: 1 }, seconds);
  expect(inputs).toEqual([{ QueueUrl: url, MessageBody: '{"id":1}', DelaySeconds: seconds }]);
});

test.each([0, 30, 43_200])('hides a received message for another %i s', async (seconds) => {
  const { queue, inputs } = start();
  await queue.hideFor('receipt', seconds);
  expect(inputs).toEqual([{ QueueUrl: url, ReceiptHandle: 'receipt', VisibilityTimeout: seconds }]);
});

test('passes on an error of SQS', async () => {
  const fault = new Error('no such queue');
  const { queue } = start(() => {
    throw fault;
  });
  await expect(queue.send({ id: 1 })).rejects.toBe(fault);
  await expect(queue.hideFor('receipt', 1)).rejects.toBe(fault);
});
