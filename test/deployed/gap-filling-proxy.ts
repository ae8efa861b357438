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
 * Starts a proxy between the tests and SQS and Step Functions of the emulator at `AWS_ENDPOINT_URL`. It forwards every call,
 * and implements the calls that the emulator rejects and AWS supports (docs/adr/0006).
 */
export const startGapFillingProxy = (emulatorUrl: string): Promise<LoopbackServer> => {
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

  /** Moves every message of a dead-letter queue back to its source queue. */
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

  /** The response to a second start of a running execution with the same name and input: that of the first start. */
  const findStarted = async ({ stateMachineArn, name, input }: z.output<typeof startSchema>) => {
    const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
    const execution = await stepFunctions.send(new DescribeExecutionCommand({ executionArn }));
    if (execution.status !== 'RUNNING' || execution.input !== input) return undefined;
    return { executionArn, startDate: Number(execution.startDate) / 1_000 };
  };

  /** Implementations by rejected action and error. */
  const actions: Readonly<Record<string, (body: unknown) => Promise<unknown>>> = {
    'AmazonSQS.StartMessageMoveTask InvalidAction': (body) => moveMessages(moveSchema.parse(body).SourceArn),
    'AWSStepFunctions.StartExecution ExecutionAlreadyExists': (body) => findStarted(startSchema.parse(body)),
  };

  return serveOnLoopback(async (request, response) => {
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers;
    const body = (await readBody(request)).toString();
    const forwarded = await fetch(`${emulatorUrl}${request.url}`, {
      method: 'POST',
      headers: Object.entries(headers).map(([name, value]) => [name, String(value)]),
      body,
    });
    const text = await forwarded.text();
    const error = forwarded.ok ? '' : String(JSON.parse(text).__type).replace(/^.*#/, '');
    const implemented = await actions[`${headers['x-amz-target']} ${error}`]?.(JSON.parse(body));
    response
      .writeHead(implemented ? 200 : forwarded.status, { 'content-type': 'application/x-amz-json-1.0' })
      .end(implemented ? JSON.stringify(implemented) : text);
  });
};
