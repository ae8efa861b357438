import { ChangeMessageVisibilityCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';

/** A queue of JSON messages. */
export const createQueue = <Message>(client: SQSClient, queueUrl: string) => ({
  /** @param delaySeconds delay before the first delivery, at most 900. */
  send: async (message: Message, delaySeconds?: number): Promise<void> => {
    await client.send(
      new SendMessageCommand({
        QueueUrl: queueUrl,
        MessageBody: JSON.stringify(message),
        ...(delaySeconds !== undefined && { DelaySeconds: delaySeconds }),
      }),
    );
  },

  /** Hides a received message for another `seconds` (0 to 43,200). After that, it is delivered again. */
  hideFor: async (receiptHandle: string, seconds: number): Promise<void> => {
    await client.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: queueUrl,
        ReceiptHandle: receiptHandle,
        VisibilityTimeout: seconds,
      }),
    );
  },
});

export type Queue<Message> = ReturnType<typeof createQueue<Message>>;
