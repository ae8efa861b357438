/** The part of `@aws-sdk/client-sqs` that the Lambdas use. */
import { hash } from 'node:crypto';
import type {
  ChangeMessageVisibilityCommandInput,
  GetQueueAttributesCommandInput,
  GetQueueAttributesCommandOutput,
  SendMessageBatchCommandInput,
  SendMessageBatchCommandOutput,
  SendMessageCommandInput,
  SendMessageCommandOutput,
} from '@aws-sdk/client-sqs';
import { clientOf } from './client';
import { ServiceException } from './errors';
import { jsonCommands } from './json';

export class SQSServiceException extends ServiceException {}
export class QueueDoesNotExist extends SQSServiceException {}
export class ReceiptHandleIsInvalid extends SQSServiceException {}

export const SQSClient = clientOf({ prefix: 'sqs', variable: 'SQS', maxAttempts: 3, baseDelayMs: 50 });

const command = jsonCommands({
  version: '1.0',
  target: 'AmazonSQS',
  exceptions: { base: SQSServiceException, byName: { QueueDoesNotExist, ReceiptHandleIsInvalid } },
  hasQueryErrors: true,
});
const commandNamed = <Input extends { readonly QueueUrl?: string | undefined }, Output>(
  name: string,
  finish: (output: Output, input: Input) => Output = (output) => output,
) => command<Input, Output>(name, { queueUrlOf: ({ QueueUrl }) => QueueUrl, finish });

const md5 = (text: string | undefined): string => hash('md5', text ?? '', 'hex');

/** @throws Error if SQS received another body than was sent */
export const SendMessageCommand = commandNamed<SendMessageCommandInput, Omit<SendMessageCommandOutput, '$metadata'>>(
  'SendMessage',
  (output, { MessageBody }) => {
    if (output.MD5OfMessageBody !== md5(MessageBody)) throw new Error('InvalidChecksumError');
    return output;
  },
);

/** @throws Error if SQS received another body than was sent in any entry */
export const SendMessageBatchCommand = commandNamed<
  SendMessageBatchCommandInput,
  Omit<SendMessageBatchCommandOutput, '$metadata'>
>('SendMessageBatch', (output, { Entries = [] }) => {
  const bodies = new Map(Entries.map(({ Id, MessageBody }) => [Id, MessageBody]));
  const damaged = output.Successful?.filter(({ Id, MD5OfMessageBody }) => MD5OfMessageBody !== md5(bodies.get(Id)));
  if (!damaged?.length) return output;
  const ids = damaged.map(({ MessageId }) => MessageId).join(', ');
  throw new Error(`Invalid MD5 checksum on messages: ${ids}`);
});

export const ChangeMessageVisibilityCommand = commandNamed<ChangeMessageVisibilityCommandInput, object>(
  'ChangeMessageVisibility',
);

export const GetQueueAttributesCommand = commandNamed<
  GetQueueAttributesCommandInput,
  Omit<GetQueueAttributesCommandOutput, '$metadata'>
>('GetQueueAttributes');
