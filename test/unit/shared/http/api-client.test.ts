import { gzipSync } from 'node:zlib';
import { PipelineError } from '../../../../shared/errors';
import {
  type ApiClientOptions,
  type ApiResponse,
  createApiClient,
  expectSuccess,
  OutOfTimeError,
} from '../../../../shared/http/api-client';
import { createCircuitBreaker } from '../../../../shared/http/circuit-breaker';
import type { CallRecord } from '../../../../shared/http/exchange';
import { callContext } from '../../../support/call-context';
import { freezeClock } from '../../../support/clock';
import { type ScriptedResponse, type ScriptedServer, startScriptedServer } from '../../../support/scripted-server';

const nowMs = Date.parse('2026-01-01T00:00:00Z');
const responseWith = (statusCode: number, retryAfter?: string): ApiResponse => ({
  statusCode,
  headers: { 'retry-after': retryAfter },
  body: Buffer.alloc(0),
  attempt: 1,
  responseTimeMs: 0,
});
const check = (...args: Parameters<typeof responseWith>) => expectSuccess(responseWith(...args), 'iterable', nowMs);

describe('expectSuccess', () => {
  test.each([200, 201, 202, 204, 206, 299])('%i is a success', (statusCode) => {
    expect(() => check(statusCode)).not.toThrow();
  });

  test.each([
    [408, 'API_UNAVAILABLE'],
    [425, 'API_UNAVAILABLE'],
    [429, 'RATE_LIMITED'],
    [500, 'API_UNAVAILABLE'],
    [503, 'API_UNAVAILABLE'],
    [599, 'API_UNAVAILABLE'],
  ])('%i is retryable: %s', (statusCode, code) => {
    const expected = { code, retryable: true, statusCode, api: 'iterable' };
    expect(() => check(statusCode)).toThrow(expect.objectContaining({ ...expected, retryAfterMs: undefined }));
    expect(() => check(statusCode, '7')).toThrow(expect.objectContaining({ ...expected, retryAfterMs: 7_000 }));
  });

  test.each([301, 304, 400, 401, 403, 404, 409, 422, 451])('%i is permanent, even with a Retry-After', (statusCode) => {
    expect(() => check(statusCode, '7')).toThrow(
      expect.objectContaining({ code: 'API_REFUSED', retryable: false, statusCode, retryAfterMs: undefined }),
    );
  });

  test('throws an error with only the status in its message', () => {
    expect(() => check(503)).toThrow('The iterable API answered 503');
  });
});

describe('a client', () => {
  let server: ScriptedServer;
  let clock: ReturnType<typeof freezeClock>;
  beforeEach(async () => {
    server = await startScriptedServer();
    clock = freezeClock();
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    jest.useRealTimers();
    await server.stop();
  });

  const clientOf = (options: Partial<ApiClientOptions> = {}) =>
    createApiClient({
      api: 'iterable',
      origin: server.origin,
      connections: 2,
      maxResponseBytes: 1_000_000,
      timeoutMs: (attempt) => 1_000 * attempt,
      maxAttempts: 3,
      waitMs: (attempt) => 100 * attempt,
      maxWaitMs: 1_000,
      now: clock.now,
      sleep: async (ms) => clock.advance(ms),
      ...options,
    });
  const request = { method: 'GET', path: '/users?limit=2', headers: { 'x-a': 'b' } } as const;
  const read = (response: ApiResponse) => {
    expectSuccess(response, 'iterable', clock.now());
    return { text: response.body.toString(), attempt: response.attempt };
  };
  const call = (options: Partial<ApiClientOptions> = {}) =>
    clientOf(options).call({ request, read, context: callContext().context });

  test('sends a request without a body', async () => {
    server.respond({ body: 'users' });
    expect(await call()).toEqual({ text: 'users', attempt: 1 });
    expect(server.calls).toEqual([
      { method: 'GET', path: '/users?limit=2', body: '', headers: expect.objectContaining({ 'x-a': 'b' }) },
    ]);
  });

  test('takes another slot of the pace after it renewed leases', async () => {
    server.respond({ body: 'users' });
    const steps: string[] = [];
    const pace = async (): Promise<void> => void steps.push('slot');
    const keepLeases = async (): Promise<void> => void steps.push('lease');
    const context = { ...callContext().context, keepLeases };
    await clientOf({ pace }).call({ request, read, context, onAttempt: () => void steps.push('sent') });
    expect(steps).toEqual(['slot', 'lease', 'slot', 'sent']);
  });

  test('requests the content encodings that it decodes, unless the request sets the header', async () => {
    server.respond({}, {});
    await call();
    const headers = { 'accept-encoding': 'identity' };
    await clientOf().call({ request: { ...request, headers }, read, context: callContext().context });
    expect(server.calls.map((received) => received.headers['accept-encoding'])).toEqual([
      'gzip, br, deflate',
      'identity',
    ]);
  });

  describe('reports each attempt', () => {
    const attemptsOf = async (path: string, ...responses: readonly ScriptedResponse[]) => {
      const attempts: CallRecord[] = [];
      server.respond(...responses);
      const client = clientOf({ onCall: (call) => void attempts.push(call) });
      const about = { order_id: 'QO-1' };
      const { context } = callContext();
      await client.call({ request: { ...request, path }, read, context, about }).catch(() => undefined);
      return attempts;
    };
    const common = { api: 'iterable', method: 'GET', path: '/users', about: { order_id: 'QO-1' } };

    test('with its status, duration and ids', async () => {
      const slow = { status: 503, before: () => clock.advance(120) };
      expect(await attemptsOf('/users', slow, { body: 'x' })).toEqual([
        { ...common, attempt: 1, statusCode: 503, durationMs: 120 },
        { ...common, attempt: 2, statusCode: 200, durationMs: 0 },
      ]);
    });

    test('without a response, or with an unreadable one', async () => {
      const unknown = { body: 'x', headers: { 'content-encoding': 'zstd' } };
      expect(await attemptsOf('/users', { hangUp: true }, unknown, { status: 404 })).toEqual([
        { ...common, attempt: 1, errorCode: 'CONNECTION_FAULT', durationMs: 0 },
        { ...common, attempt: 2, statusCode: 200, errorCode: 'BAD_ANSWER', durationMs: 0 },
        { ...common, attempt: 3, statusCode: 404, durationMs: 0 },
      ]);
    });

    test.each([
      ['/users?token=secret', '/users'],
      ['/users#secret', '/users'],
      ['/', '/'],
      ['/jobs/j-1/subjects/5f3e.a~b_c/accesskeys?page=2', '/jobs/j-1/subjects/5f3e.a~b_c/accesskeys'],
      ['/users/ada@northwind.example', '/users/*'],
      ['/users/ada%40northwind.example/x', '/users/*/x'],
      [`/${'x'.repeat(129)}`, '/*'],
    ])('of a call to %s with the path %s', async (path, logged) => {
      expect(await attemptsOf(path, {})).toMatchObject([{ path: logged }]);
    });
  });

  describe('a body', () => {
    const gzipped = { body: gzipSync('users'), headers: { 'content-encoding': 'gzip' } };
    const broken: [string, ScriptedResponse][] = [
      ['an unknown encoding', { body: 'x', headers: { 'content-encoding': 'zstd' } }],
      ['a wrong encoding', { body: 'x', headers: { 'content-encoding': 'gzip' } }],
      ['a truncated body', { body: 'x', cut: true }],
      ['a body that is too large', { body: 'x'.repeat(1_000_001) }],
      ['a body that is too large after decoding', { ...gzipped, body: gzipSync(Buffer.alloc(1_000_001)) }],
    ];

    test('is decoded even if the encoding was not requested', async () => {
      server.respond(gzipped);
      expect(await call()).toMatchObject({ text: 'users' });
    });

    test.each(broken)('of a success must be readable: %s', async (_, response) => {
      server.respond(response, response, response);
      await expect(call()).rejects.toMatchObject({ code: expect.stringMatching(/^(BAD_ANSWER|CONNECTION_FAULT)$/) });
    });

    test('of the second attempt is read', async () => {
      server.respond({ body: 'x', headers: { 'content-encoding': 'zstd' } }, gzipped);
      expect(await call()).toEqual({ text: 'users', attempt: 2 });
    });

    test.each(broken)('is ignored if the status is an error: %s', async (_, response) => {
      server.respond({ ...response, status: 404 });
      await expect(call()).rejects.toMatchObject({ code: 'API_REFUSED', statusCode: 404 });
      server.respond({ ...response, status: 503, headers: { ...response.headers, 'retry-after': '30' } });
      await expect(call()).rejects.toMatchObject({ code: 'API_UNAVAILABLE', statusCode: 503, retryAfterMs: 30_000 });
      expect(server.calls).toHaveLength(2);
    });

    test.each<[string, ScriptedResponse]>([...broken, ['a body that never ends', { silent: 'after the head' }]])(
      'is not awaited if the call does not need it: %s',
      async (_, response) => {
        server.respond(response);
        const client = clientOf();
        const context = callContext().context;
        const needsBody = (statusCode: number) => statusCode >= 300;
        expect(await client.call({ request, read, context, needsBody })).toEqual({ text: '', attempt: 1 });
        server.respond({ status: 404, body: 'no such user' });
        const readRefusal = ({ body }: ApiResponse) => body.toString();
        expect(await client.call({ request, read: readRefusal, context, needsBody })).toBe('no such user');
      },
    );
  });

  test('headers that are too large are retried, then a permanent error', async () => {
    const large = { headers: { 'x-large': 'x'.repeat(70_000) } };
    server.respond(large, large, large);
    const { context, failedAttempts } = callContext();
    await expect(clientOf().call({ request, read, context })).rejects.toMatchObject({
      code: 'BAD_ANSWER',
      retryable: false,
      message: 'The iterable API answered more than 65536 bytes of headers',
    });
    expect(failedAttempts.map(({ error }) => error.retryable)).toEqual([true, true]);
    server.respond(large, { headers: { 'x-large': 'x'.repeat(60_000) }, body: 'users' });
    expect(await call()).toEqual({ text: 'users', attempt: 2 });
  });

  test('waits for a slot of its pace before each attempt', async () => {
    const actions: string[] = [];
    const pace = async () => void actions.push('pace');
    server.respond({ status: 503, before: () => actions.push('call') }, { before: () => actions.push('call') });
    await call({ pace });
    expect(actions).toEqual(['pace', 'call', 'pace', 'call']);
  });

  describe('beforeAttempt', () => {
    const callWith = (beforeAttempt: () => Promise<void>, options: Partial<ApiClientOptions> = {}, leftMs?: number) => {
      const { context, failedAttempts } = callContext(leftMs);
      const client = clientOf(options);
      return { client, failedAttempts, result: client.call({ request, read, context, beforeAttempt }) };
    };
    const breaker = (failures: number) =>
      createCircuitBreaker({
        api: 'iterable',
        failures,
        openMs: 30_000,
        maxWaitMs: 8_000,
        now: clock.now,
        onOpen: () => undefined,
      });

    test('is awaited before every attempt, after the pace and the circuit check', async () => {
      const actions: string[] = [];
      const pace = async () => void actions.push('pace');
      const recordIt = async () => {
        await new Promise((resolve) => setImmediate(resolve));
        actions.push('beforeAttempt');
      };
      const before = () => actions.push('call');
      server.respond({ status: 503, before }, { status: 503, before }, { before });
      await callWith(recordIt, { pace, breaker: breaker(5) }).result;
      expect(actions).toEqual(Array.from({ length: 3 }, () => ['pace', 'beforeAttempt', 'call']).flat());
    });

    test('is not called while the circuit is open', async () => {
      const beforeAttempt = jest.fn(async () => undefined);
      server.respond({ status: 503 });
      await expect(callWith(beforeAttempt, { breaker: breaker(1) }).result).rejects.toMatchObject({ statusCode: 503 });
      expect(beforeAttempt).toHaveBeenCalledTimes(1);
    });

    test.each([
      ['any error', new TypeError('superseded')],
      ['a retryable error', new PipelineError('AWS_FAULT', 'The read failed', { retryable: true })],
      ['a permanent error', new PipelineError('BAD_MESSAGE', 'Superseded', { retryable: false })],
    ])('ends the call with the error that it throws, without another attempt: %s', async (_, thrown) => {
      const beforeAttempt = jest.fn(async () => {
        throw thrown;
      });
      const { client, failedAttempts, result } = callWith(beforeAttempt, { breaker: breaker(1) });
      expect(await result.catch((error: unknown) => error)).toBe(thrown);
      expect(beforeAttempt).toHaveBeenCalledTimes(1);
      expect([server.calls, failedAttempts, client.lastResponseAtMs()]).toEqual([[], [], undefined]);
      server.respond({ body: 'the circuit is closed' });
      expect(await client.call({ request, read, context: callContext().context })).toMatchObject({ attempt: 1 });
    });

    test('can end the call before its second attempt', async () => {
      const thrown = new Error('superseded');
      let checks = 0;
      server.respond({ status: 503 });
      const { client, result } = callWith(async () => {
        checks += 1;
        if (checks === 2) throw thrown;
      });
      expect(await result.catch((error: unknown) => error)).toBe(thrown);
      expect([server.calls.length, client.lastResponseAtMs()]).toEqual([1, undefined]);
    });

    test('is not awaited beyond the deadline', async () => {
      jest.useRealTimers();
      const { result } = callWith(() => new Promise(() => undefined), { now: () => Date.now() }, 1_010);
      await expect(result).rejects.toThrow(OutOfTimeError);
      expect(server.calls).toEqual([]);
    });

    test('reduces the time left for the attempt', async () => {
      const timeout = jest.spyOn(AbortSignal, 'timeout');
      server.respond({});
      await callWith(async () => clock.advance(1_400), { timeoutMs: () => 9_000 }, 5_000).result;
      expect(timeout.mock.calls).toEqual([[3_600]]);
    });
  });

  test('has a timeout per attempt, which a call can replace', async () => {
    const timeout = jest.spyOn(AbortSignal, 'timeout');
    server.respond({ status: 503 }, { status: 503 }, {}, {});
    const client = clientOf();
    const { context } = callContext();
    await client.call({ request, read, context });
    await client.call({ request, read, context, timeoutMs: () => 77 });
    expect(timeout.mock.calls).toEqual([[1_000], [2_000], [3_000], [77]]);
  });

  test('works without a circuit breaker', async () => {
    server.respond(...Array.from({ length: 9 }, () => ({ status: 503 })), { body: 'back' });
    const client = clientOf();
    for (let n = 0; n < 3; n++) {
      await expect(client.call({ request, read, context: callContext().context })).rejects.toMatchObject({
        statusCode: 503,
      });
    }
    expect(await client.call({ request, read, context: callContext().context })).toMatchObject({ text: 'back' });
  });

  test('treats an unclassified error of the reader as retryable', async () => {
    server.respond({}, {}, {});
    const client = clientOf();
    const broken = () => {
      throw new TypeError('a bug');
    };
    await expect(client.call({ request, read: broken, context: callContext().context })).rejects.toMatchObject({
      code: 'INTERNAL_FAULT',
    });
    expect(server.calls).toHaveLength(3);
  });

  describe('at its deadline', () => {
    const failureOf = (options: Partial<ApiClientOptions>, leftMs: number) =>
      clientOf(options)
        .call({ request, read, context: callContext(leftMs).context })
        .catch((error: unknown) => error);

    test('makes no call if the wait for the pace used up the time', async () => {
      const pace = async () => clock.advance(1_500);
      expect(await failureOf({ pace }, 2_000)).toBeInstanceOf(OutOfTimeError);
      expect(server.calls).toEqual([]);
    });

    test('does not wait for a slot beyond the deadline', async () => {
      const pace = () => new Promise<void>(() => undefined);
      const failing = failureOf({ pace, now: () => Date.now() }, 1_000);
      jest.useRealTimers();
      expect(await failing).toMatchObject({ code: 'TIMEOUT', retryable: true, lastAttempt: undefined });
    });

    test('throws the error of the newest attempt, with the wait before the next one', async () => {
      server.respond({ status: 503, headers: { 'retry-after': '1' } });
      const failure = await failureOf({}, 1_500);
      expect(failure).toBeInstanceOf(OutOfTimeError);
      expect(failure).toMatchObject({ code: 'API_UNAVAILABLE', statusCode: 503, retryAfterMs: 1_000, waitMs: 1_000 });
    });

    test('throws an OutOfTimeError if too little time is left after the last attempt', async () => {
      server.respond({ status: 503 }, { status: 503 }, { status: 503, before: () => clock.advance(5_000) });
      expect(await failureOf({}, 6_000)).toBeInstanceOf(OutOfTimeError);
      expect(server.calls).toHaveLength(3);
    });
  });

  describe('after its signal is aborted', () => {
    const waiting = (options: Partial<ApiClientOptions>) => {
      const ended = new AbortController();
      const context = { ...callContext(600_000).context, signal: ended.signal };
      const result = clientOf(options)
        .call({ request, read, context })
        .catch((error: unknown) => error);
      return { ended, result };
    };
    const never = () => new Promise<void>(() => undefined);

    test('no call waits for a slot', async () => {
      const { ended, result } = waiting({ pace: never });
      ended.abort();
      expect(await result).toBeInstanceOf(OutOfTimeError);
      expect(server.calls).toEqual([]);
    });

    test('no call waits for another attempt', async () => {
      server.respond({ status: 503 });
      const asleep = Promise.withResolvers<void>();
      const { ended, result } = waiting({
        sleep: () => {
          asleep.resolve();
          return never();
        },
      });
      await asleep.promise;
      ended.abort();
      expect(await result).toBeInstanceOf(OutOfTimeError);
    });

    test('a request under way gets its response, without a second attempt', async () => {
      const abortBeforeResponse = (status: number) => {
        server.respond({ status, before: () => ended.abort() });
        const { ended, result } = waiting({});
        return result;
      };
      expect(await abortBeforeResponse(200)).toMatchObject({ attempt: 1 });
      const failure = await abortBeforeResponse(503);
      expect(failure).toBeInstanceOf(OutOfTimeError);
      expect(failure).toMatchObject({ lastAttempt: { statusCode: 503 } });
      expect(server.calls).toHaveLength(2);
    });
  });

  test('reports the time of its last response, including refusals', async () => {
    const client = clientOf();
    const call = () => client.call({ request, read, context: callContext(1_000).context }).catch(() => undefined);
    const lastResponseAfter = async (response: ScriptedResponse) => {
      clock.advance(1_000);
      server.respond(response);
      await call();
      return client.lastResponseAtMs();
    };
    const startedAtMs = clock.now();
    expect(await lastResponseAfter({ status: 503 })).toBeUndefined();
    expect(await lastResponseAfter({})).toBe(startedAtMs + 2_000);
    expect(await lastResponseAfter({ status: 429 })).toBe(startedAtMs + 2_000);
    expect(await lastResponseAfter({ hangUp: true })).toBe(startedAtMs + 2_000);
    expect(await lastResponseAfter({ status: 404 })).toBe(startedAtMs + 5_000);
  });

  test('makes no call after it is closed', async () => {
    const client = clientOf();
    await client.close();
    await expect(client.call({ request, read, context: callContext(1_000).context })).rejects.toMatchObject({
      code: 'CONNECTION_FAULT',
    });
    expect(server.calls).toEqual([]);
  });
});
