import { gzipSync } from 'node:zlib';
import type { KeepRefused } from '../../../../lambdas/webhook/keep-refused';
import { type CapturedLogs, captureLogs } from '../../../support/logs';
import { type Call, notification } from '../../../support/webhook-calls';
import {
  authenticated,
  callWebhook,
  kept,
  onlyLine,
  queued,
  type WebhookDoubles,
} from '../../../support/webhook-handler';

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());

describe('refuses', () => {
  const refusals: [string, Call, WebhookDoubles, number, Record<string, unknown>, Record<string, string>][] = [
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
      { allow: 'GET, HEAD' },
    ],
    [
      'a body that is too large',
      { body: 'x'.repeat(256 * 1024 + 1) },
      {},
      413,
      { error: 'payload_too_large', message: 'The body is larger than 256 KiB' },
      {},
    ],
    [
      'an unknown sender',
      { body: notification() },
      { authenticate: async () => false },
      401,
      { error: 'unauthorized' },
      { 'www-authenticate': 'Basic realm="qualia"' },
    ],
    [
      'another content type',
      { body: notification(), headers: { 'content-type': 'text/plain' } },
      { authenticate: authenticated },
      415,
      { error: 'unsupported_media_type', message: 'The content type must be application/json' },
      {},
    ],
    [
      'a compressed body, from any caller',
      { body: gzipSync(JSON.stringify(notification())), base64: true, headers: { 'content-encoding': 'gzip' } },
      {},
      415,
      { error: 'unsupported_media_type', message: 'The body must not have a content encoding' },
      {},
    ],
    [
      'a body that is not JSON',
      { body: '{"order_id":' },
      { authenticate: authenticated },
      400,
      { error: 'invalid_json', message: 'The body is not JSON' },
      {},
    ],
  ];

  test.each(refusals)('%s', async (_, call, doubles, status, body, headers) => {
    const response = await callWebhook(call, doubles);
    expect(response.status).toBe(status);
    expect(response.body).toEqual({ ...body, request_id: 'request-1' });
    expect(response.headers).toEqual({ 'content-type': 'application/json', 'x-request-id': 'request-1', ...headers });
    const isWebhook = (call.path ?? '/webhooks/qualia') === '/webhooks/qualia' && (call.method ?? 'POST') === 'POST';
    expect(response.added).toEqual(isWebhook ? ['WebhookRefused'] : []);
    expect(onlyLine(logs)).toEqual({
      level: 'WARN',
      message: 'webhook refused',
      request_id: 'request-1',
      reason: body.error,
      source_ip: '203.0.113.7',
    });
  });

  test('invalid fields, and reports all of them', async () => {
    const details = [
      { path: 'order_id', message: 'must start with "QO-"' },
      { path: 'notification_type', message: 'must be one of "order.created", "order.updated"' },
      { path: 'timestamp', message: 'must be an ISO 8601 time with an offset or "Z"' },
    ];
    const refusedBodies: unknown[] = [];
    const body = { order_id: 'XX-1', notification_type: 'order.gone' };
    const keepRefused: KeepRefused = async (refused) => {
      refusedBodies.push(refused);
      return 'refused-1';
    };
    const response = await callWebhook({ body }, { authenticate: authenticated, keepRefused });
    expect(refusedBodies).toEqual([{ request_id: 'request-1', details, body: JSON.stringify(body) }]);
    expect(response.status).toBe(422);
    expect(response.body).toEqual({ error: 'validation_failed', request_id: 'request-1', details });
    expect(response.added).toEqual(['WebhookRefused']);
    expect(onlyLine(logs)).toEqual({
      level: 'WARN',
      message: 'webhook refused',
      request_id: 'request-1',
      reason: 'validation_failed',
      source_ip: '203.0.113.7',
      details,
      refused_id: 'refused-1',
    });
  });

  test('invalid fields in the same way if the body is not kept, and counts it', async () => {
    const call = { body: { order_id: 'XX-1' } };
    const response = await callWebhook(call, { authenticate: authenticated, keepRefused: async () => undefined });
    const expected = await callWebhook(call, { authenticate: authenticated, keepRefused: kept });
    expect(response).toEqual({ ...expected, added: ['WebhookRefused', 'WebhookRefusedNotKept'] });
  });

  test.each(['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'])('%s on the webhook', async (method) => {
    expect(await callWebhook({ method })).toMatchObject({ status: 405, headers: { allow: 'POST' } });
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s on health', async (method) => {
    expect(await callWebhook({ method, path: '/health' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    });
  });

  test.each(['/', '/webhooks', '/webhooks/qualia/', '/webhooks/qualia/x', '/health/', '/Health', '//health'])(
    'the path %s',
    async (path) => {
      expect((await callWebhook({ path, body: notification() })).status).toBe(404);
    },
  );

  test.each([
    'text/plain',
    'text/json',
    'application/xml',
    'multipart/form-data',
    'application/jsonp',
    'json',
    '',
    ',',
  ])('the content type %p', async (type) => {
    const response = await callWebhook(
      { body: notification(), headers: { 'content-type': type } },
      { authenticate: authenticated },
    );
    expect(response.status).toBe(415);
  });

  test.each([
    'application/json,text/plain',
    'text/plain, application/json',
    'application/json,',
    'application/json; a="b,text/plain',
  ])('the content types %p', async (type) => {
    const response = await callWebhook(
      { body: notification(), headers: { 'content-type': type } },
      { authenticate: authenticated },
    );
    expect(response.status).toBe(415);
  });

  test.each(['gzip', 'GZIP', 'br', 'deflate', 'zstd', 'identity, gzip', 'gzip,gzip', 'x'])(
    'the content encoding %p, from any caller',
    async (coding) => {
      const body = gzipSync(JSON.stringify(notification()));
      const headers = { 'content-encoding': coding };
      for (const authenticate of [authenticated, async () => false]) {
        expect((await callWebhook({ body, base64: true, headers }, { authenticate })).status).toBe(415);
      }
    },
  );

  test.each<[string, Call]>([
    ['no body', {}],
    ['an empty body in base64', { base64: true }],
    ['an HTML page', { body: '<html>' }],
    ['bytes that are not UTF-8', { body: Buffer.from([0x22, 0xff, 0x22]), base64: true }],
    ['base64 that the gateway did not decode', { body: Buffer.from('{}').toString('base64') }],
  ])('a body that is not JSON: %s', async (_, call) => {
    expect((await callWebhook(call, { authenticate: authenticated })).status).toBe(400);
  });

  test('an untrusted caller with the same response for every body', async () => {
    const authenticate = async () => false;
    const plain = await callWebhook({ body: notification() }, { authenticate });
    expect(await callWebhook({ body: '{' }, { authenticate })).toEqual(plain);
    expect(
      await callWebhook({ body: { order_id: 1 }, headers: { 'content-type': 'text/plain' } }, { authenticate }),
    ).toEqual(plain);
  });
});

describe('the limit of 256 KiB', () => {
  const ofSize = (bytes: number): Buffer => {
    const empty = Buffer.byteLength(JSON.stringify(notification({ padding: '' })));
    return Buffer.from(JSON.stringify(notification({ padding: 'x'.repeat(bytes - empty) })));
  };

  test.each([
    ['accepts 262,144 bytes', 262_144, false, 200],
    ['accepts 262,144 bytes in base64, which is longer', 262_144, true, 200],
    ['refuses one byte more', 262_145, false, 413],
    ['refuses one byte more in base64', 262_145, true, 413],
  ])('%s', async (_, bytes, base64, status) => {
    const doubles = status === 200 ? { authenticate: authenticated, startRound: queued } : {};
    expect((await callWebhook({ body: ofSize(bytes), base64 }, doubles)).status).toBe(status);
  });

  test('counts bytes, not characters', async () => {
    expect((await callWebhook({ body: 'ü'.repeat(131_073) })).status).toBe(413);
  });
});
