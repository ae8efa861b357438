import { DynamoDBClient as SdkDynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as sdkS3 from '@aws-sdk/client-s3';
import * as sdkSqs from '@aws-sdk/client-sqs';
import * as sdkDocuments from '@aws-sdk/lib-dynamodb';
import { DynamoDBClient } from '../../../../../lib/bundling/aws/client-dynamodb';
import * as ourS3 from '../../../../../lib/bundling/aws/client-s3';
import * as ourSqs from '../../../../../lib/bundling/aws/client-sqs';
import * as ourDocuments from '../../../../../lib/bundling/aws/lib-dynamodb';
import { type ScriptedResponse, type ScriptedServer, startScriptedServer } from '../../../../support/scripted-server';

let server: ScriptedServer;
const previous = { ...process.env };
beforeEach(async () => {
  server = await startScriptedServer();
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'a-secret' });
  // No wait between attempts.
  jest.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(async () => {
  jest.restoreAllMocks();
  process.env = { ...previous };
  await server.stop();
});

const timeouts = { connectionTimeout: 1_000, requestTimeout: 200, throwOnRequestTimeout: true };
const optionsOf = (requestHandler: object = timeouts) => ({
  endpoint: server.origin,
  region: 'us-east-1',
  requestHandler,
});

interface Outcome {
  readonly result?: unknown;
  readonly error?: Error & { readonly $metadata?: { readonly attempts?: number; readonly httpStatusCode?: number } };
}
const outcomeOf = (call: Promise<unknown>): Promise<Outcome> =>
  call.then(
    (result) => ({ result }),
    (error) => ({ error }),
  );

const item = { Item: { order_id: { S: 'QO-1' } } };
const getItem = {
  sdk: () =>
    sdkDocuments.DynamoDBDocumentClient.from(new SdkDynamoDBClient(optionsOf())).send(
      new sdkDocuments.GetCommand({ TableName: 'orders', Key: { order_id: 'QO-1' } }),
    ),
  lean: () =>
    ourDocuments.DynamoDBDocumentClient.from(new DynamoDBClient(optionsOf())).send(
      new ourDocuments.GetCommand({ TableName: 'orders', Key: { order_id: 'QO-1' } }),
    ),
};
const fault = (type: string, status = 400): ScriptedResponse => ({
  status,
  body: { __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: 'refused' },
});

/** The faults of DynamoDB or the network before the response with the item. */
const faults: Readonly<Record<string, readonly ScriptedResponse[]>> = {
  none: [],
  'one throttled call': [fault('ThrottlingException')],
  'three throttled calls': Array.from({ length: 3 }, () => fault('ProvisionedThroughputExceededException')),
  'more throttled calls than attempts': Array.from({ length: 4 }, () => fault('RequestLimitExceeded')),
  'status 429 without a known error': [fault('SomethingNew', 429)],
  'an internal error': [fault('InternalServerError', 500)],
  'status 502, 503 and 504': [fault('A', 502), fault('B', 503), fault('C', 504)],
  'status 501, which is not transient': [fault('NotImplemented', 501)],
  'an invalid request': [fault('ValidationException')],
  'a failed condition': [fault('ConditionalCheckFailedException')],
  'an expired signature': [{ ...fault('ExpiredTokenException') }],
  'a closed connection': [{ hangUp: true }],
  'a body that is cut': [{ body: item, cut: true }],
  'no response': [{ silent: 'at once' }],
  'no response to any attempt': Array.from({ length: 4 }, () => ({ silent: 'at once' }) as const),
  'a redirection': [{ status: 301, body: {} }],
  'an error page of a load balancer': [{ status: 503, body: '<html>Service Unavailable</html>' }],
  'a wrong clock': [
    { ...fault('InvalidSignatureException', 403), headers: { date: new Date(Date.now() + 3_600_000).toUTCString() } },
  ],
};

describe('after a fault, our client has the same result as the SDK', () => {
  test.each(Object.entries(faults))('%s', async (_name, responses) => {
    const outcomes = [];
    for (const clients of ['sdk', 'lean'] as const) {
      server.respond(...responses, { body: item });
      const { result, error } = await outcomeOf(getItem[clients]());
      const { attempts, httpStatusCode } = (error ?? (result as Outcome['error']))?.$metadata ?? {};
      outcomes.push({
        item: (result as { readonly Item?: object } | undefined)?.Item,
        name: error?.name,
        attempts,
        httpStatusCode,
        isService: error !== undefined && '$fault' in error,
        attemptHeaders: server.calls.splice(0).map(({ headers }) => headers['amz-sdk-request']),
      });
      // Responses that were not requested belong to this client.
      while (server.left() > 0) await fetch(server.origin);
      server.calls.splice(0);
    }
    const [sdk, lean] = outcomes;
    expect(lean).toEqual(sdk);
  });
});

test('a request is signed again with the time of AWS, once', async () => {
  const date = new Date(Date.now() - 3_600_000).toUTCString();
  const refusal = { ...fault('RequestTimeTooSkewed', 403), headers: { date } };
  server.respond(refusal, refusal, refusal);
  const { error } = await outcomeOf(getItem.lean());
  expect(error).toMatchObject({ name: 'RequestTimeTooSkewed', $metadata: { attempts: 2 } });
  const [first, second] = server.calls.map(({ headers }) => String(headers['x-amz-date']).slice(0, 11));
  expect(second).not.toBe(first);
  expect(second).toBe(new Date(date).toISOString().replaceAll('-', '').slice(0, 11));
});

test('another refusal does not count as a wrong clock, whatever its date', async () => {
  const headers = { date: new Date(0).toUTCString() };
  server.respond({ ...fault('ConditionalCheckFailedException'), headers });
  expect((await outcomeOf(getItem.lean())).error?.$metadata?.attempts).toBe(1);
});

test('a response that stops in its body is retried, which the SDK does not do before the Lambda ends', async () => {
  server.respond({ silent: 'after the head' }, { body: item });
  expect(await getItem.lean()).toMatchObject({ Item: { order_id: 'QO-1' }, $metadata: { attempts: 2 } });
});

test('a timeout says what took too long', async () => {
  const silent = { silent: 'after the head' } as const;
  server.respond(silent, silent, silent, silent);
  expect((await outcomeOf(getItem.lean())).error).toMatchObject({
    name: 'TimeoutError',
    code: 'ETIMEDOUT',
    message: 'AWS: no complete response for 200 ms',
    $metadata: { attempts: 4 },
  });
});

test('a body that is not JSON is an error whose message does not contain the body', async () => {
  for (const body of ['{"Item": "personal', '[1]', 'null']) {
    server.respond({ body });
    const { error } = await outcomeOf(getItem.lean());
    expect(error?.message).toBe('AWS answered 200 with a body that is not a JSON object.');
  }
});

test('a wait that the server requests is respected, up to five seconds longer than our own', async () => {
  server.respond({ ...fault('ThrottlingException'), headers: { 'x-amz-retry-after': '20' } }, { body: item });
  expect(await getItem.lean()).toMatchObject({ $metadata: { totalRetryDelay: 20 } });
});

test('a refused connection is retried until the last attempt', async () => {
  const { origin } = server;
  await server.stop();
  const client = new ourSqs.SQSClient({ endpoint: origin, region: 'us-east-1' });
  const { error } = await outcomeOf(client.send(new ourSqs.GetQueueAttributesCommand({ QueueUrl: `${origin}/1/q` })));
  expect(error).toMatchObject({ code: 'ECONNREFUSED', $metadata: { attempts: 3 } });
  server = await startScriptedServer();
});

describe('the checksums of SQS', () => {
  const QueueUrl = 'http://127.0.0.1:9/1/queue';
  const good = '99914b932bd37a50b983c5e7c90ae93b';
  const send = (sqs: typeof ourSqs | typeof sdkSqs) =>
    (new sqs.SQSClient(optionsOf()) as sdkSqs.SQSClient).send(
      new sqs.SendMessageCommand({ QueueUrl, MessageBody: '{}' }) as sdkSqs.SendMessageCommand,
    );
  const sendBatch = (sqs: typeof ourSqs | typeof sdkSqs) =>
    (new sqs.SQSClient(optionsOf()) as sdkSqs.SQSClient).send(
      new sqs.SendMessageBatchCommand({
        QueueUrl,
        Entries: ['a', 'b', 'c'].map((Id) => ({ Id, MessageBody: '{}' })),
      }) as sdkSqs.SendMessageBatchCommand,
    );

  test.each(['sdk', 'lean'])(
    'a message that arrived damaged is an error, without another attempt: %s',
    async (name) => {
      const sqs = name === 'sdk' ? sdkSqs : ourSqs;
      server.respond({ body: { MessageId: 'm', MD5OfMessageBody: good } }, { body: { MD5OfMessageBody: 'bad' } });
      expect(await send(sqs)).toMatchObject({ MessageId: 'm' });
      expect((await outcomeOf(send(sqs))).error?.message).toBe('InvalidChecksumError');
      const entry = (Id: string, MD5OfMessageBody: string) => ({ Id, MessageId: `m-${Id}`, MD5OfMessageBody });
      const Failed = [{ Id: 'c', SenderFault: false, Code: 'InternalError' }];
      server.respond({ body: { Successful: [entry('a', good), entry('b', good)], Failed } });
      expect(await sendBatch(sqs)).toMatchObject({ Failed });
      server.respond({ body: { Successful: [entry('a', good), entry('b', 'bad')], Failed } });
      expect((await outcomeOf(sendBatch(sqs))).error?.message).toBe('Invalid MD5 checksum on messages: m-b');
    },
  );

  test.each(['sdk', 'lean'])('an error has the code of the older protocol as well: %s', async (name) => {
    server.respond({
      status: 400,
      headers: { 'x-amzn-query-error': 'AWS.SimpleQueueService.NonExistentQueue;Sender' },
      body: { __type: 'com.amazonaws.sqs#QueueDoesNotExist', message: 'missing' },
    });
    const sqs = name === 'sdk' ? sdkSqs : ourSqs;
    const { error } = await outcomeOf(send(sqs));
    expect(error).toBeInstanceOf(sqs.QueueDoesNotExist);
    expect(error).toMatchObject({ name: 'QueueDoesNotExist', Code: 'AWS.SimpleQueueService.NonExistentQueue' });
  });
});

describe('objects of S3', () => {
  const place = { Bucket: 'raw', Key: 'key' };
  const clientOf = (s3: typeof ourS3 | typeof sdkS3, requestHandler?: object) =>
    new s3.S3Client(optionsOf(requestHandler)) as sdkS3.S3Client;
  const read = async (s3: typeof ourS3 | typeof sdkS3, requestHandler?: object) => {
    const client = clientOf(s3, requestHandler);
    const { Body } = await client.send(new s3.GetObjectCommand(place) as sdkS3.GetObjectCommand);
    return Body?.transformToString();
  };
  const both = { sdk: sdkS3, lean: ourS3 };
  const crc32 = { 'x-amz-checksum-crc32': 'NhCmhg==' };

  test.each(Object.entries(both))('are checked while they are read: %s', async (_name, s3) => {
    server.respond(
      { body: 'hello', headers: crc32 },
      { body: 'hallo', headers: crc32 },
      { body: 'hello', headers: { 'x-amz-checksum-sha256': 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=' } },
      { body: 'parts', headers: { 'x-amz-checksum-crc32': 'NhCmhg==-2' } },
    );
    expect(await read(s3)).toBe('hello');
    expect((await outcomeOf(read(s3))).error?.message).toMatch(/^Checksum mismatch: expected "NhCmhg=="/);
    expect(await read(s3)).toBe('hello');
    expect(await read(s3)).toBe('parts');
  });

  test.each(Object.entries(both))('fail while they are read if the connection is lost: %s', async (_name, s3) => {
    server.respond({ body: 'hello', cut: true }, { body: 'hello', cut: true, headers: crc32 });
    expect((await outcomeOf(read(s3))).error).toBeDefined();
    expect((await outcomeOf(read(s3))).error).toBeDefined();
  });

  test('that nobody reads do not end the process', async () => {
    server.respond({ body: 'hello', cut: true, headers: crc32 });
    const { Body } = await new ourS3.S3Client(optionsOf()).send(new ourS3.GetObjectCommand(place));
    await new Promise((resolve) => Body?.on('close', resolve));
    expect((await outcomeOf(Body?.transformToString() ?? Promise.resolve())).error).toBeDefined();
  });

  test.each(Object.entries(both))('fail if the connection is idle: %s', async (_name, s3) => {
    server.respond({ silent: 'after the head' });
    const { error } = await outcomeOf(read(s3, { socketTimeout: 50 }));
    expect(error?.name).toBe('TimeoutError');
  });

  const complete = (s3: typeof ourS3 | typeof sdkS3) =>
    clientOf(s3).send(
      new s3.CompleteMultipartUploadCommand({ ...place, UploadId: 'u' }) as sdkS3.CompleteMultipartUploadCommand,
    );
  const done = {
    body: '<?xml version="1.0"?>\n\n<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>',
  };
  const lateError = {
    body: '<?xml version="1.0"?>\n<Error><Code>InternalError</Code><Message>again</Message></Error>',
  };

  test.each(Object.entries(both))('are completed again if S3 fails after a response of 200: %s', async (_name, s3) => {
    server.respond(lateError, { body: '' }, done);
    expect(await complete(s3)).toMatchObject({ ETag: '"e"', $metadata: { attempts: 3 } });
  });

  test.each(Object.entries(both))('errors have their class and their code: %s', async (_name, s3) => {
    const xml = (code: string) =>
      `<?xml version="1.0"?><Error><Code>${code}</Code><Message>m &amp; n</Message></Error>`;
    server.respond({ status: 404, body: xml('NoSuchKey') });
    const missing = (await outcomeOf(read(s3))).error;
    expect(missing).toBeInstanceOf(s3.NoSuchKey);
    expect(missing).toBeInstanceOf(s3.S3ServiceException);
    expect(missing).toMatchObject({ name: 'NoSuchKey', message: 'm & n', $fault: 'client' });
    server.respond({ status: 403, body: xml('AccessDenied') }, { status: 404, body: '' });
    expect((await outcomeOf(read(s3))).error).toMatchObject({
      name: 'AccessDenied',
      $metadata: { httpStatusCode: 403 },
    });
    expect((await outcomeOf(read(s3))).error).toMatchObject({ name: 'NotFound' });
    server.respond({ status: 503, body: xml('SlowDown') }, { body: 'hello' });
    expect(await read(s3)).toBe('hello');
  });
});
