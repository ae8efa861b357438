import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import fc from 'fast-check';
import { type Outcome, outcomeOf } from './outcome';

/** A call of SQS. `receipt` counts the received messages of the program, from the newest. */
export type QueueStep =
  | { readonly call: 'send'; readonly delaySeconds: number }
  | { readonly call: 'sendMany'; readonly count: number }
  | { readonly call: 'receive'; readonly isDeadLetter: boolean }
  | { readonly call: 'hide'; readonly receipt: number; readonly seconds: number }
  | { readonly call: 'remove'; readonly receipt: number }
  | { readonly call: 'removeMany'; readonly receipt: number }
  | { readonly call: 'hideMany'; readonly receipt: number }
  | { readonly call: 'count' };

type ReceiptStep = Extract<QueueStep, { receipt: number }>;

const maxVisibilitySeconds = 43_200;

const receipt = fc.nat({ max: 3 });

/**
 * Programs of calls of SQS. No step waits: a message is delayed or hidden by 0 s or by minutes. A receive takes all
 * messages, because which ones it takes is unspecified otherwise.
 */
export const queuePrograms: fc.Arbitrary<readonly QueueStep[]> = fc.array(
  fc.oneof(
    fc.record({ call: fc.constant('send' as const), delaySeconds: fc.constantFrom(0, 900) }),
    fc.record({ call: fc.constant('sendMany' as const), count: fc.nat({ max: 2 }) }),
    { weight: 5, arbitrary: fc.record({ call: fc.constant('receive' as const), isDeadLetter: fc.boolean() }) },
    {
      weight: 5,
      arbitrary: fc.record({
        call: fc.constant('hide' as const),
        receipt,
        seconds: fc.constantFrom(0, 0, 60, maxVisibilitySeconds + 1),
      }),
    },
    fc.record({ call: fc.constant('remove' as const), receipt }),
    fc.record({ call: fc.constant('removeMany' as const), receipt }),
    fc.record({ call: fc.constant('hideMany' as const), receipt }),
    fc.constant({ call: 'count' as const }),
  ),
  { minLength: 5, maxLength: 20 },
);

export interface ProgramQueues {
  readonly client: SQSClient;
  /** An empty queue with a visibility timeout of 30 s. It moves a message after two receives. */
  readonly url: string;
  readonly deadLetterUrl: string;
  /** Whether the implementation refuses what exceeds a limit. MiniStack does not, so that no call may exceed one. */
  readonly checksLimits: boolean;
}

/** SQS receives at most this number of messages in a call. */
const maxMessages = 10;

const batchOutcome = ({
  Successful = [],
  Failed = [],
}: {
  readonly Successful?: readonly { readonly Id: string | undefined }[] | undefined;
  readonly Failed?: readonly { readonly Id: string | undefined }[] | undefined;
}): Outcome => ({
  successful: Successful.map(({ Id }) => Id),
  failed: Failed.map(({ Id }) => Id),
});

/**
 * Runs a program. Ids and receipt handles are the implementation's own. No call has a receipt handle whose message is
 * visible again or deleted: SQS does not specify its effect.
 */
export const runQueueProgram = async (
  { client, url, deadLetterUrl, checksLimits }: ProgramQueues,
  steps: readonly QueueStep[],
): Promise<Outcome[]> => {
  let sent = 0;
  const received: { readonly QueueUrl: string; readonly ReceiptHandle: string | undefined }[] = [];
  const nextBody = (): string => `body ${String(++sent).padStart(2, '0')}`;

  const receive = (QueueUrl: string): Promise<Outcome> => {
    const command = new ReceiveMessageCommand({
      QueueUrl,
      MaxNumberOfMessages: maxMessages,
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
    });
    return outcomeOf(client.send(command), ({ Messages = [] }) => {
      const inOrder = Messages.toSorted((a, b) => ((a.Body ?? '') < (b.Body ?? '') ? -1 : 1));
      received.push(...inOrder.map(({ ReceiptHandle }) => ({ QueueUrl, ReceiptHandle })));
      // How SQS counts the receive that moves a message to its dead-letter queue is unspecified.
      const isDeadLetter = QueueUrl === deadLetterUrl;
      return inOrder.map(({ Body, Attributes }) => [Body, isDeadLetter ? '' : Attributes?.ApproximateReceiveCount]);
    });
  };

  const count = (QueueUrl: string): Promise<Outcome> =>
    outcomeOf(
      client.send(
        new GetQueueAttributesCommand({
          QueueUrl,
          AttributeNames: [
            'ApproximateNumberOfMessages',
            'ApproximateNumberOfMessagesDelayed',
            'ApproximateNumberOfMessagesNotVisible',
          ],
        }),
      ),
      ({ Attributes = {} }) => Attributes,
    );

  const runReceiptStep = async (step: ReceiptStep): Promise<Outcome> => {
    const index = received.length - 1 - step.receipt;
    const receipt = received[index];
    if (receipt === undefined || (step.call === 'hide' && step.seconds > maxVisibilitySeconds && !checksLimits))
      return {};
    const isHidden = step.call === 'hide' && step.seconds > 0;
    if (!isHidden) received.splice(index, 1);
    const { QueueUrl, ReceiptHandle } = receipt;
    const entry = { Id: 'a', ReceiptHandle };
    switch (step.call) {
      case 'hide': {
        const request = { ...receipt, VisibilityTimeout: step.seconds };
        return outcomeOf(client.send(new ChangeMessageVisibilityCommand(request)), () => ({}));
      }
      case 'hideMany': {
        const Entries = [{ ...entry, VisibilityTimeout: 0 }];
        return outcomeOf(client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries })), batchOutcome);
      }
      case 'remove':
        return outcomeOf(client.send(new DeleteMessageCommand(receipt)), () => ({}));
      case 'removeMany': {
        const command = new DeleteMessageBatchCommand({ QueueUrl, Entries: [entry] });
        return outcomeOf(client.send(command), batchOutcome);
      }
    }
  };

  const runStep = async (step: QueueStep): Promise<Outcome> => {
    switch (step.call) {
      case 'send': {
        if (sent === maxMessages) return {};
        const message = { QueueUrl: url, MessageBody: nextBody(), DelaySeconds: step.delaySeconds };
        return outcomeOf(client.send(new SendMessageCommand(message)), ({ MessageId }) => ({ has: typeof MessageId }));
      }
      case 'sendMany': {
        const size = Math.min(step.count, maxMessages - sent);
        const Entries = Array.from({ length: size }, (_, index) => ({ Id: `${index}`, MessageBody: nextBody() }));
        return outcomeOf(client.send(new SendMessageBatchCommand({ QueueUrl: url, Entries })), batchOutcome);
      }
      case 'receive':
        return receive(step.isDeadLetter ? deadLetterUrl : url);
      case 'count':
        return { queue: await count(url), deadLetters: await count(deadLetterUrl) };
      default:
        return runReceiptStep(step);
    }
  };

  const outcomes: Outcome[] = [];
  for (const step of steps) outcomes.push(await runStep(step));
  return outcomes;
};
