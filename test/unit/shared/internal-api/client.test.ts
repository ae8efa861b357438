import { gzipSync } from 'node:zlib';
import { PipelineError } from '../../../../shared/errors';
import { internalApiCredentialSchema, OrderRefusedError } from '../../../../shared/internal-api/client';
import type { InternalOrder } from '../../../../shared/internal-api/order';
import { callContext } from '../../../support/call-context';
import { requestId, round } from '../../../support/orders';
import { startScriptedInternalApi } from '../../../support/scripted-apis';
import { type ScriptedResponse, times } from '../../../support/scripted-server';
import { secretOf, unreadableSecret } from '../../../support/secrets';

let api: Awaited<ReturnType<typeof startScriptedInternalApi>>;
beforeEach(async () => {
  api = await startScriptedInternalApi();
});
afterEach(() => api.stop());

const order: InternalOrder = {
  externalOrderId: 'QO-1',
  qualiaOrderId: 'bK8b',
  source: 'QUALIA_MARKETPLACE',
  productCategory: 'TITLE',
  properties: [],
  agency: { agencyName: 'Ünïcode' },
  notes: '',
};
const post = {
  order,
  round: round(),
  requestId: requestId('request-1'),
  idempotencyKey: `QO-1:${'0123456789abcdef'.repeat(2)}`,
};
const postOrder = (context = callContext().context) => api.client.postOrder(post, context);
const failureOf = async (): Promise<PipelineError> => {
  const thrown: unknown = await postOrder().catch((error: unknown) => error);
  if (thrown instanceof PipelineError) return thrown;
  throw new Error('postOrder did not fail with a PipelineError');
};
const keptResponse = async (): Promise<string | undefined> => {
  const error = await failureOf();
  return error instanceof OrderRefusedError ? error.response : undefined;
};

test('the request is exactly as the contract specifies', async () => {
  api.server.respond({ status: 201 });
  await postOrder();
  const [call] = api.server.calls;
  expect(call).toMatchObject({ method: 'POST', path: '/v1/orders?source=q' });
  const { host, connection, 'content-length': length, ...headers } = call?.headers ?? {};
  expect(headers).toEqual({
    'accept-encoding': 'gzip, br, deflate',
    authorization: 'Bearer tok-1',
    'content-type': 'application/json',
    'idempotency-key': post.idempotencyKey,
    'x-request-id': 'request-1',
    'x-order-round': round(),
  });
  expect(length).toBe(String(Buffer.byteLength(JSON.stringify(order))));
  expect(JSON.parse(call?.body ?? '')).toEqual(order);
});

test.each([
  [200, 'posted'],
  [201, 'posted'],
  [202, 'posted'],
  [204, 'posted'],
  [409, 'already_known'],
])('%i is a success: %s', async (statusCode, outcome) => {
  api.server.respond({ status: statusCode, before: () => api.clock.advance(35) });
  expect(await postOrder()).toEqual({ outcome, statusCode, responseTimeMs: 35 });
  expect(api.server.calls).toHaveLength(1);
});

describe.each([200, 201, 409])('%i is a success', (status) => {
  test.each<[string, ScriptedResponse]>([
    ['an HTML page', { body: '<html>' }],
    ['more than 4 MiB', { body: Buffer.alloc(5 * 1_024 * 1_024) }],
    ['an unknown encoding', { body: 'x', headers: { 'content-encoding': 'zstd' } }],
    ['bytes that are not gzip', { body: 'x', headers: { 'content-encoding': 'gzip' } }],
    ['gzip', { body: gzipSync('{}'), headers: { 'content-encoding': 'gzip' } }],
    ['a truncated body', { body: '{"id"', cut: true }],
    ['a body that never ends', { silent: 'after the head' }],
    ['40 kB of headers', { headers: { 'x-trace': 'x'.repeat(40_000) } }],
  ])('with %s', async (_, response) => {
    api.server.respond({ ...response, status });
    expect(await postOrder()).toMatchObject({ statusCode: status });
    expect(api.server.calls).toHaveLength(1);
  });
});

test('unreadable headers fail the order after three attempts with the same key', async () => {
  api.server.respond(...times(3, { status: 201, headers: { 'x-trace': 'x'.repeat(70_000) } }));
  expect(await failureOf()).toMatchObject({ code: 'BAD_ANSWER', retryable: false });
  expect(new Set(api.server.calls.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
});

test('headers that are too large, then a 409: the order is already known', async () => {
  api.server.respond({ status: 201, headers: { 'x-trace': 'x'.repeat(70_000) } }, { status: 409 });
  expect(await postOrder()).toMatchObject({ outcome: 'already_known' });
});

describe('a retryable fault', () => {
  test.each<[string, ScriptedResponse, string]>([
    ['408', { status: 408 }, 'API_UNAVAILABLE'],
    ['425', { status: 425 }, 'API_UNAVAILABLE'],
    ['429', { status: 429 }, 'RATE_LIMITED'],
    ['500', { status: 500 }, 'API_UNAVAILABLE'],
    ['502', { status: 502 }, 'API_UNAVAILABLE'],
    ['503', { status: 503 }, 'API_UNAVAILABLE'],
    ['504', { status: 504 }, 'API_UNAVAILABLE'],
    ['a closed connection', { hangUp: true }, 'CONNECTION_FAULT'],
  ])('%s: three attempts with the same key, then a retryable error', async (_, response, code) => {
    api.server.respond(...times(3, response));
    expect(await failureOf()).toMatchObject({ code, retryable: true, api: 'internal' });
    expect(new Set(api.server.calls.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    expect(api.server.calls).toHaveLength(3);
    expect(api.waitsMs).toEqual([250, 500]);
  });

  test('Retry-After overrides the jitter', async () => {
    api.server.respond({ status: 429, headers: { 'retry-after': '3' } }, { status: 200 });
    await postOrder();
    expect(api.waitsMs).toEqual([3_000]);
  });

  test('the circuit opens after five consecutive faults', async () => {
    api.server.respond(...times(5, { status: 500 }));
    await failureOf();
    await failureOf();
    expect(await failureOf()).toMatchObject({ code: 'CIRCUIT_OPEN', api: 'internal' });
    expect(api.server.calls).toHaveLength(5);
    expect(api.opened).toEqual(['internal']);
  });
});

describe('a permanent refusal', () => {
  test.each([300, 400, 401, 403, 404, 405, 406, 410, 412, 413, 415, 418, 422, 451])(
    '%i keeps the response of the API',
    async (status) => {
      api.server.respond({ status, body: { error: 'no such product' } });
      const error = await failureOf();
      expect(error).toBeInstanceOf(OrderRefusedError);
      expect(error).toMatchObject({
        code: 'API_REFUSED',
        retryable: false,
        api: 'internal',
        statusCode: status,
        message: `The internal API answered ${status}`,
        response: '{"error":"no such product"}',
      });
      expect(api.server.calls).toHaveLength(1);
    },
  );

  test('redacts our token everywhere in the response', async () => {
    api.server.respond({ status: 400, body: 'tok-1 is not tok-1' });
    expect(await keptResponse()).toBe('[token] is not [token]');
  });

  test('redacts our token even where the response is cut within it', async () => {
    api.server.respond({ status: 400, body: `${'x'.repeat(2_045)}tok-1` });
    expect(await keptResponse()).toBe(`${'x'.repeat(2_045)}[to`);
  });

  test.each([
    ['an empty response', '', ''],
    ['2 KiB', 'x'.repeat(2_048), 'x'.repeat(2_048)],
    ['more than 2 KiB', 'x'.repeat(2_049), 'x'.repeat(2_048)],
    ['a character across the limit', `${'x'.repeat(2_047)}ü`, 'x'.repeat(2_047)],
    ['multi-byte characters', 'ü'.repeat(2_000), 'ü'.repeat(1_024)],
  ])('keeps at most 2 KiB of the response: %s', async (_, body, kept) => {
    api.server.respond({ status: 422, body });
    const response = await keptResponse();
    expect(response).toBe(kept);
    expect(Buffer.byteLength(response ?? '')).toBeLessThanOrEqual(2_048);
  });

  test.each<[string, ScriptedResponse, string]>([
    ['is compressed', { body: gzipSync('no'), headers: { 'content-encoding': 'gzip' } }, 'no'],
    ['cannot be decoded', { body: 'no', headers: { 'content-encoding': 'zstd' } }, ''],
    ['is too large', { body: 'n'.repeat(5 * 1_024 * 1_024) }, 'n'.repeat(2_048)],
    ['is truncated', { body: 'no', cut: true }, ''],
  ])('is still a refusal if its body %s', async (_, response, kept) => {
    api.server.respond({ ...response, status: 422 });
    const error = await failureOf();
    expect(error).toMatchObject({ code: 'API_REFUSED', retryable: false, statusCode: 422 });
    expect(error instanceof OrderRefusedError && error.response).toBe(kept);
  });

  test('does not appear in the formatted error', async () => {
    api.server.respond({ status: 400, body: 'Ada Byron' });
    const error = await failureOf();
    expect(Object.keys(error)).not.toContain('response');
    expect(JSON.stringify(error) + error.stack).not.toContain('Ada');
  });
});

describe('the token', () => {
  test('is fetched again after a refusal, and the call is repeated', async () => {
    await api.stop();
    api = await startScriptedInternalApi({ credential: secretOf({ token: 'old' }, { token: 'new' }) });
    api.server.respond({ status: 401 }, { status: 200 });
    expect(await postOrder()).toMatchObject({ outcome: 'posted' });
    expect(api.server.calls.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
  });

  test('that cannot be read prevents the call', async () => {
    await api.stop();
    const unreadable = new PipelineError('SECRET_UNREADABLE', 'No', { retryable: true });
    api = await startScriptedInternalApi({ credential: unreadableSecret(unreadable) });
    expect(await failureOf()).toBe(unreadable);
    expect(api.server.calls).toEqual([]);
  });
});

test.each(['', 'long-token\n', 'long token', 'long-tökén'])(
  'a token that a header cannot contain is rejected: %j',
  (token) => {
    expect(internalApiCredentialSchema.safeParse({ token }).success).toBe(false);
  },
);

test('a token under 8 characters is rejected, because redacting it would make responses unreadable', () => {
  const { error } = internalApiCredentialSchema.safeParse({ token: 'e' });
  expect(error?.issues.map(({ message }) => message)).toEqual(['is shorter than 8 characters']);
  expect(internalApiCredentialSchema.safeParse({ token: 'eeeeeeee' }).success).toBe(true);
});
