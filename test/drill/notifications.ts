import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { arnOf } from '../../emulator/resource-types';
import { parseJson } from '../../shared/json';

const severities = ['page', 'ticket'] as const;
export type Severity = (typeof severities)[number];

/** A notification that an alarm sent to a topic. */
export interface Notification {
  readonly topic: Severity;
  /** Name of the alarm, with the stage. */
  readonly alarm: string;
  readonly state: string;
}

const envelopeSchema = z.object({ Type: z.literal('Notification'), Message: z.string() });
const messageSchema = z.object({ AlarmName: z.string(), NewStateValue: z.string() });

/** Calls SNS in its query protocol. */
const callSns = async (endpoint: string, parameters: Readonly<Record<string, string>>): Promise<void> => {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      authorization:
        'AWS4-HMAC-SHA256 Credential=local/20261127/us-east-1/sns/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: new URLSearchParams({ Version: '2010-03-31', ...parameters }),
  });
  if (!response.ok) throw new Error(`SNS responded with ${response.status}: ${await response.text()}`);
};

/** Subscribes a queue to each topic of a stage. `read` returns what has arrived since it was last called. */
export const subscribe = async (stage: string, sqs: SQSClient, snsEndpoint: string) => {
  const queues = await Promise.all(
    severities.map(async (topic) => {
      const QueueName = `drill-${topic}`;
      const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName }));
      await callSns(snsEndpoint, {
        Action: 'Subscribe',
        TopicArn: arnOf('sns', `${stage}-marketplace-${topic}`),
        Protocol: 'sqs',
        Endpoint: arnOf('sqs', QueueName),
      });
      return { topic, QueueUrl };
    }),
  );

  const readQueue = async ({ topic, QueueUrl }: (typeof queues)[number]): Promise<Notification[]> => {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    if (Messages.length === 0) return [];
    await sqs.send(
      new DeleteMessageBatchCommand({
        QueueUrl,
        Entries: Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle })),
      }),
    );
    const read = Messages.flatMap(({ Body = '' }) => {
      // Notices about issues are in the same topic.
      const { data } = messageSchema.safeParse(parseJson(envelopeSchema.parse(JSON.parse(Body)).Message));
      return data === undefined ? [] : { topic, alarm: data.AlarmName, state: data.NewStateValue };
    });
    return [...read, ...(await readQueue({ topic, QueueUrl }))];
  };

  return { read: async (): Promise<Notification[]> => (await Promise.all(queues.map(readQueue))).flat() };
};
