import { PipelineError } from '../../../../shared/errors';
import { type CapturedLogs, captureLogs, ownFields } from '../../../support/logs';
import { activity, notification } from '../../../support/webhook-calls';
import { authenticated, callWebhook, onlyLine, queued, started } from '../../../support/webhook-handler';

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());

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
    const startRound = jest.fn(async () => started(outcome, 'DOWNLOADED'));
    const response = await callWebhook({ body: notification() }, { authenticate: authenticated, startRound });
    expect(response).toMatchObject({ status: 200, body: acceptedBody(outcome), added: metrics });
    expect(Object.keys(response.body as object)).toEqual(Object.keys(acceptedBody(outcome)));
    expect(startRound.mock.calls).toEqual([
      [
        {
          orderId: 'QO-123456',
          notificationType: 'order.created',
          occurredAt: { ms: Date.parse('2026-01-01T00:00:00Z'), subMsDigits: '', precisionMs: 1_000 },
          requestId: 'request-1',
        },
      ],
    ]);
    expect(onlyLine(logs)).toEqual({
      level: 'INFO',
      message: 'webhook accepted',
      request_id: 'request-1',
      order_id: 'QO-123456',
      status: 'DOWNLOADED',
      notification_type: 'order.created',
      outcome,
      response_time_ms: 12.3,
    });
  });

  test('an event ahead of our clock, with a warning', async () => {
    const startRound = async () => ({ ...started('queued'), aheadMs: 3_600_400 });
    expect((await callWebhook({ body: notification() }, { authenticate: authenticated, startRound })).status).toBe(200);
    expect(logs.lines().map(ownFields)).toEqual([
      expect.objectContaining({ level: 'WARN', message: 'event is ahead of our clock', ahead_seconds: 3_600 }),
      expect.objectContaining({ level: 'INFO', message: 'webhook accepted' }),
    ]);
  });

  test('an activity, which has no timestamp', async () => {
    const startRound = jest.fn(queued);
    const response = await callWebhook(
      { body: activity({ type: 'message', message_id: 'm1' }) },
      { authenticate: authenticated, startRound },
    );
    expect(response.body).toEqual(acceptedBody('queued', 'bK8bg5tajNkDpDk25'));
    expect(startRound.mock.calls).toEqual([
      [{ orderId: 'bK8bg5tajNkDpDk25', notificationType: 'message', occurredAt: undefined, requestId: 'request-1' }],
    ]);
    expect(onlyLine(logs)).toMatchObject({ notification_type: 'message', order_id: 'bK8bg5tajNkDpDk25' });
  });

  test.each([false, true])('the sender is authenticated by the raw bytes (base64: %p)', async (base64) => {
    const raw = Buffer.from(`  ${JSON.stringify(notification({ note: 'ünïcode' }))}\n`);
    const authenticate = jest.fn(authenticated);
    const headers = { authorization: 'Basic x', 'webhook-id': 'y' };
    const response = await callWebhook({ body: raw, base64, headers }, { authenticate, startRound: queued });
    expect(response.status).toBe(200);
    expect(authenticate.mock.calls).toEqual([[expect.objectContaining(headers), raw]]);
  });

  test.each([
    ['application/json'],
    ['application/json; charset=utf-8'],
    ['Application/JSON'],
    ['application/json;charset=utf-8'],
    ['application/vnd.qualia+json'],
    ['application/json,application/json'],
    ['application/json, Application/JSON; charset=utf-8'],
    ['application/json; profile="a,b"'],
    ['application/json; profile="a,b", application/json'],
    [undefined],
  ])('the content type %s', async (type) => {
    const doubles = { authenticate: authenticated, startRound: queued };
    expect((await callWebhook({ body: notification(), headers: { 'content-type': type } }, doubles)).status).toBe(200);
  });
});

test.each(['identity', 'Identity', '', 'identity, identity'])(
  'the content encoding %j means that the body is not encoded',
  async (coding) => {
    const headers = { 'content-encoding': coding };
    const response = await callWebhook(
      { body: notification(), headers },
      { authenticate: authenticated, startRound: queued },
    );
    expect(response.status).toBe(200);
  },
);

test('HEAD gets the same response as GET, without a body', async () => {
  const [head, get] = [
    await callWebhook({ method: 'HEAD', path: '/health' }),
    await callWebhook({ method: 'GET', path: '/health' }),
  ];
  expect(head).toEqual({ ...get, body: '' });
  expect(logs.lines()).toEqual([]);
});

test('health responds without calling other services', async () => {
  const response = await callWebhook({ method: 'GET', path: '/health' });
  expect(response).toMatchObject({
    status: 200,
    body: { status: 'ok', service: 'marketplace-event-pipeline', version: '1.2.3', commit: 'abc', stage: 'dev' },
    added: [],
  });
  expect(logs.lines()).toEqual([]);
});

describe('our own fault', () => {
  const faults: [string, unknown, string, string][] = [
    [
      'AWS',
      new PipelineError('AWS_FAULT', 'AWS answered Throttled', { retryable: true }),
      'AWS_FAULT',
      'AWS answered Throttled',
    ],
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

  test.each(faults)(
    '%s, during authentication or later: the response reveals nothing, and the log has the stack',
    async (_, thrown, code, error) => {
      // After authentication, the body is parsed and the line contains the order id.
      for (const [doubles, order] of [
        [{ authenticate: throwing(thrown) }, {}],
        [{ authenticate: authenticated, startRound: throwing(thrown) }, { order_id: 'QO-123456' }],
      ] as const) {
        logs.clear();
        const response = await callWebhook({ body: notification() }, doubles);
        expect(response).toMatchObject({ status: 500, added: [] });
        expect(response.body).toEqual({ error: 'internal_error', request_id: 'request-1' });
        expect(response.headers).toEqual({ 'content-type': 'application/json', 'x-request-id': 'request-1' });
        expect(onlyLine(logs)).toEqual({
          level: 'ERROR',
          message: 'webhook failed',
          request_id: 'request-1',
          ...order,
          error,
          error_code: code,
          error_details: expect.objectContaining({ stack: expect.stringContaining('handler.test.ts') }),
        });
      }
    },
  );

  test('no round is started while the secret cannot be read', async () => {
    const startRound = jest.fn(queued);
    const authenticate = throwing(new PipelineError('SECRET_UNREADABLE', 'No', { retryable: true }));
    expect((await callWebhook({ body: notification() }, { authenticate, startRound })).status).toBe(500);
    expect(startRound).not.toHaveBeenCalled();
  });
});
