import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { OutOfTimeError } from '../../../../shared/http/api-client';
import { isLoginRefusal } from '../../../../shared/netlife/api';
import { login, loginSecret, subject } from '../../../support/netlife';
import { basicAuthorization } from '../../../support/webhook-calls';
import { scriptedPortal } from './scripted-portal';

const { respond, calls, waits, connect, newClient } = scriptedPortal();

describe('faults', () => {
  const ok = { body: [] };

  test.each([408, 425, 429, 500, 502, 503, 504])(
    '%s: three attempts, with waits of at most 1.5 s and 2.25 s',
    async (status) => {
      respond({ status }, { status }, ok);
      const failed: number[] = [];
      const client = newClient({ onRetry: ({ attempt }) => failed.push(attempt) });
      expect(await client.get('/x')).toEqual([]);
      expect(waits()).toEqual([1_500, 2_250]);
      expect(failed).toEqual([1, 2]);
      expect(client.getStatsSummary()).toMatchObject({ api_calls_total: 3, api_calls_failed: 0, retries: 2 });
    },
  );

  test('the waits have full jitter', async () => {
    respond({ status: 500 }, { status: 500 }, ok);
    await newClient({ random: () => 0.5 }).get('/x');
    expect(waits()).toEqual([750, 1_125]);
  });

  test('throws the error of the last attempt', async () => {
    respond({ status: 500 }, { status: 500 }, { status: 503 });
    const client = newClient();
    await expect(client.get('/x')).rejects.toMatchObject({ code: 'API_UNAVAILABLE', statusCode: 503 });
    expect(client.getStatsSummary()).toMatchObject({ api_calls_total: 3, api_calls_failed: 1, retries: 2 });
  });

  test.each([
    ['2', 2_000],
    ['30', 30_000],
    ['600', 30_000],
  ])('after a Retry-After of %s s, the wait is %s ms', async (retryAfter, waitMs) => {
    respond({ status: 429, headers: { 'retry-after': retryAfter } }, ok);
    await newClient().get('/x');
    expect(waits()).toEqual([waitMs]);
  });

  test.each([400, 404, 422, 302])('%s is permanent', async (status) => {
    respond({ status });
    await expect(newClient().get('/x')).rejects.toMatchObject({ code: 'API_REFUSED', retryable: false });
  });

  test('a broken connection and a response that is not JSON are retried', async () => {
    respond({ hangUp: true }, { body: '<html>' }, ok);
    expect(await newClient().get('/x')).toEqual([]);
  });

  test.each<[string, (text: string) => Buffer]>([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
  ])('a response in %s is decoded', async (coding, encode) => {
    respond({ body: encode('[1]'), headers: { 'content-encoding': coding } });
    expect(await newClient().get('/x')).toEqual([1]);
  });

  test('a response in an unknown encoding is retried, then reported', async () => {
    const unknown = { body: 'x', headers: { 'content-encoding': 'zstd' } };
    respond(unknown, ok, unknown, unknown, unknown);
    expect(await newClient().get('/x')).toEqual([]);
    await expect(newClient().get('/x')).rejects.toMatchObject({
      code: 'BAD_ANSWER',
      retryable: true,
      message: expect.stringContaining('cannot decode (zstd)'),
    });
  });

  test('the connection test ignores the body', async () => {
    respond(
      { body: 'x', headers: { 'content-encoding': 'zstd' } },
      { body: 'x', cut: true },
      { silent: 'after the head' },
    );
    const client = newClient();
    for (let n = 0; n < 3; n++) await client.testConnection();
    expect(calls()).toHaveLength(3);
  });

  test('a missing response is a timeout', async () => {
    respond({ silent: 'at once' }, { silent: 'after the head' }, { silent: 'at once' });
    await expect(newClient({ timeoutMs: 200 }).get('/x')).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  test('the last attempt for details, subjects and users has a timeout of 120 s', async () => {
    const timeouts = jest.spyOn(AbortSignal, 'timeout');
    const client = newClient();
    const timeoutsOf = async (call: () => Promise<unknown>) => {
      timeouts.mockClear();
      respond({ status: 500 }, { status: 500 }, { body: { data: [] } });
      await call();
      return timeouts.mock.calls.map(([ms]) => ms);
    };
    try {
      const slow = [30_000, 30_000, 120_000];
      expect(await timeoutsOf(() => client.getJobDetails('j1'))).toEqual(slow);
      expect(await timeoutsOf(() => client.getJobSubjects('j1', true))).toEqual(slow);
      expect(await timeoutsOf(() => client.getJobRegisteredUsersMap('j1'))).toEqual(slow);
      expect(await timeoutsOf(() => client.getActivitiesInWebshop())).toEqual([30_000, 30_000, 30_000]);
      expect(await timeoutsOf(() => client.getOrCreateAccessKey('j1', subject(), { create: false }))).toEqual([
        30_000, 30_000, 30_000,
      ]);
    } finally {
      timeouts.mockRestore();
    }
  });

  test('no attempt starts after the signal was aborted', async () => {
    const ended = new AbortController();
    respond({ status: 500, before: () => ended.abort() });
    await expect(newClient({ signal: ended.signal }).get('/x')).rejects.toBeInstanceOf(OutOfTimeError);
    expect(waits()).toEqual([]);
  });

  test('no attempt starts after the deadline', async () => {
    respond({ status: 500 });
    await expect(newClient({ deadlineMs: 1_002_000 }).get('/x')).rejects.toMatchObject({ code: 'API_UNAVAILABLE' });
    expect(waits()).toEqual([]);
  });
});

describe('a refused login', () => {
  test.each([401, 403])('%s ends all calls to the portal', async (status) => {
    respond({ status });
    const client = newClient();
    const refusal = await client.testConnection().catch((error: unknown) => error);
    expect(isLoginRefusal(refusal)).toBe(true);
    expect(refusal).toMatchObject({ statusCode: status, message: expect.stringContaining('nowandforeverphoto') });
    await expect(client.getJobDetails('j1')).rejects.toBe(refusal);
    expect(calls()).toHaveLength(1);
    expect(client.getStatsSummary()).toMatchObject({ api_calls_total: 1, api_calls_failed: 1, retries: 0 });
  });

  test('calls that wait for a slot fail too', async () => {
    respond({ status: 401 });
    const client = connect({ rateLimitPerSecond: 5 });
    const outcomes = await Promise.allSettled(['/1', '/2', '/3', '/4'].map((path) => client.get(path)));
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(calls()).toHaveLength(1);
  });

  test('the call is repeated with a rotated login first', async () => {
    const secret = { ...loginSecret(), refresh: async () => ({ ...login, password: 'new' }) };
    respond({ status: 401 }, { body: [] });
    expect(await newClient({ login: secret }).get('/x')).toEqual([]);
    expect(calls()[1]?.headers.authorization).toBe(basicAuthorization(login.username, 'new'));
  });
});
