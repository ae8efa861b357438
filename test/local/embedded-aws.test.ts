import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import {
  ChangeMessageVisibilityCommand,
  ListMessageMoveTasksCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { eventually, newStateDirectory, secretsFile, startFixture } from './fixture/start';

const echoSchema = z.object({
  event: z.record(z.string(), z.unknown()),
  context: z.record(z.string(), z.unknown()),
  env: z.record(z.string(), z.string()),
  remainingMs: z.number(),
});

const stateDirectory = newStateDirectory();
let aws: Awaited<ReturnType<typeof startFixture>>;
beforeAll(async () => {
  aws = await startFixture(stateDirectory);
  // The queue's visibility timeout is three seconds. Under load, a cold start of the worker takes longer.
  await aws.invoke('dev-marketplace-download', { Records: [] });
});
afterAll(async () => {
  await aws.stop();
  rmSync(stateDirectory, { recursive: true });
});

/** Sends a request to the API. The tests before the last one stay below the throttle of `GET /behaviors`. */
const api = (resource: string, init?: RequestInit) => fetch(`${aws.apiUrl}${resource}`, init);
const echo = async (resource: string, init?: RequestInit) => {
  const response = await api(resource, init);
  const body: unknown = await response.json();
  return { response, ...echoSchema.parse(body) };
};
const json = { 'content-type': 'application/json' };

test('an order passes from the HTTP API through a queue to the table', async () => {
  const response = await api('/orders', { method: 'POST', headers: json, body: '{"order_id":"QO-1"}' });
  expect([response.status, await response.text()]).toEqual([202, 'queued']);
  expect(await eventually(() => aws.order('QO-1'))).toEqual({ receives: 1, batchSize: 1 });
});

describe('HTTP API', () => {
  test('sends requests to the function in payload format 2.0', async () => {
    const { response, event, context, remainingMs } = await echo('/echo/a%20b?x=1&x=2&y=', {
      method: 'PUT',
      headers: { ...json, Cookie: 'c=1; d=2', 'X-Twice': 'one, two' },
      body: '{"ä":1}',
    });
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(event).toMatchObject({
      version: '2.0',
      routeKey: 'ANY /echo/{id}',
      rawPath: '/echo/a%20b',
      rawQueryString: 'x=1&x=2&y=',
      queryStringParameters: { x: '1,2', y: '' },
      pathParameters: { id: 'a b' },
      cookies: ['c=1', 'd=2'],
      headers: { 'content-type': 'application/json', 'x-twice': 'one, two', 'x-forwarded-proto': 'http' },
      body: '{"ä":1}',
      isBase64Encoded: false,
      requestContext: { http: { method: 'PUT', path: '/echo/a%20b', sourceIp: '127.0.0.1' }, stage: '$default' },
    });
    expect(event.headers).not.toHaveProperty('cookie');
    expect(context).toMatchObject({
      functionName: 'dev-marketplace-webhook',
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:dev-marketplace-webhook',
      memoryLimitInMB: '256',
    });
    expect(remainingMs).toBeGreaterThan(0);
  });

  test.each([
    ['a form', 'application/x-www-form-urlencoded', Buffer.from('a=b')],
    ['invalid UTF-8', 'application/json', Buffer.from([0x7b, 0xff, 0x7d])],
  ])('encodes %s in base64', async (_what, contentType, body) => {
    const { event } = await echo('/echo/1', { method: 'POST', headers: { 'content-type': contentType }, body });
    expect(event).toMatchObject({ body: body.toString('base64'), isBase64Encoded: true });
  });

  test.each([
    ['/nowhere', {}, 404, 'Not Found'],
    ['/orders', {}, 404, 'Not Found'],
    ['/behaviors?behavior=throw', {}, 500, 'Internal Server Error'],
    ['/behaviors?behavior=sleep', {}, 500, 'Internal Server Error'],
    ['/echo/1', { method: 'POST', body: Buffer.alloc(10 * 1024 * 1024 + 1) }, 413, 'Request Entity Too Large'],
    ['/echo/1', { method: 'POST', body: Buffer.alloc(5 * 1024 * 1024) }, 413, 'Request Entity Too Large'],
  ])('responds to %s with API Gateway’s status and message (%#)', async (resource, init, status, message) => {
    const response = await api(resource, init);
    expect([response.status, await response.json()]).toEqual([status, { message }]);
  });

  test('sends any other result as the body of a 200', async () => {
    const response = await api('/behaviors');
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await response.json()).toMatchObject({ calls: expect.any(Number) });
  });
});

describe('Lambda', () => {
  const behaviors = (behavior?: string) => aws.invoke('dev-marketplace-behaviors', { behavior });

  test('gives a function the environment of the template and of Lambda, and none of its own', async () => {
    const { env } = await echo('/echo/env');
    expect(env).toMatchObject({
      ORDERS_TABLE_NAME: 'dev-Data-OrdersA9B65338',
      DOWNLOAD_QUEUE_URL: aws.pipeline.DownloadQueueUrl,
      QUALIA_API_URL: 'http://127.0.0.1:1/graphql',
      AWS_REGION: 'us-east-1',
      AWS_LAMBDA_FUNCTION_NAME: 'dev-marketplace-webhook',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/dev',
      AWS_ENDPOINT_URL_SQS: aws.endpoints.sqs,
      _X_AMZN_TRACE_ID: expect.stringMatching(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24}/),
    });
    expect(Object.keys(env)).not.toEqual(expect.arrayContaining(['NOT_IN_TEMPLATE']));
    expect(Object.keys(env)).not.toEqual(expect.arrayContaining(['NOT_FOR_LAMBDAS']));
    expect(Object.keys(env)).not.toEqual(expect.arrayContaining(['HOME']));
  });

  test('starts node with the arguments that Lambda gives a function of this memory, which has less than a core', async () => {
    expect((await behaviors()).payload.nodeArguments).toEqual([
      '--expose-gc',
      '--max-http-header-size=81920',
      '--max-semi-space-size=12',
      '--max-old-space-size=230',
      '--single-threaded-gc',
    ]);
  });

  test('reuses a warm process', async () => {
    const first = await behaviors();
    const second = await behaviors();
    expect(second.payload.pid).toBe(first.payload.pid);
  });

  test.each([
    ['throw', { errorType: 'TypeError', errorMessage: 'a requested error' }],
    ['exit', { errorType: 'Runtime.ExitError' }],
    ['sleep', { errorType: 'Sandbox.Timedout', errorMessage: expect.stringMatching(/timed out after 3\.00 seconds/) }],
    ['spin', { errorType: 'Sandbox.Timedout' }],
  ])('reports an invocation as failed if the handler does this: %s; the next one succeeds', async (behavior, error) => {
    expect(await behaviors(behavior)).toMatchObject({ status: 200, functionError: 'Unhandled', payload: error });
    expect((await behaviors()).functionError).toBeNull();
  });

  test('reports an invocation as failed if the handler is missing, and an unknown function as not found', async () => {
    const broken = await aws.invoke('dev-marketplace-broken', {});
    expect(broken).toMatchObject({ functionError: 'Unhandled', payload: { errorType: 'Runtime.HandlerNotFound' } });
    expect(await aws.invoke('nobody', {})).toMatchObject({ status: 404 });
  });

  test('runs invocations concurrently, one at a time in each process', async () => {
    const results = await Promise.all(Array.from({ length: 20 }, () => behaviors()));
    expect(results.map(({ functionError }) => functionError)).toEqual(Array(20).fill(null));
  });

  test('stores the log lines of functions', async () => {
    await behaviors('throw');
    const file = path.join(stateDirectory, 'logs', 'dev-marketplace-behaviors.ndjson');
    const lines = await eventually(
      async () => readFileSync(file, 'utf8').trim().split('\n'),
      (all) => all.some((line) => line.includes('a requested error')),
    );
    const line = JSON.parse(lines.find((one) => one.includes('a requested error')) ?? '');
    expect(line).toMatchObject({ timestamp: expect.any(Number), function: 'dev-marketplace-behaviors' });
    expect(JSON.parse(line.message)).toMatchObject({ level: 'ERROR', message: { errorType: 'TypeError' } });
  });

  test('fires a schedule on request', async () => {
    const payload = expect.stringContaining('"detail-type":"Scheduled Event"');
    for (const name of ['hourly', 'dev-hourly', 'dev-marketplace-behaviors']) {
      expect(await aws.request({ fire: name })).toEqual({ payload });
    }
    expect(await aws.request({ fire: 'daily' })).toMatchObject({
      error: expect.stringContaining('There is no schedule daily'),
    });
  });
});

describe('queues', () => {
  const send = (MessageBody: string) =>
    aws.sqs.send(new SendMessageCommand({ QueueUrl: aws.pipeline.DownloadQueueUrl, MessageBody }));

  test('redelivers only the failed messages of a batch', async () => {
    const orders = Array.from({ length: 10 }, (_, index) => ({ order_id: `P-${index}`, fail_first: index % 5 === 0 }));
    await aws.sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: aws.pipeline.DownloadQueueUrl,
        Entries: orders.map((order) => ({ Id: order.order_id, MessageBody: JSON.stringify(order) })),
      }),
    );
    for (const { order_id, fail_first } of orders) {
      expect(await eventually(() => aws.order(order_id))).toMatchObject({ receives: fail_first ? 2 : 1 });
    }
    await eventually(
      () => aws.depth(aws.pipeline.DownloadQueueUrl),
      ({ visible, inFlight }) => visible + inFlight === 0,
    );
  });

  test('moves a poison message to the dead-letter queue after five receives, and a redrive delivers it again', async () => {
    const { DownloadDeadLetterQueueUrl, DownloadDeadLetterQueueArn: SourceArn } = aws.pipeline;
    await send('{"order_id":"QO-poison","poison":true}');
    await eventually(
      () => aws.depth(DownloadDeadLetterQueueUrl),
      ({ visible }) => visible === 1,
    );
    const file = path.join(stateDirectory, 'logs', 'dev-marketplace-download.ndjson');
    const failures = await eventually(
      async () => readFileSync(file, 'utf8').match(/failed QO-poison \d/g) ?? [],
      ({ length }) => length >= 5,
    );
    expect(failures).toEqual([1, 2, 3, 4, 5].map((receive) => `failed QO-poison ${receive}`));

    await aws.putOrder('healed');
    await aws.sqs.send(new StartMessageMoveTaskCommand({ SourceArn }));
    expect(await eventually(() => aws.order('QO-poison'))).toMatchObject({ receives: 1 });
    const { Results } = await aws.sqs.send(new ListMessageMoveTasksCommand({ SourceArn }));
    expect(Results).toMatchObject([{ Status: 'COMPLETED', ApproximateNumberOfMessagesMoved: 1 }]);
  });

  test('rejects a redrive of a queue that is not a dead-letter queue', async () => {
    const SourceArn = 'arn:aws:sqs:us-east-1:000000000000:dev-marketplace-download';
    await expect(aws.sqs.send(new StartMessageMoveTaskCommand({ SourceArn }))).rejects.toThrow(
      expect.objectContaining({ name: 'UnsupportedOperation' }),
    );
  });

  test('delivers a message again after its visibility timeout is set to 0', async () => {
    const QueueUrl = aws.pipeline.DownloadDeadLetterQueueUrl;
    await aws.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'mine' }));
    const receive = async () => (await aws.sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages?.[0];
    const first = await receive();
    await aws.sqs.send(
      new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: first?.ReceiptHandle, VisibilityTimeout: 0 }),
    );
    expect(await receive()).toMatchObject({ MessageId: first?.MessageId, Body: 'mine' });
  });
});

describe('buckets', () => {
  const put = (Key: string, options: Record<string, string> = {}) =>
    new S3Client({ ...aws.config, endpoint: aws.endpoints.s3 }).send(
      new PutObjectCommand({ Bucket: aws.data.RawBucketName, Key, Body: 'payload', ...options }),
    );
  const refusal = (name: string) => expect.objectContaining({ name });

  test('honour If-None-Match and If-Match of a put', async () => {
    await put('raw/1.json', { IfNoneMatch: '*' });
    await expect(put('raw/1.json', { IfNoneMatch: '*' })).rejects.toThrow(refusal('PreconditionFailed'));
    await expect(put('raw/1.json', { IfMatch: '"other"' })).rejects.toThrow(refusal('PreconditionFailed'));
    const { ETag = '' } = await put('raw/1.json');
    await put('raw/1.json', { IfMatch: ETag });
    await expect(put('raw/2.json', { IfMatch: ETag })).rejects.toThrow(refusal('NoSuchKey'));
  });

  test('reject a wrong checksum, and return a correct one', async () => {
    const ChecksumSHA256 = createHash('sha256').update('payload').digest('base64');
    const wrong = createHash('sha256').update('other').digest('base64');
    await expect(put('raw/3.json', { ChecksumSHA256: wrong })).rejects.toThrow(refusal('BadDigest'));
    await put('raw/3.json', { ChecksumSHA256 });
    const got = await new S3Client({ ...aws.config, endpoint: aws.endpoints.s3 }).send(
      new GetObjectCommand({ Bucket: aws.data.RawBucketName, Key: 'raw/3.json', ChecksumMode: 'ENABLED' }),
    );
    expect([await got.Body?.transformToString(), got.ChecksumSHA256]).toEqual(['payload', ChecksumSHA256]);
  });
});

test('an edit of a secret takes effect at once; an unknown secret is not found', async () => {
  const client = new SecretsManagerClient({ ...aws.config, endpoint: aws.endpoints.secretsmanager });
  const get = (SecretId: string) => client.send(new GetSecretValueCommand({ SecretId }));
  expect((await get(aws.data.WebhookSecretArn)).SecretString).toBe('{"signing_secrets":["first"]}');
  writeFileSync(secretsFile(stateDirectory), '{"WebhookSecret":{"signing_secrets":["second"]}}');
  expect((await get('dev-Data-WebhookSecretF21E29CC')).SecretString).toBe('{"signing_secrets":["second"]}');
  await expect(get('nobody')).rejects.toThrow(expect.objectContaining({ name: 'ResourceNotFoundException' }));
});

// Last, because it empties the token bucket that other tests need.
test('throttles a route at its own rate, and the other routes at the rate of the stage', async () => {
  const send = (resource: string, calls = 60) => Promise.all(Array.from({ length: calls }, () => api(resource)));
  const statusesOf = (responses: readonly Response[]) => new Set(responses.map(({ status }) => status));
  // On a busy machine, they need seconds to arrive, in which the bucket fills again.
  const responses = await send('/behaviors', 120);
  expect(statusesOf(responses)).toEqual(new Set([200, 429]));
  expect(statusesOf(await send('/echo/1'))).toEqual(new Set([200]));
  const throttled = responses.find(({ status }) => status === 429);
  expect(await throttled?.json()).toEqual({ message: 'Too Many Requests' });
});
