import { SendMessageBatchCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { asEarlier } from '../../simulation/release';
import { downloadMessage, processingMessage } from '../../support/orders';

const send = async (command: { readonly input: object }): Promise<unknown> => {
  let sent: unknown;
  await asEarlier({
    send: async ({ input }) => {
      sent = input;
    },
  }).send(command);
  return sent;
};

test('an earlier release sends and keeps only the fields of the first messages', async () => {
  const message = downloadMessage({ sent_at: 5, first_sent_at: 4, retried: true, not_before: 6, started_by: 'replay' });
  const toProcessing = processingMessage({ sent_at: 5 });
  expect(await send(new SendMessageCommand({ QueueUrl: 'q', MessageBody: JSON.stringify(message) }))).toEqual({
    QueueUrl: 'q',
    MessageBody: JSON.stringify(downloadMessage()),
  });
  const entries = [{ Id: '0', MessageBody: JSON.stringify(toProcessing) }];
  expect(await send(new SendMessageBatchCommand({ QueueUrl: 'q', Entries: entries }))).toMatchObject({
    Entries: [{ MessageBody: JSON.stringify(processingMessage()) }],
  });
  const kept = { TableName: 't', Key: { kind: 'UNSENT' }, ExpressionAttributeValues: { ':message': message } };
  expect(await send(new UpdateCommand(kept))).toMatchObject({
    ExpressionAttributeValues: { ':message': downloadMessage() },
  });
});

test('other messages stay as they are', async () => {
  expect(await send(new SendMessageCommand({ QueueUrl: 'q', MessageBody: '{"pass":"1"}' }))).toMatchObject({
    MessageBody: '{"pass":"1"}',
  });
});
