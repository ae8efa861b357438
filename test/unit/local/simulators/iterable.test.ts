import { createHmac } from 'node:crypto';
import {
  type IterableSimulator,
  type IterableSimulatorOptions,
  startIterableSimulator,
} from '../../../../local/simulators/iterable';
import { createSlidingSecond } from '../../../../local/simulators/sliding-second';
import { signJwt } from '../../../../shared/iterable/jwt';

const keys = { api_key: 'key', jwt_secret: 'secret' };
let iterable: IterableSimulator;

const start = async (options: Partial<IterableSimulatorOptions> = {}) => {
  await iterable?.stop();
  iterable = await startIterableSimulator({ credentials: keys, ...options });
};
beforeEach(() => start());
afterEach(() => iterable.stop());

const sendRequest = async (url: string, method: string, body?: unknown, headers: Record<string, string> = {}) => {
  const response = await fetch(url, {
    method,
    headers,
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text.startsWith('{') ? JSON.parse(text) : text };
};
const post = (call: string, body: unknown, headers?: Record<string, string>) =>
  sendRequest(`${iterable.url}/api/${call}`, 'POST', body, { 'api-key': 'key', ...headers });
const control = async (path: string, method = 'GET', body?: unknown) =>
  (await sendRequest(iterable.controlUrl + path, method, body)).body;
const codeOf = async (response: ReturnType<typeof post>) => {
  const { status, body } = await response;
  return [status, body.code];
};

const profile = (email: string) => ({ email, dataFields: { plan_type: 'pro' } });
const event = (email: string, id: string) => ({ eventName: 'page_view', email, id, createdAt: 1, dataFields: {} });

test('keeps users and events, and how often they arrived', async () => {
  expect(await codeOf(post('users/update', profile('Maria@example.com')))).toEqual([200, 'Success']);
  await post('users/bulkUpdate', { users: [{ email: 'maria@example.com', dataFields: { candidate: 'x' } }] });
  expect(await codeOf(post('events/track', event('maria@example.com', 'a')))).toEqual([200, 'Success']);
  const { body } = await post('events/trackBulk', {
    events: [event('maria@example.com', 'a'), event('nobody@example.com', 'b')],
  });
  expect(body).toEqual({ successCount: 1, failCount: 1, failedUpdates: { notFoundEmails: ['nobody@example.com'] } });
  expect(await codeOf(post('events/track', event('nobody@example.com', 'b')))).toEqual([400, 'UnknownEmailError']);

  expect(await control('/users/maria%40example.com')).toEqual({
    email: 'Maria@example.com',
    data_fields: { plan_type: 'pro', candidate: 'x' },
    updates: 2,
    events: [{ id: 'a', name: 'page_view', created_at: 1, data_fields: {}, tracks: 2 }],
  });
  expect(await control('/users')).toEqual({ 'Maria@example.com': { updates: 2, tracks: [2] } });
  expect(await control('/users/nobody')).toEqual({ error: 'not_found' });
  expect(await control('/arrivals')).toMatchObject({
    calls: { 'users/update': { calls: 1, items: 1 }, 'events/trackBulk': { calls: 1, items: 2 } },
    user_updates: 2,
    event_tracks: 2,
    users: 1,
    events: 1,
    most_updates_of_a_user: 2,
    most_tracks_of_an_event: 2,
  });
  await control('/arrivals', 'DELETE');
  expect(await control('/arrivals')).toMatchObject({ users: 0, user_updates: 0 });
});

test('only counts with keep: counts', async () => {
  await start({ keep: 'counts' });
  await post('events/trackBulk', { events: [event('nobody@example.com', 'a')] });
  expect(await control('/arrivals')).toEqual({ calls: expect.anything(), user_updates: 0, event_tracks: 1 });
});

test.each([
  ['users/update', { email: 1 }, 400, 'BadParams'],
  ['users/update', { ...profile('a@example.com'), mail: '' }, 400, 'BadParams'],
  ['users/update', '{', 400, 'BadJsonBody'],
  ['users/update', { dataFields: {} }, 400, 'InvalidEmailAddressError'],
  ['users/bulkUpdate', {}, 400, 'BadParams'],
  ['users/bulkUpdate', { users: [{ email: 'a@example.com', datafields: {} }] }, 400, 'BadParams'],
  ['events/track', { email: 'a@example.com' }, 400, 'BadParams'],
  ['events/track', { ...event('a@example.com', 'a'), createdAt: '1' }, 400, 'BadParams'],
  ['events/trackBulk', { events: [{}] }, 400, 'BadParams'],
  ['users/bulkUpdate', { users: Array.from({ length: 1_001 }, () => profile('a@example.com')) }, 400, 'BatchTooLarge'],
  [
    'users/bulkUpdate',
    { users: [{ ...profile('a@example.com'), dataFields: { x: 'x'.repeat(4e6) } }] },
    413,
    'BatchTooLarge',
  ],
  ['users/delete', {}, 404, 'NotFound'],
])('%s refuses invalid input (%#)', async (call, body, status, code) => {
  expect(await codeOf(post(call, body))).toEqual([status, code]);
});

afterEach(() => jest.restoreAllMocks());

test('authenticates its callers', async () => {
  const call = (headers: Record<string, string>) => codeOf(post('users/update', profile('a@example.com'), headers));
  const nowMs = Date.now();
  jest.spyOn(Date, 'now').mockReturnValue(nowMs);
  const iat = Math.floor(nowMs / 1_000);
  const claims = { iss: 'iterable-integration', email: 'a@example.com', iat, exp: iat + 3_600 };
  const token = (changes: Partial<typeof claims>, secret = 'secret') => ({
    authorization: `Bearer ${signJwt({ ...claims, ...changes }, secret)}`,
  });
  expect(await call({ 'api-key': 'other' })).toEqual([401, 'BadApiKey']);
  expect(await call(token({}))).toEqual([200, 'Success']);
  expect(await call(token({}, 'other'))).toEqual([401, 'InvalidJwtPayload']);
  for (const wrong of [
    { iss: 'i' },
    { exp: iat + 60 },
    { iat: iat - 3_600, exp: iat },
    { iat: iat + 61, exp: iat + 3_661 },
  ]) {
    expect(await call(token(wrong))).toEqual([401, 'InvalidJwtPayload']);
  }
  const unsigned = [{ alg: 'none' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  const signature = createHmac('sha256', 'secret').update(unsigned.join('.')).digest('base64url');
  const otherAlgorithm = { authorization: `Bearer ${[...unsigned, signature].join('.')}` };
  expect(await call(otherAlgorithm)).toEqual([401, 'InvalidJwtPayload']);
  expect(await call({ authorization: 'Bearer nonsense' })).toEqual([401, 'InvalidJwtPayload']);
  expect(await call(token({ email: 'b@example.com' }))).toEqual([401, 'JwtUserIdentifiersMismatched']);
  expect(await codeOf(post('users/bulkUpdate', { users: [] }, token({})))).toEqual([401, 'Unauthorized']);
  await start({ requireJwt: true });
  expect(await call({})).toEqual([401, 'BadAuthorizationHeader']);
});

test('fails users by the tag of their e-mail address', async () => {
  const emails = ['a', 'b+invalid', 'c+forgotten', 'd+conflict', 'e+invaliddata', 'f+notfound'].map(
    (name) => `${name}@example.com`,
  );
  const { body } = await post('users/bulkUpdate', { users: emails.map(profile) });
  expect(body).toEqual({
    successCount: 2,
    failCount: 4,
    failedUpdates: {
      invalidEmails: ['b+invalid@example.com'],
      forgottenEmails: ['c+forgotten@example.com'],
      conflictEmails: ['d+conflict@example.com'],
      invalidDataEmails: ['e+invaliddata@example.com'],
    },
  });
  expect(await codeOf(post('events/track', event('f+notfound@example.com', 'f')))).toEqual([400, 'UnknownEmailError']);
  const mismatch = profile('g+mismatch@example.com');
  expect(await codeOf(post('users/bulkUpdate', { users: [profile('a@example.com'), mismatch] }))).toEqual([
    400,
    'RequestFieldsTypesMismatched',
  ]);
  expect(await codeOf(post('users/update', mismatch))).toEqual([400, 'RequestFieldsTypesMismatched']);
});

test('responds 429 beyond its limits', async () => {
  const burst = async () => {
    const responses = await Promise.all(Array.from({ length: 7 }, () => post('users/bulkUpdate', { users: [] })));
    return responses.map(({ status }) => status).filter((status) => status === 429).length;
  };
  expect(await burst()).toBe(2);
  expect((await control('/arrivals')).calls['users/bulkUpdate']).toMatchObject({
    calls: 7,
    rate_limited: 2,
    most_in_a_second: 7,
    first_at_ms: expect.any(Number),
  });
  await control('/limits', 'PUT', { 'users/bulkUpdate': 100 });
  expect(await burst()).toBe(0);
});

test('applies faults by call and by user', async () => {
  await control('/limits', 'PUT', { 'users/bulkUpdate': 100 });
  const faults = [
    ['bad_api_key', 401, 'BadApiKey'],
    ['forbidden', 403, 'Forbidden'],
    ['batch_too_large', 400, 'BatchTooLarge'],
    ['types_mismatched', 400, 'RequestFieldsTypesMismatched'],
    ['payload_too_large', 413, 'BatchTooLarge'],
    ['rate_limited', 429, 'RateLimitExceeded'],
    ['server_error', 503, 'GenericError'],
  ] as const;
  for (const [kind, status, code] of faults) {
    await control('/faults', 'PUT', [
      { kind, match: { call: 'users/update', email: 'a@example.com' }, retry_after: 3 },
    ]);
    const response = await post('users/update', profile('a@example.com'));
    expect([response.status, response.body.code, response.headers.get('retry-after')]).toEqual([status, code, '3']);
    expect(await codeOf(post('users/update', profile('b@example.com')))).toEqual([200, 'Success']);
    expect((await post('users/bulkUpdate', { users: [] })).status).not.toBe(status);
  }
});

test('does not keep long bodies', async () => {
  await post('users/bulkUpdate', {
    users: Array.from({ length: 1_000 }, (_, index) => profile(`user${index}@example.com`)),
  });
  const { requests } = await control('/requests');
  expect(requests[0].body).toHaveLength('(62901 characters)'.length);
  expect(requests[0].headers['api-key']).toBeUndefined();
});

describe('a sliding second', () => {
  test('never accepts more calls than the limit in any second', () => {
    const second = createSlidingSecond(() => 3);
    const timesMs = [0, 400, 800, 900, 999, 1_000, 1_399, 1_400, 1_401];
    expect(timesMs.map((atMs) => second.take(atMs))).toEqual([
      true,
      true,
      true,
      false,
      false,
      true,
      false,
      true,
      false,
    ]);
    expect(second.most()).toBe(7);
  });

  test('stores only the calls of the last second', () => {
    const second = createSlidingSecond(() => 1e9);
    for (let atMs = 0; atMs < 100_000; atMs += 1) second.take(atMs);
    expect(second.most()).toBe(1_000);
  });
});
