import { activity, basicAuthorization, call, notification, post, postSigned } from './support/pipeline';

const path = '/webhooks/qualia';

test('health needs no authentication', async () => {
  const response = await call('/health');
  expect(response).toMatchObject({ status: 200, body: { status: 'ok', stage: expect.any(String) } });
  expect(response.headers.get('x-request-id')).toMatch(/./);
});

test.each([
  ['invalid JSON', '{"order_id":', 400, 'invalid_json'],
  ['a wrong field', { ...notification('QO-1'), timestamp: '2026-02-30T00:00:00Z' }, 422, 'validation_failed'],
  ['an unknown activity', { ...activity('abc'), type: 'exploded' }, 422, 'validation_failed'],
  ['a body over 256 KiB', { ...activity('abc'), description: 'x'.repeat(256 * 1024) }, 413, 'payload_too_large'],
])('%s is refused', async (_, body, status, error) => {
  const response = await post(body);
  expect(response).toMatchObject({ status, body: { error, request_id: response.headers.get('x-request-id') } });
});

test('one response lists all faults', async () => {
  const response = await post({ order_id: '12', notification_type: 'order.eaten', timestamp: 'noon' });
  const details = response.body.details as { readonly path: string }[];
  expect(new Set(details.map((detail) => detail.path))).toEqual(
    new Set(['order_id', 'notification_type', 'timestamp']),
  );
});

test('HEAD health returns no body', async () => {
  expect(await call('/health', { method: 'HEAD' })).toMatchObject({ status: 200, body: {} });
});

test('a body with a content encoding is refused, with and without authentication', async () => {
  expect((await post(activity('abc'), { 'content-encoding': 'gzip' })).status).toBe(415);
  expect((await post(activity('abc'), { 'content-encoding': 'gzip', authorization: '' })).status).toBe(415);
});

test('a content type other than JSON is refused', async () => {
  expect((await post(activity('abc'), { 'content-type': 'text/plain' })).status).toBe(415);
});

test.each([
  ['no header', undefined],
  ['a wrong password', `Basic ${Buffer.from('qualia:wrong').toString('base64')}`],
  ['an empty Basic header', 'Basic'],
])('authentication with %s is refused without a reason', async (_, authorization) => {
  const response = await call(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
    body: JSON.stringify(activity('abc')),
  });
  expect(response.status).toBe(401);
  expect(response.headers.get('www-authenticate')).toBe('Basic realm="qualia"');
  expect(Object.keys(response.body).sort()).toEqual(['error', 'request_id']);
});

test('a signature older than five minutes is refused', async () => {
  expect((await postSigned(activity('abc'), new Date(Date.now() - 6 * 60_000))).status).toBe(401);
});

test('an unsupported method and an unknown path are refused', async () => {
  const authorization = await basicAuthorization();
  const put = await call(path, { method: 'PUT', headers: { authorization } });
  expect(put.status).toBe(405);
  expect(put.headers.get('allow')).toBe('POST');
  expect((await call('/webhooks/elsewhere', { method: 'POST' })).status).toBe(404);
});
