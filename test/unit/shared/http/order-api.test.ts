import type { PipelineError } from '../../../../shared/errors';
import { pathOf } from '../../../../shared/http/order-api';
import { callContext } from '../../../support/call-context';
import { qualiaOrderId, qualiaResponse } from '../../../support/qualia-orders';
import { startScriptedQualia } from '../../../support/scripted-apis';
import type { ScriptedResponse } from '../../../support/scripted-server';

/** Waits, timeouts and the circuit, tested through Qualia's client. */
let qualia: Awaited<ReturnType<typeof startScriptedQualia>>;
beforeEach(async () => {
  qualia = await startScriptedQualia();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await qualia.stop();
});

const fetchOrder = (context = callContext().context) => qualia.client.fetchOrder(qualiaOrderId, context);
const failureOf = (context = callContext().context): Promise<PipelineError> =>
  fetchOrder(context).then(
    () => {
      throw new Error('the call did not fail');
    },
    (error: PipelineError) => error,
  );
const order: ScriptedResponse = { body: qualiaResponse() };
const busy: ScriptedResponse = { status: 503 };

describe('Retry-After', () => {
  test.each([
    ['in seconds', '2', 2_000],
    ['as an HTTP date', 'Thu, 01 Jan 2026 00:00:05 GMT', 5_000],
    ['of the longest time that the client waits', '8', 8_000],
  ])('%s overrides the jitter', async (_, header, waitMs) => {
    qualia.server.respond({ status: 429, headers: { 'retry-after': header } }, order);
    await fetchOrder();
    expect(qualia.waitsMs).toEqual([waitMs]);
  });

  test.each(['soon', 'wait 5', 'after 5', 'sec 10', '1.5', '-1', '120, 120'])(
    'that cannot be read is ignored: %j',
    async (header) => {
      qualia.server.respond({ status: 429, headers: { 'retry-after': header } }, order);
      await fetchOrder();
      expect(qualia.waitsMs).toEqual([250]);
    },
  );

  test.each(['0', 'Wed, 31 Dec 2025 00:00:00 GMT'])(
    'that is zero or in the past keeps the backoff: %j',
    async (header) => {
      const response = { status: 429, headers: { 'retry-after': header } };
      qualia.server.respond(response, response, order);
      await fetchOrder();
      expect(qualia.waitsMs).toEqual([250, 500]);
    },
  );

  test.each([
    ['9', 9_000],
    ['120', 120_000],
    ['Thu, 01 Jan 2026 01:00:00 GMT', 3_600_000],
    ['9999999999', 2 ** 31 * 1_000],
  ])('of %s is left to the caller', async (header, retryAfterMs) => {
    qualia.server.respond({ status: 503, headers: { 'retry-after': header } });
    expect(await failureOf()).toMatchObject({ code: 'API_UNAVAILABLE', retryable: true, retryAfterMs });
    expect(qualia.server.calls).toHaveLength(1);
    expect(qualia.waitsMs).toEqual([]);
  });
});

describe('the time left', () => {
  test('an attempt that cannot start in time is not awaited', async () => {
    qualia.server.respond(busy);
    expect(await failureOf(callContext(1_249).context)).toMatchObject({ code: 'API_UNAVAILABLE' });
    expect(qualia.server.calls).toHaveLength(1);
    expect(qualia.waitsMs).toEqual([]);
  });

  test('an attempt that can start in time is awaited', async () => {
    qualia.server.respond(busy, order);
    await expect(fetchOrder(callContext(1_250).context)).resolves.toMatchObject({ attempt: 2 });
  });

  test('is reduced by the duration of earlier attempts', async () => {
    qualia.server.respond({ ...busy, before: () => qualia.clock.advance(29_000) });
    expect(await failureOf(callContext(30_000).context)).toMatchObject({ code: 'API_UNAVAILABLE' });
    expect(qualia.server.calls).toHaveLength(1);
  });

  test.each([
    [600_000, 30_000],
    [30_000, 30_000],
    [12_345, 12_345],
    [1_000, 1_000],
  ])('with %i ms left, an attempt has a timeout of %i ms', async (leftMs, timeoutMs) => {
    const timeout = jest.spyOn(AbortSignal, 'timeout');
    qualia.server.respond(order);
    await fetchOrder(callContext(leftMs).context);
    expect(timeout.mock.calls).toEqual([[timeoutMs]]);
  });

  test.each([999, 10, -5_000])('with %i ms left, no attempt is made', async (leftMs) => {
    expect(await failureOf(callContext(leftMs).context)).toMatchObject({ code: 'TIMEOUT', retryable: true });
    expect(qualia.server.calls).toEqual([]);
  });
});

test.each(['at once', 'after the head'] as const)('a timeout is retried if the server is silent %s', async (silent) => {
  const attemptTimeout = new AbortController();
  const timeout = jest.spyOn(AbortSignal, 'timeout').mockReturnValueOnce(attemptTimeout.signal);
  const expire = () => setImmediate(() => attemptTimeout.abort(new DOMException('late', 'TimeoutError')));
  qualia.server.respond({ silent, before: expire }, order);
  const { context, failedAttempts } = callContext();
  await expect(fetchOrder(context)).resolves.toMatchObject({ attempt: 2 });
  expect(timeout).toHaveBeenCalledTimes(2);
  expect(failedAttempts).toEqual([
    {
      error: expect.objectContaining({
        code: 'TIMEOUT',
        retryable: true,
        message: 'The qualia API did not answer within 30000 ms',
      }),
      attempt: 1,
      waitMs: 250,
    },
  ]);
});

test('a server that does not listen is a connection fault', async () => {
  await qualia.server.stop();
  expect(await failureOf()).toMatchObject({ code: 'CONNECTION_FAULT', retryable: true, statusCode: undefined });
  expect(qualia.waitsMs).toEqual([250, 500]);
});

describe('the circuit', () => {
  /** Three attempts, then two: the fifth consecutive failure. */
  const breakCircuit = async () => {
    qualia.server.respond(busy, busy, busy, busy, busy);
    await failureOf();
    return failureOf();
  };

  test('opens with the fifth consecutive failure: that call keeps its own error', async () => {
    expect(await breakCircuit()).toMatchObject({ code: 'API_UNAVAILABLE', statusCode: 503 });
    expect(qualia.server.calls).toHaveLength(5);
    expect(qualia.opened).toEqual(['qualia']);
  });

  test('while open, makes no call and does not wait', async () => {
    await breakCircuit();
    const waits = qualia.waitsMs.length;
    // The wait before the circuit opened took 500 ms.
    qualia.clock.advance(29_499);
    expect(await failureOf()).toMatchObject({ code: 'CIRCUIT_OPEN', retryable: true, api: 'qualia', retryAfterMs: 1 });
    expect(qualia.server.calls).toHaveLength(5);
    expect(qualia.waitsMs).toHaveLength(waits);
  });

  test('after 30 s lets one call probe, and rejects others meanwhile', async () => {
    await breakCircuit();
    qualia.clock.advance(30_000);
    let other: Promise<PipelineError> | undefined;
    qualia.server.respond({
      ...order,
      before: () => {
        other = failureOf();
        return other;
      },
    });
    await expect(fetchOrder()).resolves.toMatchObject({ attempt: 1 });
    expect(await other).toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect(qualia.server.calls).toHaveLength(6);
    qualia.server.respond(order);
    await expect(fetchOrder()).resolves.toMatchObject({ attempt: 1 });
  });

  test('makes no other call for 30 s after a failed probe', async () => {
    await breakCircuit();
    qualia.clock.advance(30_000);
    qualia.server.respond(busy);
    expect(await failureOf()).toMatchObject({ code: 'API_UNAVAILABLE' });
    expect(await failureOf()).toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect(qualia.server.calls).toHaveLength(6);
    expect(qualia.opened).toEqual(['qualia', 'qualia']);
  });

  test('stays closed if a response, even a refusal, comes in between', async () => {
    qualia.server.respond(busy, busy, busy, { status: 404 }, busy, busy, busy, order);
    await failureOf();
    await failureOf();
    await failureOf();
    await expect(fetchOrder()).resolves.toMatchObject({ attempt: 1 });
    expect(qualia.opened).toEqual([]);
  });
});

test.each([
  ['https://marketplace.qualia.io/api/vendor/graphql', '/api/vendor/graphql'],
  ['http://127.0.0.1:4000', '/'],
  ['http://127.0.0.1:4000/a?b=c#d', '/a?b=c'],
])('the path of %s is %s', (url, path) => {
  expect(pathOf(url)).toBe(path);
});
