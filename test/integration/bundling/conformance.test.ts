import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { readBody, serveOnLoopback } from '../../../emulator/loopback-server';
import { substitutionsFor } from '../../../lib/bundling/substitutions';
import { createClients, readEndpoints, topicName } from '../support/clients';
import {
  createBucket,
  createOperationsTable,
  createOrdersTable,
  createQueuePair,
  createSyncRunsTable,
} from '../support/resources';
import { type RecordedRequest, startRecordingProxy } from './recording-proxy';
import type { Place, runScenario } from './scenario';

const root = path.join(__dirname, '../../..');
const ours = Object.entries(substitutionsFor('lean')).filter(([name]) => name.startsWith('@aws-sdk/'));

/** Loads the scenario with the SDK, or with the clients of the bundles in its place. */
const load = (clients: 'lean' | 'sdk'): typeof runScenario => {
  let scenario: { readonly runScenario: typeof runScenario } | undefined;
  jest.isolateModules(() => {
    if (clients === 'lean') {
      for (const [name, file] of ours) jest.doMock(name, () => jest.requireActual(path.join(root, file)));
    }
    scenario = require('./scenario');
    for (const [name] of ours) jest.dontMock(name);
  });
  if (scenario === undefined) throw new Error('The scenario was not loaded');
  return scenario.runScenario;
};

const environment = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'a-secret',
  AWS_SESSION_TOKEN: 'a-session-token',
  AWS_LAMBDA_FUNCTION_NAME: 'conformance',
  _X_AMZN_TRACE_ID: 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1',
};
const previous = { ...process.env };

interface Run {
  readonly outcome: unknown;
  readonly requests: readonly RecordedRequest[];
  /** Removes what differs between the names of two runs' tables, queues and buckets. */
  readonly anonymous: (text: string) => string;
}

/** As JSON, which also holds the members of a set. */
const toText = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) => (each instanceof Set ? { set: [...each] } : each));

const clients = createClients();
let proxy: Awaited<ReturnType<typeof startRecordingProxy>>;
/** Knows one execution, `ended`. */
let stepFunctions: Awaited<ReturnType<typeof serveOnLoopback>>;

const run = async (name: 'lean' | 'sdk'): Promise<Run> => {
  const queue = await createQueuePair(clients, 'conformance');
  const place: Place = {
    endpoint: proxy.url,
    ordersTable: await createOrdersTable(clients),
    runsTable: await createSyncRunsTable(clients),
    operationsTable: await createOperationsTable(clients),
    bucket: await createBucket(clients),
    queueUrl: queue.url,
    topicArn: `arn:aws:sns:us-east-1:000000000000:${topicName}`,
  };
  const outcome = await load(name)(place);
  const names = [
    place.ordersTable,
    place.runsTable,
    place.operationsTable,
    place.bucket,
    path.basename(place.queueUrl),
  ];
  const anonymous = (text: string) => names.reduce((rest, each) => rest.replaceAll(each, 'resource'), text);
  return { outcome: JSON.parse(anonymous(toText(outcome))), requests: proxy.take(), anonymous };
};

let sdk: Run;
let lean: Run;
beforeAll(async () => {
  Object.assign(process.env, environment);
  const endpoints = readEndpoints();
  stepFunctions = await serveOnLoopback(async (request, response) => {
    const isKnown = (await readBody(request)).includes('m:ended');
    response.writeHead(isKnown ? 200 : 400, { 'content-type': 'application/x-amz-json-1.0' });
    const missing = { __type: 'com.amazonaws.swf.service.v2.model#ExecutionDoesNotExist', message: 'none' };
    response.end(JSON.stringify(isKnown ? { status: 'ABORTED', startDate: 1.5 } : missing));
  });
  proxy = await startRecordingProxy(({ headers }) => {
    const target = headers['x-amz-target'] ?? '';
    if (target.startsWith('DynamoDB')) return endpoints.dynamodb;
    if (target.startsWith('secretsmanager')) return endpoints.secretsManager;
    if (target.startsWith('AWSStepFunctions')) return stepFunctions.url;
    return target.startsWith('AmazonSQS') ? endpoints.sqs : endpoints.s3;
  });
  sdk = await run('sdk');
  lean = await run('lean');
});
afterAll(async () => {
  clients.destroy();
  await proxy.stop();
  await stepFunctions.stop();
  process.env = previous;
});

test('every call returns and throws the same through our clients as through the SDK', () => {
  expect(lean.outcome).toEqual(sdk.outcome);
});

/** Of an upload: an identifier that S3 chose. */
const chosenByS3 = /(uploadId=)[^&]+/;
/** Differ from one request to the next, or depend on the order of members in JSON. */
const varying = [
  'authorization',
  'amz-sdk-invocation-id',
  'x-amz-date',
  'x-amz-content-sha256',
  'x-amz-checksum-crc32',
];
/** The client's name. */
const userAgents = ['user-agent', 'x-amz-user-agent'];

const comparableBody = (body: Buffer, { anonymous }: Run): unknown => {
  const text = anonymous(body.toString('latin1'));
  // The order of a form's members has no meaning.
  if (text.startsWith('Action=')) return text.split('&').sort();
  return text.startsWith('{')
    ? JSON.parse(text)
    : text.length > 1_000
      ? createHash('sha256').update(text).digest('hex')
      : text;
};

const comparable = (request: RecordedRequest, of: Run) => ({
  method: request.method,
  target: of.anonymous(request.target).replace(chosenByS3, '$1…'),
  headers: Object.fromEntries(
    Object.entries(request.headers)
      // We do not wait for a permission to send the body: it would cost a round trip, and the SDK a new connection.
      .filter(([name]) => ![...varying, ...userAgents, 'expect', 'connection', 'content-length'].includes(name)),
  ),
  body: comparableBody(request.body, of),
});

test('every request is the one that the SDK sends', () => {
  const [ourRequests, sdkRequests] = [lean, sdk].map((each) =>
    each.requests.map((request) => comparable(request, each)),
  );
  expect(ourRequests).toEqual(sdkRequests);
});

test('the hashes and lengths in our requests are those of their bodies', () => {
  for (const { headers, body } of lean.requests) {
    expect(headers['x-amz-content-sha256']).toBe(createHash('sha256').update(body).digest('hex'));
    if (body.length > 0) expect(headers['content-length']).toBe(String(body.length));
    const expected = Buffer.alloc(4);
    expected.writeUInt32BE(crc32(body));
    expect([undefined, expected.toString('base64')]).toContain(headers['x-amz-checksum-crc32']);
    expect(headers['x-amz-security-token']).toBe(environment.AWS_SESSION_TOKEN);
  }
});

test('our signatures cover every header that those of the SDK cover', () => {
  const signedNames = ({ headers }: RecordedRequest) =>
    /SignedHeaders=([^,]+)/
      .exec(headers.authorization ?? '')?.[1]
      ?.split(';')
      .filter((name) => !userAgents.includes(name));
  expect(lean.requests.map(signedNames)).toEqual(sdk.requests.map(signedNames));
});

test('the scenario contains every command that the Lambdas import', () => {
  const files = ['lambdas', 'shared'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8')),
  );
  const imported = files.flatMap((text) => [...text.matchAll(/\b(\w+)Command\b(?=[^;]*from '@aws-sdk\/)/g)]);
  const wireNames: Readonly<Record<string, string>> = {
    Get: 'GetItem',
    Update: 'UpdateItem',
    BatchGet: 'BatchGetItem',
  };
  const expected = new Set(imported.map(([, name = '']) => wireNames[name] ?? name));
  const sent = new Set(
    lean.requests.map(({ method, target, headers, body }) => {
      if (headers['x-amz-target']) return headers['x-amz-target'].replace(/^.*\./, '');
      if (target === '/') return new URLSearchParams(body.toString()).get('Action') ?? target;
      if (target.includes('list-type=2')) return 'ListObjectsV2';
      if (target.includes('uploads=')) return 'CreateMultipartUpload';
      return /x-id=(\w+)/.exec(target)?.[1] ?? (method === 'POST' ? 'CompleteMultipartUpload' : target);
    }),
  );
  expect([...expected].filter((name) => !sent.has(name))).toEqual([]);
  expect(sent).toContain('Scan');
});
