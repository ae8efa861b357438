import type { S3Client } from '@aws-sdk/client-s3';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { createDeadLetterMessages, maxReceived } from '../../../../ops/services/dead-letter-messages';
import type { StageConnection } from '../../../../ops/services/stage-connection';
import { fakeAwsClient } from '../../../support/aws-client';
import { unconfigured } from '../../../support/unconfigured';

interface Queue {
  /** Ids of the messages that are visible. */
  readonly visible: string[];
  /** Fails once, before it takes effect. */
  failing?: string | undefined;
}

/** A dead-letter queue that hides what it returns, and a bucket. */
const stageWith = (queue: Queue) => {
  const hidden = new Set<string>();
  const objects = new Map<string, unknown>();
  const sent: unknown[] = [];
  const calls: string[] = [];
  const respond = (input: Readonly<Record<string, unknown>>, command: string): unknown => {
    calls.push(command);
    if (command === queue.failing) {
      queue.failing = undefined;
      throw new Error('the process was stopped');
    }
    switch (command) {
      case 'GetQueueAttributesCommand':
        return {
          Attributes: { MessageRetentionPeriod: '1209600', ApproximateNumberOfMessagesNotVisible: `${hidden.size}` },
        };
      case 'ReceiveMessageCommand': {
        const ids = queue.visible.splice(0, 10);
        for (const id of ids) hidden.add(id);
        return { Messages: ids.map((id) => ({ MessageId: id, ReceiptHandle: id, Body: `body of ${id}` })) };
      }
      case 'ChangeMessageVisibilityBatchCommand': {
        for (const { ReceiptHandle } of input.Entries as { readonly ReceiptHandle: string }[])
          if (hidden.delete(ReceiptHandle)) queue.visible.push(ReceiptHandle);
        return {};
      }
      case 'DeleteMessageCommand':
        hidden.delete(String(input.ReceiptHandle));
        return {};
      case 'SendMessageCommand':
        sent.push(input.MessageBody);
        return {};
      case 'PutObjectCommand':
        objects.set(String(input.Key), input.Body);
        return {};
      default:
        return unconfigured(command)();
    }
  };
  const stage = {
    sqs: fakeAwsClient<SQSClient>(respond).client,
    s3: fakeAwsClient<S3Client>(respond).client,
    artifactsBucketName: 'artifacts',
    deadLetterQueueUrls: { download: 'd', processing: 'p' },
  } as unknown as StageConnection;
  return { messages: createDeadLetterMessages(stage, () => 0), objects, sent, calls };
};

test('a message is stored before it is deleted: a crash in between loses nothing and stores nothing twice', async () => {
  const queue: Queue = { visible: ['a', 'b'], failing: 'DeleteMessageCommand' };
  const { messages, objects } = stageWith(queue);
  await expect(messages.drop('download', 'b')).rejects.toThrow('the process was stopped');
  expect([...objects.keys()]).toEqual(['dead-letters/download/b.json']);
  expect(queue.visible).toEqual(['a', 'b']);
  await messages.drop('download', 'b');
  expect([...objects.keys()]).toEqual(['dead-letters/download/b.json']);
  expect(queue.visible).toEqual(['a']);
});

test('a message that could not be stored or sent stays in its queue', async () => {
  const queue: Queue = { visible: ['a'], failing: 'PutObjectCommand' };
  const { messages, sent } = stageWith(queue);
  await expect(messages.drop('download', 'a')).rejects.toThrow('the process was stopped');
  expect(queue.visible).toEqual(['a']);
  queue.failing = 'SendMessageCommand';
  await expect(messages.redrive('download', 'a')).rejects.toThrow('the process was stopped');
  expect(queue.visible).toEqual(['a']);
  await messages.redrive('download', 'a');
  expect({ sent, visible: queue.visible }).toEqual({ sent: ['body of a'], visible: [] });
});

test('a search is bounded, and gives every message back', async () => {
  const ids = Array.from({ length: maxReceived + 10 }, (_, index) => `message-${index}`);
  const queue: Queue = { visible: [...ids] };
  const { messages, calls } = stageWith(queue);
  await expect(messages.get('download', 'another')).rejects.toThrow(`only ${maxReceived} messages were searched`);
  expect(calls.filter((call) => call === 'ReceiveMessageCommand')).toHaveLength(maxReceived / 10);
  expect([...queue.visible].sort()).toEqual([...ids].sort());
});

test('a search ends when it has found the message', async () => {
  const queue: Queue = { visible: Array.from({ length: 50 }, (_, index) => `message-${index}`) };
  const { messages, calls } = stageWith(queue);
  await messages.get('download', 'message-12');
  expect(calls.filter((call) => call === 'ReceiveMessageCommand')).toHaveLength(2);
});
