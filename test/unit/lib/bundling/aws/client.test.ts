import { InvokeStore, InvokeStoreBase } from '@aws/lambda-invoke-store';
import { DynamoDBClient } from '../../../../../lib/bundling/aws/client-dynamodb';
import { GetObjectCommand, PutObjectCommand, S3Client } from '../../../../../lib/bundling/aws/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '../../../../../lib/bundling/aws/client-secrets-manager';
import { SendMessageCommand, SQSClient } from '../../../../../lib/bundling/aws/client-sqs';
import { addressBucket, endpointOf } from '../../../../../lib/bundling/aws/endpoint';
import { DynamoDBDocumentClient, GetCommand, QueryCommand } from '../../../../../lib/bundling/aws/lib-dynamodb';
import { type ScriptedServer, startScriptedServer } from '../../../../support/scripted-server';

let server: ScriptedServer;
const previous = { ...process.env };
beforeEach(async () => {
  server = await startScriptedServer();
  Object.assign(process.env, { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'AKID', AWS_SECRET_ACCESS_KEY: 'secret' });
});
afterEach(async () => {
  process.env = { ...previous };
  await server.stop();
});

const readSecret = () => {
  server.respond({ body: { SecretString: 's' } });
  return new SecretsManagerClient({ endpoint: server.origin }).send(new GetSecretValueCommand({ SecretId: 'id' }));
};
const lastHeaders = () => server.calls.at(-1)?.headers ?? {};

describe('trace headers', () => {
  test('come from the environment', async () => {
    process.env.AWS_LAMBDA_FUNCTION_NAME = 'webhook';
    process.env._X_AMZN_TRACE_ID = 'Root=1;Lineage=1:ab:0';
    await readSecret();
    expect(lastHeaders()['x-amzn-trace-id']).toBe('Root=1;Lineage=1:ab:0');
  });

  test("come from the invocation's context, where the runtime has one", async () => {
    process.env.AWS_LAMBDA_FUNCTION_NAME = 'webhook';
    process.env._X_AMZN_TRACE_ID = 'Root=of-another-invocation';
    const { X_RAY_TRACE_ID, TRACEPARENT, TRACESTATE } = InvokeStoreBase.PROTECTED_KEYS;
    const store = await InvokeStore.getInstanceAsync();
    const context = { [X_RAY_TRACE_ID]: 'Root=2', [TRACEPARENT]: '00-1', [TRACESTATE]: 'a=b' };
    await store.run(context, readSecret);
    expect(lastHeaders()).toMatchObject({ 'x-amzn-trace-id': 'Root=2', traceparent: '00-1', tracestate: 'a=b' });
    await store.run({}, readSecret);
    expect(lastHeaders().traceparent).toBeUndefined();
  });

  test('are absent outside Lambda', async () => {
    delete process.env.AWS_LAMBDA_FUNCTION_NAME;
    process.env._X_AMZN_TRACE_ID = 'Root=1';
    await readSecret();
    expect(lastHeaders()['x-amzn-trace-id']).toBeUndefined();
  });
});

describe('endpoints', () => {
  const dynamoDb = { prefix: 'dynamodb', variable: 'DYNAMODB' };

  test.each([
    ['the region', {}, undefined, 'https://dynamodb.eu-west-1.amazonaws.com/'],
    ['the variable of all services', { AWS_ENDPOINT_URL: 'http://all:1' }, undefined, 'http://all:1/'],
    [
      'the variable of the service',
      { AWS_ENDPOINT_URL: 'http://all:1', AWS_ENDPOINT_URL_DYNAMODB: 'http://one:2' },
      undefined,
      'http://one:2/',
    ],
    ['the option', { AWS_ENDPOINT_URL_DYNAMODB: 'http://one:2' }, 'http://option:3', 'http://option:3/'],
  ])('are set by %s', (_name, environment, option, expected) => {
    Object.assign(process.env, environment);
    expect(endpointOf(dynamoDb, 'eu-west-1', option).href).toBe(expected);
  });

  test('in China have another domain, and those of isolated regions are refused', () => {
    expect(endpointOf(dynamoDb, 'cn-north-1').host).toBe('dynamodb.cn-north-1.amazonaws.com.cn');
    expect(() => endpointOf(dynamoDb, 'us-iso-east-1')).toThrow('does not know the region us-iso-east-1');
  });

  test('of SQS are those of the queue', async () => {
    process.env.AWS_ENDPOINT_URL_SQS = 'http://127.0.0.1:9';
    server.respond({ body: { MD5OfMessageBody: 'd41d8cd98f00b204e9800998ecf8427e' } });
    const QueueUrl = `${server.origin}/1/queue`;
    await new SQSClient().send(new SendMessageCommand({ QueueUrl, MessageBody: '' }));
    expect(server.calls).toMatchObject([{ path: '/', body: JSON.stringify({ QueueUrl, MessageBody: '' }) }]);
  });

  test.each([
    ['raw-bucket', 'https://s3.eu-west-1.amazonaws.com', false, 'https://raw-bucket.s3.eu-west-1.amazonaws.com/', ''],
    [
      'dotted.bucket',
      'https://s3.eu-west-1.amazonaws.com',
      false,
      'https://s3.eu-west-1.amazonaws.com/',
      '/dotted.bucket',
    ],
    ['raw-bucket', 'http://127.0.0.1:4566', false, 'http://127.0.0.1:4566/', '/raw-bucket'],
    ['raw-bucket', 'http://[::1]:4566', false, 'http://[::1]:4566/', '/raw-bucket'],
    ['raw-bucket', 'http://localhost:4566', false, 'http://raw-bucket.localhost:4566/', ''],
    ['raw-bucket', 'http://localhost:4566', true, 'http://localhost:4566/', '/raw-bucket'],
  ])('of the bucket %s at %s (path style: %s)', (bucket, endpoint, forcePathStyle, origin, path) => {
    const address = addressBucket(new URL(endpoint), bucket, forcePathStyle);
    expect([address.origin.href, address.path]).toEqual([origin, path]);
  });

  test('need a region', async () => {
    delete process.env.AWS_REGION;
    await expect(readSecret()).rejects.toThrow('Region is missing');
  });
});

test('credentials are read at each call', async () => {
  await readSecret();
  process.env.AWS_ACCESS_KEY_ID = 'ROTATED';
  process.env.AWS_SESSION_TOKEN = 'token';
  await readSecret();
  expect(lastHeaders()).toMatchObject({
    authorization: expect.stringContaining('Credential=ROTATED/'),
    'x-amz-security-token': 'token',
  });
});

test('calls share one connection', async () => {
  await readSecret();
  await readSecret();
  expect(server.connections()).toBe(1);
});

test('the output has the metadata of the response', async () => {
  server.respond({ headers: { 'x-amzn-requestid': 'request-1' }, body: { CreatedDate: 1.5 } });
  const client = new SecretsManagerClient({ endpoint: server.origin });
  expect(await client.send(new GetSecretValueCommand({ SecretId: 'id' }))).toEqual({
    CreatedDate: new Date(1_500),
    $metadata: expect.objectContaining({
      httpStatusCode: 200,
      requestId: 'request-1',
      attempts: 1,
      totalRetryDelay: 0,
    }),
  });
});

describe('an unsupported feature is refused by name', () => {
  const s3 = () => new S3Client({ endpoint: server.origin });
  const place = { Bucket: 'b', Key: 'k' };
  const documents = () => DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint: server.origin }));

  test('options of a client', () => {
    const create = (options: object) => () => new S3Client(options);
    expect(create({ useAccelerateEndpoint: true })).toThrow('does not support the option "useAccelerateEndpoint"');
    expect(create({ requestHandler: { httpsAgent: {} } })).toThrow('does not support the option "httpsAgent"');
    expect(create({ requestHandler: { requestTimeout: 1 } })).toThrow('only with "throwOnRequestTimeout"');
    const options = { unmarshallOptions: { wrapNumbers: true } };
    expect(() => DynamoDBDocumentClient.from(new DynamoDBClient(), options)).toThrow('"unmarshallOptions"');
  });

  test('members of an input', async () => {
    await expect(s3().send(new PutObjectCommand({ ...place, Tagging: 'a=b' }))).rejects.toThrow('"Tagging"');
    await expect(s3().send(new GetObjectCommand({ ...place, VersionId: 'v' }))).rejects.toThrow('"VersionId"');
    const Body = new ReadableStream();
    await expect(s3().send(new PutObjectCommand({ ...place, Body }))).rejects.toThrow('strings and bytes only');
    const query = new QueryCommand({ TableName: 't', QueryFilter: {} });
    await expect(documents().send(query)).rejects.toThrow('"QueryFilter"');
  });

  test('bytes in JSON', async () => {
    const get = new GetCommand({ TableName: 't', Key: { id: new Uint8Array(1) } });
    await expect(documents().send(get)).rejects.toThrow('does not send bytes in JSON');
    server.respond({ body: { Item: { id: { B: 'AAAA' } } } });
    await expect(documents().send(new GetCommand({ TableName: 't', Key: { id: 'a' } }))).rejects.toThrow(
      'does not read bytes in JSON',
    );
    server.respond({ body: { SecretBinary: 'AAAA' } });
    const secrets = new SecretsManagerClient({ endpoint: server.origin });
    await expect(secrets.send(new GetSecretValueCommand({ SecretId: 'id' }))).rejects.toThrow('binary secrets');
    expect(server.calls).toHaveLength(2);
  });
});
