import { randomUUID } from 'node:crypto';
import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { type LoopbackServer, readBody, serveOnLoopback } from '../../emulator/loopback-server';

const redriveSchema = z.object({ deadLetterTargetArn: z.string() });
const moveSchema = z.object({ SourceArn: z.string() });
const startSchema = z.object({ stateMachineArn: z.string(), name: z.string(), input: z.string() });

/**
 * Stands between the tests and the queues and workflows of an emulator: passes every call on, and does itself what the
 * emulator refuses and AWS does (docs/adr/0006). The emulator is the one that `AWS_ENDPOINT_URL` names.
 */
export const startStandIn = (emulatorUrl: string): Promise<LoopbackServer> => {
  const sqs = new SQSClient();
  const stepFunctions = new SFNClient();

  const queueUrlOf = async (arn: string) => {
    const QueueName = arn.slice(arn.lastIndexOf(':') + 1);
    return (await sqs.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl;
  };
  const sourceOf = async (deadLettersArn: string): Promise<string | undefined> => {
    const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand());
    for (const QueueUrl of QueueUrls) {
      const { Attributes } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['RedrivePolicy'] }),
      );
      const policy = redriveSchema.safeParse(JSON.parse(Attributes?.RedrivePolicy ?? '{}'));
      if (policy.data?.deadLetterTargetArn === deadLettersArn) return QueueUrl;
    }
    return undefined;
  };

  /** Moves every message of a dead-letter queue back to where it came from. */
  const moveMessages = async (SourceArn: string) => {
    const [from, to] = await Promise.all([queueUrlOf(SourceArn), sourceOf(SourceArn)]);
    for (;;) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl: from, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'] }),
      );
      if (Messages.length === 0) return { TaskHandle: randomUUID() };
      for (const { Body, MessageAttributes, ReceiptHandle } of Messages) {
        await sqs.send(new SendMessageCommand({ QueueUrl: to, MessageBody: Body, MessageAttributes }));
        await sqs.send(new DeleteMessageCommand({ QueueUrl: from, ReceiptHandle }));
      }
    }
  };

  /** A second start of what runs already, under the same name with the same input, is answered as the first. */
  const findStarted = async ({ stateMachineArn, name, input }: z.output<typeof startSchema>) => {
    const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
    const execution = await stepFunctions.send(new DescribeExecutionCommand({ executionArn }));
    if (execution.status !== 'RUNNING' || execution.input !== input) return undefined;
    return { executionArn, startDate: Number(execution.startDate) / 1_000 };
  };

  /** By the action that was refused, and the error that it was refused with. */
  const actions: Readonly<Record<string, (body: unknown) => Promise<unknown>>> = {
    'AmazonSQS.StartMessageMoveTask InvalidAction': (body) => moveMessages(moveSchema.parse(body).SourceArn),
    'AWSStepFunctions.StartExecution ExecutionAlreadyExists': (body) => findStarted(startSchema.parse(body)),
  };

  return serveOnLoopback(async (request, response) => {
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers;
    const body = (await readBody(request)).toString();
    const answer = await fetch(`${emulatorUrl}${request.url}`, {
      method: 'POST',
      headers: Object.entries(headers).map(([name, value]) => [name, String(value)]),
      body,
    });
    const text = await answer.text();
    const error = answer.ok ? '' : String(JSON.parse(text).__type).replace(/^.*#/, '');
    const played = await actions[`${headers['x-amz-target']} ${error}`]?.(JSON.parse(body));
    response
      .writeHead(played ? 200 : answer.status, { 'content-type': 'application/x-amz-json-1.0' })
      .end(played ? JSON.stringify(played) : text);
  });
};
