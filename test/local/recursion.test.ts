import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { traceOfInvocation } from '../../emulator/lambda/trace';
import { eventually, newStateDirectory, startFixture } from './fixture/start';

const stateDirectory = newStateDirectory();
let aws: Awaited<ReturnType<typeof startFixture>>;
beforeAll(async () => {
  aws = await startFixture(stateDirectory);
  // Their messages are hidden for six seconds and received once. Under load, a cold start takes longer.
  const client = new LambdaClient({ ...aws.config, endpoint: aws.endpoints.lambda });
  for (const name of ['loop', 'allowed-loop']) {
    await client.send(new InvokeCommand({ FunctionName: `dev-marketplace-${name}`, Payload: '{"Records":[]}' }));
  }
  client.destroy();
});
afterAll(async () => {
  await aws.stop();
  rmSync(stateDirectory, { recursive: true });
});

const send = (QueueUrl: string, order_id: string, rest: number) =>
  aws.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify({ order_id, rest }) }));

const logOf = (name: string): string => readFileSync(path.join(stateDirectory, 'logs', `${name}.ndjson`), 'utf8');
/** Number of lines of a function's log that contain a text. */
const linesWith = (name: string, text: string): number =>
  logOf(name)
    .split('\n')
    .filter((line) => line.includes(text)).length;
/** The same, once there are `count`: the lines of several processes do not arrive in the order of their messages. */
const settledLinesWith = (name: string, text: string, count: number): Promise<number> =>
  eventually(
    async () => linesWith(name, text),
    (lines) => lines >= count,
  );

const deadLetters = async () =>
  (
    await aws.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: aws.pipeline.LoopDeadLetterQueueUrl,
        MessageSystemAttributeNames: ['AWSTraceHeader'],
      }),
    )
  ).Messages;

test('a function that sends messages back to its queue is stopped after 16 invocations', async () => {
  await send(aws.pipeline.LoopQueueUrl, 'QO-endless', 99);
  const [dead] = (await eventually(deadLetters)) ?? [];
  expect(dead).toMatchObject({
    Body: JSON.stringify({ order_id: 'QO-endless', rest: 83 }),
    Attributes: { AWSTraceHeader: expect.stringMatching(/;Lineage=[0-9a-f]{8}:16$/) },
  });
  expect(await settledLinesWith('dev-marketplace-loop', 'received QO-endless', 16)).toBe(16);
  expect(linesWith('dev-marketplace-loop', 'RecursiveInvocationException')).toBeGreaterThan(0);
});

test('a shorter loop runs to its end', async () => {
  await send(aws.pipeline.LoopQueueUrl, 'QO-short', 15);
  await eventually(async () => logOf('dev-marketplace-loop').includes('received QO-short 0'));
});

test('a function whose RecursiveLoop is Allow is not stopped', async () => {
  await send(aws.pipeline.AllowedLoopQueueUrl, 'QO-allowed', 40);
  await eventually(async () => logOf('dev-marketplace-allowed-loop').includes('received QO-allowed 0'));
  expect(await settledLinesWith('dev-marketplace-allowed-loop', 'received QO-allowed', 41)).toBe(41);
});

test('a loop through Invoke is rejected', async () => {
  const arn = 'arn:aws:lambda:us-east-1:000000000000:function:dev-marketplace-loop';
  let trace = traceOfInvocation(arn, []);
  for (let invocations = 1; invocations < 16; invocations++) trace = traceOfInvocation(arn, [trace]);
  const client = new LambdaClient({ ...aws.config, endpoint: aws.endpoints.lambda });
  client.middlewareStack.add(
    (next) => (args) => {
      Object.assign((args.request as { headers: object }).headers, { 'X-Amzn-Trace-Id': trace });
      return next(args);
    },
    { step: 'build' },
  );
  await expect(client.send(new InvokeCommand({ FunctionName: arn, Payload: '{"Records":[]}' }))).rejects.toThrow(
    expect.objectContaining({ name: 'RecursiveInvocationException' }),
  );
});

test('the trace of an accepted message survives a kill', async () => {
  const QueueUrl = aws.pipeline.LoopDeadLetterQueueUrl;
  const AWSTraceHeader = 'Root=1-6532f4a0-0123456789abcdef01234567;Lineage=a87bd80c:7';
  await aws.sqs.send(
    new SendMessageCommand({
      QueueUrl,
      MessageBody: 'traced',
      MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: AWSTraceHeader } },
    }),
  );
  await aws.kill();
  aws = await startFixture(stateDirectory);
  const traced = await eventually(async () => (await deadLetters())?.find(({ Body }) => Body === 'traced'));
  expect(traced?.Attributes).toEqual({ AWSTraceHeader });
});
