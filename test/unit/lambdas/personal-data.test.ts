import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SQSRecord } from 'aws-lambda';
import { Webhook } from 'standardwebhooks';
import { createHandler as createDownload } from '../../../lambdas/download/handler';
import { createHandler as createProcessing } from '../../../lambdas/processing/handler';
import { createAuthenticator, webhookSecretSchema } from '../../../lambdas/webhook/authenticate';
import { createHandler as createWebhook } from '../../../lambdas/webhook/handler';
import { createRefusedKeeper } from '../../../lambdas/webhook/keep-refused';
import { createSecret } from '../../../shared/aws/secret';
import { createFailureCollector } from '../../../shared/issues/failure-collector';
import { createLogger } from '../../../shared/observability/logger';
import { createMetrics } from '../../../shared/observability/metrics';
import { createWorkerMemory } from '../../../shared/orders/order-memory';
import type { WriteOutcome } from '../../../shared/orders/repository';
import { fakeAwsClient } from '../../support/aws-client';
import { unbatched } from '../../support/batch-sender';
import { fakeRepository } from '../../support/fake-repository';
import { lambdaContext } from '../../support/lambda-context';
import { type CapturedLogs, captureLogs } from '../../support/logs';
import { checksum, downloadMessage, orders, processingMessage } from '../../support/orders';
import {
  description,
  echo,
  email,
  everything,
  garbage,
  name,
  password,
  personalOrder,
  phone,
  sensitiveValuesIn,
  signingSecret,
  street,
  token,
  username,
} from '../../support/personal-data';
import { qualiaResponse } from '../../support/qualia-orders';
import { startScriptedInternalApi, startScriptedQualia } from '../../support/scripted-apis';
import { type ScriptedResponse, times } from '../../support/scripted-server';
import { secretOf } from '../../support/secrets';
import { sqsEvent, sqsRecord } from '../../support/sqs-events';
import { activity, basicAuthorization, type Call, notification, webhookEvent } from '../../support/webhook-calls';
import { queued } from '../../support/webhook-handler';

const config = { STAGE: 'dev', SERVICE_VERSION: '1' };
const environment = process.env;
let logs: CapturedLogs;
beforeEach(() => {
  process.env = { ...environment, POWERTOOLS_SERVICE_NAME: 'x', POWERTOOLS_METRICS_NAMESPACE: 'MarketplacePipeline' };
  logs = captureLogs();
});
afterEach(() => {
  logs.stop();
  jest.useRealTimers();
  process.env = environment;
});

/** What the workers store in issues. */
const recordedIssues: unknown[] = [];

const expectNoPersonalData = (lines: number) => {
  const text = logs.text() + JSON.stringify(recordedIssues.splice(0));
  // Without lines, the search would prove nothing.
  expect(logs.lines()).toHaveLength(lines);
  expect(sensitiveValuesIn(text)).toEqual([]);
};

const down = async (): Promise<never> => {
  throw new Error('AWS is down');
};

describe('the webhook writes no personal data for', () => {
  const secretText = JSON.stringify({ basic: [{ username, password }], signing_secrets: [signingSecret] });
  const known = { authorization: basicAuthorization(username, password) };

  const receive = async (call: Call, { secret = secretText, startRound = queued, store = async () => 'id' } = {}) => {
    const logger = createLogger(config);
    const client = fakeAwsClient<SecretsManagerClient>(() => ({ SecretString: secret })).client;
    const handler = createWebhook({
      authenticate: createAuthenticator(
        createSecret({ client, secretId: 's', schema: webhookSecretSchema, now: () => 0 }),
      ),
      startRound,
      keepRefused: createRefusedKeeper({ createStore: () => store, logger, now: () => 0 }),
      logger,
      metrics: createMetrics(config),
      health: { version: '1', commit: 'c', stage: 'dev' },
      newRequestId: () => 'request-1',
      monotonicNow: () => 0,
    });
    return (await handler(webhookEvent(call), lambdaContext())).statusCode;
  };

  const personal = { name, email, phone, street, description };
  const wrong = { authorization: basicAuthorization(name, password) };
  const signed = {
    'webhook-id': name,
    'webhook-timestamp': String(Math.floor(Date.now() / 1_000)),
    'webhook-signature': new Webhook(signingSecret).sign(name, new Date(), 'other'),
  };

  test.each<[string, number, Call]>([
    ['a notification', 200, { headers: known, body: notification(personal) }],
    ['an activity', 200, { headers: known, body: activity({ ...personal, message_id: name }) }],
    [
      'every field invalid',
      422,
      { headers: known, body: { order_id: name, notification_type: email, timestamp: phone } },
    ],
    [
      'every field of an activity invalid',
      422,
      { headers: known, body: { type: name, order_id: street, description: 7 } },
    ],
    ['a body that is a JSON string', 422, { headers: known, body: JSON.stringify(name) }],
    ['a body that is not JSON', 400, { headers: known, body: everything.join(' ') }],
    ['another content type', 415, { headers: { ...known, 'content-type': name }, body: everything.join(' ') }],
    ['a wrong password', 401, { headers: wrong, body: notification(personal) }],
    ['a wrong signature', 401, { headers: signed, body: notification(personal) }],
    ['a body that is too large', 413, { headers: known, body: everything.join(' ').repeat(4_000) }],
    ['another path', 404, { path: `/${name}`, headers: known, body: notification(personal) }],
    ['another method', 405, { method: 'PUT', headers: known, body: notification(personal) }],
  ])('%s: %i', async (_, status, call) => {
    expect(await receive(call)).toBe(status);
    expectNoPersonalData(1);
  });

  test('a refused body that cannot be kept', async () => {
    const body = { type: name, order_id: street, description: 7 };
    expect(await receive({ headers: known, body }, { store: down })).toBe(422);
    expectNoPersonalData(2);
  });

  test('a round that cannot be started', async () => {
    expect(await receive({ headers: known, body: activity(personal) }, { startRound: down })).toBe(500);
    expectNoPersonalData(1);
  });

  test.each([
    ['text that is not JSON', `${password} ${signingSecret}`],
    ['an invalid schema', JSON.stringify({ basic: [{ username, password: [password] }], signing_secrets: [token] })],
  ])('a secret with %s', async (_, secret) => {
    expect(await receive({ headers: known, body: activity(personal) }, { secret })).toBe(500);
    expectNoPersonalData(1);
  });
});

const applied = async (): Promise<WriteOutcome> => ({ applied: true });
const queue = { send: async () => undefined, hideFor: async () => undefined };

const common = () => ({
  queue,
  failures: createFailureCollector({
    recordFailures: async (group) => {
      recordedIssues.push(group);
    },
    release: '1',
    logger: createLogger(config),
    now: () => Date.now(),
  }),
  memory: createWorkerMemory(512),
  maxReceiveCount: 5,
  logger: createLogger(config),
  metrics: createMetrics(config),
  now: () => Date.now(),
});

describe('download writes no personal data for', () => {
  const download = async (responses: readonly ScriptedResponse[], record: SQSRecord, { keep = true } = {}) => {
    const qualia = await startScriptedQualia({ credential: secretOf({ username, password }) });
    qualia.server.respond(...responses);
    const stored = async () => ({ s3Key: 'raw/key', checksum: checksum(), sizeBytes: 1, isNew: true });
    const handler = createDownload({
      ...common(),
      qualia: qualia.client,
      payloads: keep ? { keep: stored, keepRejected: stored } : { keep: down, keepRejected: down },
      repository: fakeRepository({ recordDownload: applied, recordFailure: applied }),
      processingQueue: unbatched(queue.send),
    });
    await handler(sqsEvent(record), lambdaContext());
    const authorizations = qualia.server.calls.map(({ headers }) => headers.authorization);
    expect(authorizations.every((value) => value === basicAuthorization(username, password))).toBe(true);
    await qualia.stop();
  };

  const { order_id: _id } = downloadMessage();
  const order: ScriptedResponse = { body: qualiaResponse(personalOrder({ _id })) };
  const graphQl = (message: string, code?: string): ScriptedResponse => ({
    body: { data: { order: { order: personalOrder({ _id }) } }, errors: [{ message, extensions: { code, ...echo } }] },
  });

  test.each<[string, readonly ScriptedResponse[], number]>([
    ['an order', [order], 1],
    ['an order after failed attempts', [{ status: 503, body: garbage }, graphQl(`${name} is busy`), order], 3],
    ['a permanent GraphQL error', [graphQl(`${name} not found`, 'NOT_FOUND')], 1],
    ['a GraphQL error with the code FORBIDDEN', [graphQl(`forbidden for ${email}`, 'FORBIDDEN')], 1],
    ['retryable GraphQL errors', times(3, graphQl(garbage)), 3],
    ['garbage', times(3, { body: garbage }), 3],
    ['another order', times(3, { body: qualiaResponse(personalOrder({ _id: name })) }), 3],
    ['garbage in an unknown content encoding', times(3, { body: garbage, headers: { 'content-encoding': email } }), 3],
    ['an order without its number', times(3, { body: qualiaResponse(personalOrder({ order_number: null })) }), 3],
    ['a refusal', [{ status: 400, body: echo, headers: { 'x-echo': token } }], 1],
    ['a refused credential', [{ status: 401, body: echo }], 1],
    ['faults', times(3, { status: 500, body: echo }), 3],
    ['closed connections', times(3, { hangUp: true }), 3],
  ])('%s', async (_, responses, lines) => {
    await download(responses, sqsRecord(downloadMessage()));
    expectNoPersonalData(lines);
  });

  test('the last receive', async () => {
    await download(times(3, graphQl(garbage)), sqsRecord(downloadMessage(), { receiveCount: 5 }));
    expectNoPersonalData(3);
  });

  test.each([
    ['an order', [order]],
    ['garbage', times(3, { body: garbage })],
  ])('a bucket that is down, for %s', async (_, responses) => {
    await download(responses, sqsRecord(downloadMessage()), { keep: false });
    expectNoPersonalData(responses.length);
  });

  test.each([garbage, JSON.stringify(echo), JSON.stringify({ ...downloadMessage(), order_id: name })])(
    'a message that cannot be read',
    async (body) => {
      await download([], sqsRecord(body));
      expectNoPersonalData(1);
    },
  );
});

describe('processing writes no personal data for', () => {
  const post = async (
    responses: readonly ScriptedResponse[],
    {
      payload = qualiaResponse(personalOrder()),
      receiveCount = 1,
      recordProcessing = applied,
      sum = checksum(payload),
    } = {},
  ) => {
    const api = await startScriptedInternalApi({ credential: secretOf({ token }) });
    api.server.respond(...responses);
    const handler = createProcessing({
      ...common(),
      payloads: { load: async () => Buffer.from(payload) },
      internalApi: api.client,
      repository: fakeRepository({
        read: async () => orders.downloaded(),
        recordProcessing,
        recordFailure: applied,
      }),
    });
    await handler(sqsEvent(sqsRecord(processingMessage({ checksum: sum }), { receiveCount })), lambdaContext());
    for (const { body, headers } of api.server.calls) {
      for (const value of [name, email, phone, street]) expect(body).toContain(value);
      expect(headers.authorization).toBe(`Bearer ${token}`);
    }
    expect(api.server.calls).toHaveLength(responses.length);
    await api.stop();
  };

  test.each<[string, readonly ScriptedResponse[], number]>([
    ['a POST, with warnings', [{ status: 201, body: echo }], 1],
    ['a POST with a known key', [{ status: 409, body: echo }], 1],
    ['a POST after failed attempts', [{ status: 503, body: echo }, { hangUp: true }, { status: 200 }], 3],
    ['a refusal that echoes the order', [{ status: 422, body: { ...echo, token } }], 1],
    ['a refused token', [{ status: 401, body: token }], 1],
    ['faults', times(3, { status: 500, body: echo }), 3],
  ])('%s', async (_, responses, lines) => {
    await post(responses);
    expectNoPersonalData(lines);
  });

  test('the last receive', async () => {
    await post(times(3, { status: 500, body: echo }), { receiveCount: 5 });
    expectNoPersonalData(3);
  });

  test('a table that is down', async () => {
    await post([{ status: 201 }], { recordProcessing: down });
    expectNoPersonalData(1);
  });

  test.each([
    ['text that is not JSON', garbage, 1],
    ['an order without its number', qualiaResponse(personalOrder({ order_number: null })), 1],
    [
      'an unknown state next to personal data',
      qualiaResponse(personalOrder({ properties: [{ address_1: street, state: 'XX' }] })),
      2,
    ],
    ['a name as the state', qualiaResponse(personalOrder({ properties: [{ address_1: street, state: name }] })), 2],
  ])('a payload with %s', async (_, payload, lines) => {
    await post([], { payload });
    expectNoPersonalData(lines);
  });

  test.each([1, 2])('a payload that differs from its checksum, at receive %i', async (receiveCount) => {
    await post([], { sum: checksum('other'), receiveCount });
    expectNoPersonalData(1);
  });
});

test('expectNoPersonalData fails on personal data in a nested error', () => {
  createLogger(config).info('a line', { error_details: new Error('outer', { cause: new Error(`for ${email}`) }) });
  expect(() => expectNoPersonalData(1)).toThrow(email);
});
