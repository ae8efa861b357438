import { createHandler } from '../../../../lambdas/webhook/handler';
import { PipelineError } from '../../../../shared/errors';
import { createLogger } from '../../../../shared/observability/logger';
import type { RoundRequest } from '../../../../shared/orders/start-round';
import { lambdaContext } from '../../../support/lambda-context';
import { type CapturedLogs, captureLogs } from '../../../support/logs';
import { recordMetrics } from '../../../support/metrics';
import { untold } from '../../../support/untold';
import { activity, type Call, notification, webhookEvent } from '../../../support/webhook-calls';

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());

interface Told {
  readonly signIn?: (headers: Readonly<Record<string, string | undefined>>, body: Buffer) => Promise<boolean>;
  readonly startRound?: (request: RoundRequest) => Promise<'queued' | 'duplicate' | 'stale'>;
}
const known = async () => true;
const queued = async () => 'queued' as const;

const call = async (what: Call = {}, { signIn = untold('signIn'), startRound = untold('startRound') }: Told = {}) => {
  const metrics = recordMetrics();
  let ticks = 0;
  const handler = createHandler({
    signIn,
    startRound,
    logger: createLogger({ STAGE: 'dev', SERVICE_VERSION: '1.2.3' }),
    metrics: metrics.recorder,
    health: { version: '1.2.3', commit: 'abc', stage: 'dev' },
    newRequestId: () => 'request-1',
    monotonicNow: () => 12.345 * ticks++,
  });
  const answer = await handler(webhookEvent(what), lambdaContext());
  const body: unknown = JSON.parse(answer.body ?? '');
  expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'x-request-id': 'request-1' });
  expect(metrics.flushes()).toBe(1);
  return { status: answer.statusCode, headers: answer.headers ?? {}, body, added: metrics.added };
};

/** The fields of the one line that was written, less those that every line has. */
const onlyLine = () => {
  const lines = logs.lines();
  expect(lines).toHaveLength(1);
  const { timestamp, service, stage, version, function_name, function_request_id, cold_start, xray_trace_id, ...own } =
    lines[0] ?? {};
  expect({ stage, version, function_name, function_request_id }).toEqual({
    stage: 'dev',
    version: '1.2.3',
    function_name: 'dev-marketplace-webhook',
    function_request_id: 'invocation-1',
  });
  return own;
};

const acceptedBody = (status: string, order_id = 'QO-123456') => ({
  message: 'Order received and queued for processing',
  order_id,
  request_id: 'request-1',
  status,
  response_time_ms: 12.3,
});

describe('accepted', () => {
  test.each([
    ['queued', ['WebhookAccepted']],
    ['duplicate', ['WebhookAccepted', 'WebhookDuplicate']],
    ['stale', ['WebhookAccepted']],
  ] as const)('%s', async (outcome, metrics) => {
    const startRound = jest.fn(async () => outcome);
    const answer = await call({ body: notification() }, { signIn: known, startRound });
    expect(answer).toMatchObject({ status: 200, body: acceptedBody(outcome), added: metrics });
    expect(Object.keys(answer.body as object)).toEqual(Object.keys(acceptedBody(outcome)));
    expect(startRound.mock.calls).toEqual([
      [
        {
          orderId: 'QO-123456',
          notificationType: 'order.created',
          occurredAtMs: Date.parse('2026-01-01T00:00:00Z'),
          requestId: 'request-1',
        },
      ],
    ]);
    expect(onlyLine()).toEqual({
      level: 'INFO',
      message: 'webhook accepted',
      request_id: 'request-1',
      order_id: 'QO-123456',
      status: 'NOTIFIED',
      notification_type: 'order.created',
      outcome,
      response_time_ms: 12.3,
    });
  });

  test('an activity, which has no time', async () => {
    const startRound = jest.fn(queued);
    const answer = await call({ body: activity({ type: 'message', message_id: 'm1' }) }, { signIn: known, startRound });
    expect(answer.body).toEqual(acceptedBody('queued', 'bK8bg5tajNkDpDk25'));
    expect(startRound.mock.calls).toEqual([
      [{ orderId: 'bK8bg5tajNkDpDk25', notificationType: 'message', occurredAtMs: undefined, requestId: 'request-1' }],
    ]);
    expect(onlyLine()).toMatchObject({ notification_type: 'message', order_id: 'bK8bg5tajNkDpDk25' });
  });

  test.each([false, true])('the sender is asked for by the raw bytes (base64: %p)', async (base64) => {
    const raw = Buffer.from(`  ${JSON.stringify(notification({ note: 'ünïcode' }))}\n`);
    const signIn = jest.fn(known);
    const headers = { authorization: 'Basic x', 'webhook-id': 'y' };
    const answer = await call({ body: raw, base64, headers }, { signIn, startRound: queued });
    expect(answer.status).toBe(200);
    expect(signIn.mock.calls).toEqual([[expect.objectContaining(headers), raw]]);
  });

  test.each([
    ['application/json'],
    ['application/json; charset=utf-8'],
    ['Application/JSON'],
    ['application/json;charset=utf-8'],
    ['application/vnd.qualia+json'],
    [undefined],
  ])('%s is JSON', async (type) => {
    const told = { signIn: known, startRound: queued };
    expect((await call({ body: notification(), headers: { 'content-type': type } }, told)).status).toBe(200);
  });
});

describe('refused', () => {
  const refusals: [string, Call, Told, number, Record<string, unknown>, Record<string, string>][] = [
    [
      'another path',
      { path: '/webhooks/other', body: notification() },
      {},
      404,
      { error: 'not_found', message: 'There is nothing at this path' },
      {},
    ],
    [
      'GET on the webhook',
      { method: 'GET' },
      {},
      405,
      { error: 'method_not_allowed', message: 'This path does not take that method' },
      { allow: 'POST' },
    ],
    [
      'POST on health',
      { path: '/health' },
      {},
      405,
      { error: 'method_not_allowed', message: 'This path does not take that method' },
      { allow: 'GET' },
    ],
    [
      'a body too large',
      { body: 'x'.repeat(256 * 1024 + 1) },
      {},
      413,
      { error: 'payload_too_large', message: 'The body is larger than 256 KiB' },
      {},
    ],
    [
      'an unknown sender',
      { body: notification() },
      { signIn: async () => false },
      401,
      { error: 'unauthorized' },
      { 'www-authenticate': 'Basic realm="qualia"' },
    ],
    [
      'another content type',
      { body: notification(), headers: { 'content-type': 'text/plain' } },
      { signIn: known },
      415,
      { error: 'unsupported_media_type', message: 'The content type must be application/json' },
      {},
    ],
    [
      'no JSON',
      { body: '{"order_id":' },
      { signIn: known },
      400,
      { error: 'invalid_json', message: 'The body is not JSON' },
      {},
    ],
  ];

  test.each(refusals)('%s', async (_, what, told, status, body, headers) => {
    const answer = await call(what, told);
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual({ ...body, request_id: 'request-1' });
    expect(answer.headers).toEqual({ 'content-type': 'application/json', 'x-request-id': 'request-1', ...headers });
    expect(answer.added).toEqual(['WebhookRefused']);
    expect(onlyLine()).toEqual({
      level: 'WARN',
      message: 'webhook refused',
      request_id: 'request-1',
      reason: body.error,
      source_ip: '203.0.113.7',
    });
  });

  test('wrong fields, all of them at once', async () => {
    const details = [
      { path: 'order_id', message: 'must start with "QO-"' },
      { path: 'notification_type', message: 'must be one of "order.created", "order.updated"' },
      { path: 'timestamp', message: 'must be an ISO 8601 time with an offset or "Z"' },
    ];
    const answer = await call({ body: { order_id: 'XX-1', notification_type: 'order.gone' } }, { signIn: known });
    expect(answer.status).toBe(422);
    expect(answer.body).toEqual({ error: 'validation_failed', request_id: 'request-1', details });
    expect(answer.added).toEqual(['WebhookRefused']);
    expect(onlyLine()).toEqual({
      level: 'WARN',
      message: 'webhook refused',
      request_id: 'request-1',
      reason: 'validation_failed',
      source_ip: '203.0.113.7',
      details,
    });
  });

  test.each(['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'])('%s on the webhook', async (method) => {
    expect(await call({ method })).toMatchObject({ status: 405, headers: { allow: 'POST' } });
  });

  test.each(['POST', 'PUT', 'DELETE', 'HEAD'])('%s on health', async (method) => {
    expect(await call({ method, path: '/health' })).toMatchObject({ status: 405, headers: { allow: 'GET' } });
  });

  test.each(['/', '/webhooks', '/webhooks/qualia/', '/webhooks/qualia/x', '/health/', '/Health', '//health'])(
    'the path %s',
    async (path) => {
      expect((await call({ path, body: notification() })).status).toBe(404);
    },
  );

  test.each(['text/plain', 'text/json', 'application/xml', 'multipart/form-data', 'application/jsonp', 'json'])(
    'the content type %p',
    async (type) => {
      const answer = await call({ body: notification(), headers: { 'content-type': type } }, { signIn: known });
      expect(answer.status).toBe(415);
    },
  );

  test.each<[string, Call]>([
    ['no body at all', {}],
    ['an empty one, in base64', { base64: true }],
    ['a page', { body: '<html>' }],
    ['bytes that are not UTF-8', { body: Buffer.from([0x22, 0xff, 0x22]), base64: true }],
    ['base64 that the gateway did not decode', { body: Buffer.from('{}').toString('base64') }],
  ])('as JSON, %s', async (_, what) => {
    expect((await call(what, { signIn: known })).status).toBe(400);
  });

  test('whoever is not known learns nothing about the body', async () => {
    const signIn = async () => false;
    const plain = await call({ body: notification() }, { signIn });
    expect(await call({ body: '{' }, { signIn })).toEqual(plain);
    expect(await call({ body: { order_id: 1 }, headers: { 'content-type': 'text/plain' } }, { signIn })).toEqual(plain);
  });
});

describe('256 KiB', () => {
  const ofSize = (bytes: number): Buffer => {
    const empty = Buffer.byteLength(JSON.stringify(notification({ padding: '' })));
    return Buffer.from(JSON.stringify(notification({ padding: 'x'.repeat(bytes - empty) })));
  };

  test.each([
    ['are taken', 262_144, false, 200],
    ['are taken in base64, which is longer', 262_144, true, 200],
    ['and a byte are not', 262_145, false, 413],
    ['and a byte are not, in base64', 262_145, true, 413],
  ])('%s', async (_, bytes, base64, status) => {
    const told = status === 200 ? { signIn: known, startRound: queued } : {};
    expect((await call({ body: ofSize(bytes), base64 }, told)).status).toBe(status);
  });

  test('are counted in bytes, not in characters', async () => {
    expect((await call({ body: 'ü'.repeat(131_073) })).status).toBe(413);
  });
});

test('health is answered without asking anyone', async () => {
  const answer = await call({ method: 'GET', path: '/health' });
  expect(answer).toMatchObject({
    status: 200,
    body: { status: 'ok', service: 'marketplace-event-pipeline', version: '1.2.3', commit: 'abc', stage: 'dev' },
    added: [],
  });
  expect(logs.lines()).toEqual([]);
});

describe('our own fault', () => {
  const faults: [string, unknown, string, string][] = [
    ['AWS', new PipelineError('AWS_FAULT', 'AWS answered Throttled', { retryable: true }), 'AWS_FAULT', 'AWS answered Throttled'],
    ['a bug', new TypeError('x of undefined'), 'INTERNAL_FAULT', 'Unexpected fault in our own code'],
    [
      'the secret',
      new PipelineError('SECRET_UNREADABLE', 'The secret cannot be fetched', { retryable: true }),
      'SECRET_UNREADABLE',
      'The secret cannot be fetched',
    ],
  ];
  const throwing = (thrown: unknown) => async (): Promise<never> => {
    throw thrown;
  };

  test.each(faults)('%s, at sign-in or later: the caller learns nothing, the log has the stack', async (_, thrown, code, error) => {
    for (const told of [{ signIn: throwing(thrown) }, { signIn: known, startRound: throwing(thrown) }]) {
      logs.clear();
      const answer = await call({ body: notification() }, told);
      expect(answer).toMatchObject({ status: 500, added: [] });
      expect(answer.body).toEqual({ error: 'internal_error', request_id: 'request-1' });
      expect(answer.headers).toEqual({ 'content-type': 'application/json', 'x-request-id': 'request-1' });
      expect(onlyLine()).toEqual({
        level: 'ERROR',
        message: 'webhook failed',
        request_id: 'request-1',
        error,
        error_code: code,
        error_details: expect.objectContaining({ stack: expect.stringContaining('handler.test.ts') }),
      });
    }
  });

  test('nobody gets in while the secret cannot be read: no round is started', async () => {
    const startRound = jest.fn(queued);
    const signIn = throwing(new PipelineError('SECRET_UNREADABLE', 'No', { retryable: true }));
    expect((await call({ body: notification() }, { signIn, startRound })).status).toBe(500);
    expect(startRound).not.toHaveBeenCalled();
  });
});
