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
const answered = (statusCode: number, retryAfter?: string): ApiResponse => ({
  statusCode,
  headers: { 'retry-after': retryAfter },
  body: Buffer.alloc(0),
  attempt: 1,
  responseTimeMs: 0,
});
const judge = (...given: Parameters<typeof answered>) => expectSuccess(answered(...given), 'iterable', nowMs);

describe('expectSuccess', () => {
  test.each([200, 201, 202, 204, 206, 299])('%i passes', (statusCode) => {
    expect(() => judge(statusCode)).not.toThrow();
  });

  test.each([
    [408, 'API_UNAVAILABLE'],
    [425, 'API_UNAVAILABLE'],
    [429, 'RATE_LIMITED'],
    [500, 'API_UNAVAILABLE'],
    [503, 'API_UNAVAILABLE'],
    [599, 'API_UNAVAILABLE'],
  ])('%i may pass: %s', (statusCode, code) => {
    const expected = { code, retryable: true, statusCode, api: 'iterable' };
    expect(() => judge(statusCode)).toThrow(expect.objectContaining({ ...expected, retryAfterMs: undefined }));
    expect(() => judge(statusCode, '7')).toThrow(expect.objectContaining({ ...expected, retryAfterMs: 7_000 }));
  });

  test.each([301, 304, 400, 401, 403, 404, 409, 422, 451])(
    '%i is permanent, whatever Retry-After says',
    (statusCode) => {
      expect(() => judge(statusCode, '7')).toThrow(
        expect.objectContaining({ code: 'API_REFUSED', retryable: false, statusCode, retryAfterMs: undefined }),
      );
    },
  );

  test('names only the status', () => {
    expect(() => judge(503)).toThrow('The iterable API answered 503');
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
      sleep: async (ms) => clock.pass(ms),
      ...options,
    });
  const request = { method: 'GET', path: '/users?limit=2', headers: { 'x-a': 'b' } } as const;
  const read = (answer: ApiResponse) => {
    expectSuccess(answer, 'iterable', clock.now());
    return { text: answer.body.toString(), attempt: answer.attempt };
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

  test('sends the codings that it decodes, unless the request sets the header', async () => {
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
    const madeBy = async (path: string, ...answers: readonly ScriptedResponse[]) => {
      const made: CallRecord[] = [];
      server.respond(...answers);
      const client = clientOf({ onCall: (call) => void made.push(call) });
      const about = { order_id: 'QO-1' };
      const { context } = callContext();
      await client.call({ request: { ...request, path }, read, context, about }).catch(() => undefined);
      return made;
    };
    const common = { api: 'iterable', method: 'GET', path: '/users', about: { order_id: 'QO-1' } };

    test('with its status, duration and ids', async () => {
      const slow = { status: 503, before: () => clock.pass(120) };
      expect(await madeBy('/users', slow, { body: 'x' })).toEqual([
        { ...common, attempt: 1, statusCode: 503, durationMs: 120 },
        { ...common, attempt: 2, statusCode: 200, durationMs: 0 },
      ]);
    });

    test('without a response, or with an unreadable one', async () => {
      const unknown = { body: 'x', headers: { 'content-encoding': 'zstd' } };
      expect(await madeBy('/users', { hangUp: true }, unknown, { status: 404 })).toEqual([
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
    ])('of %s as %s', async (path, logged) => {
      expect(await madeBy(path, {})).toMatchObject([{ path: logged }]);
    });
  });

  describe('a body', () => {
    const gzipped = { body: gzipSync('users'), headers: { 'content-encoding': 'gzip' } };
    const broken: [string, ScriptedResponse][] = [
      ['an unknown coding', { body: 'x', headers: { 'content-encoding': 'zstd' } }],
      ['a wrong coding', { body: 'x', headers: { 'content-encoding': 'gzip' } }],
      ['a body that breaks off', { body: 'x', cut: true }],
      ['too large a body', { body: 'x'.repeat(1_000_001) }],
      ['too large a body, once decoded', { ...gzipped, body: gzipSync(Buffer.alloc(1_000_001)) }],
    ];

    test('is decoded even if the coding was not requested', async () => {
      server.respond(gzipped);
      expect(await call()).toMatchObject({ text: 'users' });
    });

    test.each(broken)('of a success must be readable: %s', async (_, answer) => {
      server.respond(answer, answer, answer);
      await expect(call()).rejects.toMatchObject({ code: expect.stringMatching(/^(BAD_ANSWER|CONNECTION_FAULT)$/) });
    });

    test('of the second attempt is read', async () => {
      server.respond({ body: 'x', headers: { 'content-encoding': 'zstd' } }, gzipped);
      expect(await call()).toEqual({ text: 'users', attempt: 2 });
    });

    test.each(broken)('is ignored if the status decides: %s', async (_, answer) => {
      server.respond({ ...answer, status: 404 });
      await expect(call()).rejects.toMatchObject({ code: 'API_REFUSED', statusCode: 404 });
      server.respond({ ...answer, status: 503, headers: { ...answer.headers, 'retry-after': '30' } });
      await expect(call()).rejects.toMatchObject({ code: 'API_UNAVAILABLE', statusCode: 503, retryAfterMs: 30_000 });
      expect(server.calls).toHaveLength(2);
    });

    test.each<[string, ScriptedResponse]>([...broken, ['a body without end', { silent: 'after the head' }]])(
      'is not awaited if the call does not need it: %s',
      async (_, answer) => {
        server.respond(answer);
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

  test('headers that are too large are retried, but not forever', async () => {
    const large = { headers: { 'x-large': 'x'.repeat(70_000) } };
    server.respond(large, large, large);
    const { context, failedTries } = callContext();
    await expect(clientOf().call({ request, read, context })).rejects.toMatchObject({
      code: 'BAD_ANSWER',
      retryable: false,
      message: 'The iterable API answered more than 65536 bytes of headers',
    });
    expect(failedTries.map(({ error }) => error.retryable)).toEqual([true, true]);
    server.respond(large, { headers: { 'x-large': 'x'.repeat(60_000) }, body: 'users' });
    expect(await call()).toEqual({ text: 'users', attempt: 2 });
  });

  test('waits for a slot of its pace before each attempt', async () => {
    const did: string[] = [];
    const pace = async () => void did.push('pace');
    server.respond({ status: 503, before: () => did.push('try') }, { before: () => did.push('try') });
    await call({ pace });
    expect(did).toEqual(['pace', 'try', 'pace', 'try']);
  });

  describe('beforeAttempt', () => {
    const callWith = (beforeAttempt: () => Promise<void>, options: Partial<ApiClientOptions> = {}, leftMs?: number) => {
      const { context, failedTries } = callContext(leftMs);
      const client = clientOf(options);
      return { client, failedTries, result: client.call({ request, read, context, beforeAttempt }) };
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
      const did: string[] = [];
      const pace = async () => void did.push('pace');
      const note = async () => {
        await new Promise((resolve) => setImmediate(resolve));
        did.push('beforeAttempt');
      };
      const before = () => did.push('try');
      server.respond({ status: 503, before }, { status: 503, before }, { before });
      await callWith(note, { pace, breaker: breaker(5) }).result;
      expect(did).toEqual(Array.from({ length: 3 }, () => ['pace', 'beforeAttempt', 'try']).flat());
    });

    test('is not called while the circuit is open', async () => {
      const beforeAttempt = jest.fn(async () => undefined);
      server.respond({ status: 503 });
      await expect(callWith(beforeAttempt, { breaker: breaker(1) }).result).rejects.toMatchObject({ statusCode: 503 });
      expect(beforeAttempt).toHaveBeenCalledTimes(1);
    });

    test.each([
      ['any error', new TypeError('superseded')],
      ['a retryable one', new PipelineError('AWS_FAULT', 'The read failed', { retryable: true })],
      ['a permanent one', new PipelineError('BAD_MESSAGE', 'Superseded', { retryable: false })],
    ])('ends the call with what it throws, %s, without another try', async (_, thrown) => {
      const beforeAttempt = jest.fn(async () => {
        throw thrown;
      });
      const { client, failedTries, result } = callWith(beforeAttempt, { breaker: breaker(1) });
      expect(await result.catch((error: unknown) => error)).toBe(thrown);
      expect(beforeAttempt).toHaveBeenCalledTimes(1);
      expect([server.calls, failedTries, client.lastResponseAtMs()]).toEqual([[], [], undefined]);
      server.respond({ body: 'the circuit is closed' });
      expect(await client.call({ request, read, context: callContext().context })).toMatchObject({ attempt: 1 });
    });

    test('can end the call before its second attempt', async () => {
      const thrown = new Error('superseded');
      let asked = 0;
      server.respond({ status: 503 });
      const { client, result } = callWith(async () => {
        asked += 1;
        if (asked === 2) throw thrown;
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
      await callWith(async () => clock.pass(1_400), { timeoutMs: () => 9_000 }, 5_000).result;
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

    test('makes no call when the pace used up the time', async () => {
      const pace = async () => clock.pass(1_500);
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

    test('does not count the last attempt as the last when the deadline cut it off', async () => {
      server.respond({ status: 503 }, { status: 503 }, { status: 503, before: () => clock.pass(5_000) });
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
      const abortBeforeAnswering = (status: number) => {
        server.respond({ status, before: () => ended.abort() });
        const { ended, result } = waiting({});
        return result;
      };
      expect(await abortBeforeAnswering(200)).toMatchObject({ attempt: 1 });
      const failure = await abortBeforeAnswering(503);
      expect(failure).toBeInstanceOf(OutOfTimeError);
      expect(failure).toMatchObject({ lastAttempt: { statusCode: 503 } });
      expect(server.calls).toHaveLength(2);
    });
  });

  test('reports the time of its last response, including refusals', async () => {
    const client = clientOf();
    const call = () => client.call({ request, read, context: callContext(1_000).context }).catch(() => undefined);
    const answeredAfter = async (answer: ScriptedResponse) => {
      clock.pass(1_000);
      server.respond(answer);
      await call();
      return client.lastResponseAtMs();
    };
    const startedAtMs = clock.now();
    expect(await answeredAfter({ status: 503 })).toBeUndefined();
    expect(await answeredAfter({})).toBe(startedAtMs + 2_000);
    expect(await answeredAfter({ status: 429 })).toBe(startedAtMs + 2_000);
    expect(await answeredAfter({ hangUp: true })).toBe(startedAtMs + 2_000);
    expect(await answeredAfter({ status: 404 })).toBe(startedAtMs + 5_000);
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
