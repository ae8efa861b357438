import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { PipelineError } from '../../../../shared/errors';
import { UnreadableResponseError } from '../../../../shared/qualia/client';
import { orderQuery } from '../../../../shared/qualia/query';
import { callContext } from '../../../support/call-context';
import { qualiaOrder, qualiaOrderId, qualiaResponse } from '../../../support/qualia-orders';
import { startScriptedQualia } from '../../../support/scripted-apis';
import { type ScriptedResponse, times } from '../../../support/scripted-server';
import { secretOf, unreadableSecret } from '../../../support/secrets';

type Qualia = Awaited<ReturnType<typeof startScriptedQualia>>;

let qualia: Qualia;
beforeEach(async () => {
  qualia = await startScriptedQualia();
});
afterEach(() => qualia.stop());

const fetchOrder = (context = callContext().context) => qualia.client.fetchOrder(qualiaOrderId, context);
const failureOf = async (context = callContext().context): Promise<PipelineError> => {
  const thrown: unknown = await fetchOrder(context).catch((error: unknown) => error);
  if (thrown instanceof PipelineError) return thrown;
  throw new Error('fetchOrder did not fail with a PipelineError');
};
const order: ScriptedResponse = { body: qualiaResponse() };
const graphQlError = (error: unknown, data: unknown = null): ScriptedResponse => ({ body: { data, errors: [error] } });

describe('the request', () => {
  test('is exactly as the contract specifies', async () => {
    qualia.server.respond(order);
    await fetchOrder();
    const [call] = qualia.server.calls;
    expect(call).toMatchObject({ method: 'POST', path: '/api/vendor/graphql?v=1' });
    expect(call?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from('us:pw').toString('base64')}`,
      'content-type': 'application/json',
    });
    expect(JSON.parse(call?.body ?? '')).toEqual({ query: orderQuery, variables: { id: qualiaOrderId } });
  });

  test('reuses connections', async () => {
    qualia.server.respond(...times(10, order));
    for (let n = 0; n < 10; n++) await fetchOrder();
    // The pool can open a second connection just before the first is free again.
    expect(qualia.server.connections()).toBeLessThanOrEqual(2);
  });

  test('uses at most 20 connections', async () => {
    let arrived = 0;
    let release: (value?: unknown) => void = () => {};
    const allArrived = new Promise((resolve) => (release = resolve));
    const before = () => {
      if (++arrived === 20) release();
      return allArrived;
    };
    qualia.server.respond(...times(30, { ...order, before }));
    await Promise.all(Array.from({ length: 30 }, () => fetchOrder()));
    expect(qualia.server.connections()).toBe(20);
  });
});

describe('an order', () => {
  test('is returned byte for byte', async () => {
    const bytes = `  ${qualiaResponse(qualiaOrder({ price: '1.50', later: 'ü' }))}\r\n`;
    qualia.server.respond({ body: bytes, before: () => qualia.clock.advance(120) });
    expect(await fetchOrder()).toEqual({ bytes: Buffer.from(bytes), attempt: 1, responseTimeMs: 120 });
  });

  test('can have a number beyond 2^53', async () => {
    const bytes = qualiaResponse().replace('"QO-123456"', '9007199254740993');
    qualia.server.respond({ body: bytes });
    expect((await fetchOrder()).bytes).toEqual(Buffer.from(bytes));
  });

  test.each([
    ['no errors', { errors: [] }],
    ['errors that are null', { errors: null }],
    ['an unknown error', { extensions: {} }],
  ])('is accepted with %s', async (_, extra) => {
    qualia.server.respond({ body: { ...JSON.parse(qualiaResponse()), ...extra } });
    await expect(fetchOrder()).resolves.toMatchObject({ attempt: 1 });
  });

  test('is accepted with null in every field except its id and number', async () => {
    const nulls = Object.fromEntries(Object.keys(qualiaOrder()).map((field) => [field, null]));
    qualia.server.respond({ body: qualiaResponse({ ...nulls, _id: qualiaOrderId, order_number: 'b' }) });
    await expect(fetchOrder()).resolves.toMatchObject({ attempt: 1 });
  });
});

describe('a compressed order', () => {
  const json = `\ufeff  ${qualiaResponse()}\r\n`;

  test.each<[string, (text: string) => Buffer]>([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
    ['gzip, br', (text) => brotliCompressSync(gzipSync(text))],
  ])('in %s is decoded to the bytes that were encoded', async (coding, encode) => {
    qualia.server.respond({ body: encode(json), headers: { 'content-encoding': coding } });
    expect(await fetchOrder()).toMatchObject({ bytes: Buffer.from(json), attempt: 1 });
    expect(qualia.server.calls[0]?.headers['accept-encoding']).toBe('gzip, br, deflate');
  });

  test.each(['zstd', 'gzip'])(
    'that cannot be decoded (%s) fails with a retryable error that names the content encoding',
    async (coding) => {
      qualia.server.respond(...times(3, { body: json, headers: { 'content-encoding': coding } }));
      expect(await failureOf()).toMatchObject({
        code: 'BAD_ANSWER',
        retryable: true,
        message: expect.stringMatching(/content encoding/),
      });
      expect(qualia.server.calls).toHaveLength(3);
    },
  );

  test('of more than 4 MiB after decoding is refused', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1_024 * 1_024));
    qualia.server.respond({ body: bomb, headers: { 'content-encoding': 'gzip' } });
    expect(await failureOf()).toMatchObject({ code: 'BAD_ANSWER', retryable: false });
    expect(qualia.server.calls).toHaveLength(1);
  });
});

describe('a permanent status', () => {
  test.each([300, 302, 400, 401, 402, 403, 404, 405, 406, 409, 410, 413, 415, 418, 422, 451])(
    '%i: one attempt, then a permanent error',
    async (status) => {
      qualia.server.respond({ status, headers: { 'retry-after': '1' }, body: qualiaResponse() });
      expect(await failureOf()).toMatchObject({
        code: 'API_REFUSED',
        retryable: false,
        api: 'qualia',
        statusCode: status,
        retryAfterMs: undefined,
      });
      expect(qualia.server.calls).toHaveLength(1);
    },
  );
});

describe('a retryable fault', () => {
  const faults: [string, ScriptedResponse, string, number | undefined][] = [
    ['408', { status: 408 }, 'API_UNAVAILABLE', 408],
    ['425', { status: 425 }, 'API_UNAVAILABLE', 425],
    ['429', { status: 429 }, 'RATE_LIMITED', 429],
    ...[500, 501, 502, 503, 504, 520, 599].map((status): (typeof faults)[number] => [
      String(status),
      { status },
      'API_UNAVAILABLE',
      status,
    ]),
    ['a closed connection', { hangUp: true }, 'CONNECTION_FAULT', undefined],
  ];

  test.each(faults)(
    '%s: three attempts with full jitter, then a retryable error',
    async (_, response, code, statusCode) => {
      qualia.server.respond(...times(3, response));
      const { context, failedAttempts } = callContext();
      const error = await failureOf(context);
      expect(error).toMatchObject({ code, retryable: true, api: 'qualia', statusCode, retryAfterMs: undefined });
      expect(qualia.server.calls).toHaveLength(3);
      expect(qualia.waitsMs).toEqual([250, 500]);
      expect(failedAttempts).toEqual([
        { error: expect.objectContaining({ code }), attempt: 1, waitMs: 250 },
        { error: expect.objectContaining({ code }), attempt: 2, waitMs: 500 },
      ]);
    },
  );

  test.each(faults)('%s: succeeds at the third attempt', async (_, response) => {
    qualia.server.respond(response, response, order);
    await expect(fetchOrder()).resolves.toMatchObject({ attempt: 3, responseTimeMs: 0 });
    expect(qualia.server.left()).toBe(0);
  });

  test('followed by a permanent refusal: the refusal is the result', async () => {
    qualia.server.respond({ status: 503 }, { status: 404 });
    expect(await failureOf()).toMatchObject({ code: 'API_REFUSED', statusCode: 404 });
    expect(qualia.server.calls).toHaveLength(2);
  });
});

describe('GraphQL errors', () => {
  test.each(['NOT_FOUND', 'FORBIDDEN', 'UNAUTHENTICATED', 'BAD_USER_INPUT', 'GRAPHQL_VALIDATION_FAILED'])(
    'with the code %s are permanent',
    async (code) => {
      qualia.server.respond(graphQlError({ message: 'x', extensions: { code } }));
      expect(await failureOf()).toMatchObject({
        code: code === 'NOT_FOUND' ? 'ORDER_NOT_FOUND' : 'GRAPHQL_ERROR',
        retryable: false,
      });
      expect(qualia.server.calls).toHaveLength(1);
    },
  );

  test.each<[string, unknown]>([
    ['with another code', { message: 'Oops', extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    ['without a code', { message: 'The database is busy' }],
    ['without a message', {}],
    ['with malformed extensions', { message: 'Oops', extensions: { code: 7 } }],
    ['with null extensions', { message: 'Oops', extensions: null }],
    ['with a message that is not a string', { message: { en: 'Oops' } }],
    ['that are strings', 'Oops'],
    ['that are null', null],
  ])('%s are retryable', async (_, error) => {
    qualia.server.respond(...times(3, graphQlError(error, { order: null })));
    expect(await failureOf()).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: true });
    expect(qualia.server.calls).toHaveLength(3);
  });

  test('are permanent if one of several is', async () => {
    const errors = [{ message: 'Oops' }, { message: 'x', extensions: { code: 'FORBIDDEN' } }];
    qualia.server.respond({ body: { errors } });
    expect(await failureOf()).toMatchObject({ retryable: false });
  });

  describe('next to an order', () => {
    const { data } = JSON.parse(qualiaResponse());
    const forbidden = (...path: unknown[]) => ({ message: 'No', path, extensions: { code: 'FORBIDDEN' } });

    test.each([
      [['order', 'outstanding_tasks']],
      [['order', 'outstanding_tasks', 0, 'name']],
      [['orders']],
      [['viewer', 'order', 'order']],
    ])('at %j are ignored, and the response is returned byte for byte', async (path) => {
      const body = JSON.stringify({ data, errors: [forbidden(...path), forbidden(...path)] });
      qualia.server.respond({ body });
      expect(await fetchOrder()).toMatchObject({ bytes: Buffer.from(body), attempt: 1 });
    });

    test.each([[['order', 'order']], [['order', 'order', 'borrowers', 0]], [['order']], [[]]])(
      'at %j fail the call',
      async (path) => {
        qualia.server.respond({
          body: { data, errors: [forbidden('order', 'outstanding_tasks'), forbidden(...path)] },
        });
        expect(await failureOf()).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: false });
      },
    );

    test.each([undefined, null, 'order.outstanding_tasks', { 0: 'order' }])(
      'with the path %j are treated as errors about the order',
      async (path) => {
        qualia.server.respond(...times(3, graphQlError({ message: 'Oops', path }, data)));
        expect(await failureOf()).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: true });
      },
    );

    test('at other paths do not change how an error about the order is classified', async () => {
      const transient = { message: 'Oops', path: ['order', 'order', 'price'] };
      const body = { data, errors: [forbidden('order', 'outstanding_tasks'), transient] };
      qualia.server.respond(...times(3, { body }));
      expect(await failureOf()).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: true });
    });

    test('at other paths fail the call if the response has no order', async () => {
      const elsewhere = { message: 'Oops', path: ['order', 'outstanding_tasks'] };
      qualia.server.respond(...times(3, graphQlError(elsewhere, { order: null })));
      expect(await failureOf()).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: true });
      qualia.server.respond(graphQlError(forbidden('order', 'outstanding_tasks'), { order: null }));
      expect(await failureOf()).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: false });
    });

    test('at other paths are ignored for the list of open orders', async () => {
      const list = { orders: { orders: [{ _id: 'QO-1' }] } };
      qualia.server.respond(graphQlError(forbidden('orders', 'total'), list));
      const page = { limit: 10, offset: 0, withStatus: false };
      expect(await qualia.client.listOpenOrders(page, callContext().context)).toEqual([
        { id: 'QO-1', fingerprint: undefined },
      ]);
      qualia.server.respond(graphQlError(forbidden('orders', 'orders', 0, '_id'), list));
      await expect(qualia.client.listOpenOrders(page, callContext().context)).rejects.toMatchObject({
        code: 'GRAPHQL_ERROR',
      });
    });
  });
});

test.each([{ data: { order: null } }, { data: { order: { order: null } } }, { data: { order: null }, errors: null }])(
  'a response without order and error (%j) means that the order does not exist',
  async (body) => {
    qualia.server.respond({ body });
    expect(await failureOf()).toMatchObject({ code: 'ORDER_NOT_FOUND', retryable: false });
    expect(qualia.server.calls).toHaveLength(1);
  },
);

describe('the list of open orders', () => {
  const list = async (orders: readonly unknown[], withStatus = true) => {
    qualia.server.respond({ body: { data: { orders: { orders } } } });
    return qualia.client.listOpenOrders({ limit: 10, offset: 20, withStatus }, callContext().context);
  };
  const lastBody = () => JSON.parse(qualia.server.calls.at(-1)?.body ?? '');

  test('is requested with or without the status of its orders', async () => {
    await list([]);
    expect(lastBody()).toMatchObject({
      query: expect.stringContaining('status_details'),
      variables: { limit: 10, offset: 20 },
    });
    await list([], false);
    expect(lastBody().query).not.toContain('status_details');
  });

  test('has a fingerprint for each status, and an entry for every listed order', async () => {
    const [open, same, accepted, ...others] = await list([
      { _id: 'QO-1', status: 'Open', status_details: { open: true, accepted: null } },
      { _id: 'QO-2', status: 'open', status_details: { open: true } },
      { _id: 'QO-3', status: 'open', status_details: { open: true, accepted: true } },
      { _id: 'QO-4' },
      { _id: 5 },
      null,
    ]);
    expect(open?.fingerprint).toMatch(/^[\w-]{12}$/);
    expect(same?.fingerprint).toBe(open?.fingerprint);
    expect(accepted?.fingerprint).not.toBe(open?.fingerprint);
    expect(others).toEqual(['QO-4', '', ''].map((id) => ({ id, fingerprint: undefined })));
  });
});

describe('an unreadable response', () => {
  test.each<[string, string | Buffer]>([
    ['an empty body', ''],
    ['an HTML page', '<html>maintenance</html>'],
    ['truncated JSON', qualiaResponse().slice(0, -1)],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['null', 'null'],
    ['an array', '[]'],
    ['no data', '{}'],
    ['null data', '{"data":null}'],
    ['no order field', '{"data":{}}'],
    ['an order without its id', qualiaResponse(qualiaOrder({ _id: undefined }))],
    ['an order with a null id', qualiaResponse(qualiaOrder({ _id: null }))],
    ['an order without its number', qualiaResponse(qualiaOrder({ order_number: null }))],
    [
      'an order without its number, next to an error at another path',
      JSON.stringify({
        data: { order: { order: qualiaOrder({ order_number: null }) } },
        errors: [{ message: 'No', path: ['order', 'outstanding_tasks'], extensions: { code: 'FORBIDDEN' } }],
      }),
    ],
    ['another order', qualiaResponse(qualiaOrder({ _id: 'bK8bg5tajNkDpDk26' }))],
    ['the same id in lower case', qualiaResponse(qualiaOrder({ _id: qualiaOrderId.toLowerCase() }))],
    ['properties that are not a list', qualiaResponse(qualiaOrder({ properties: 'CA' }))],
  ])('%s: three attempts, then a permanent error with the bytes received', async (_, body) => {
    qualia.server.respond(...times(3, { body }));
    const error = await failureOf();
    expect(error).toBeInstanceOf(UnreadableResponseError);
    expect(error).toMatchObject({ code: 'BAD_ANSWER', retryable: false, statusCode: 200 });
    expect(error instanceof UnreadableResponseError && Buffer.from(error.bytes)).toEqual(Buffer.from(body));
    expect(qualia.server.calls).toHaveLength(3);
  });

  test('does not appear in the formatted error', async () => {
    qualia.server.respond(...times(3, { body: 'Ada Byron' }));
    const error = await failureOf();
    expect(Object.keys(error)).not.toContain('bytes');
    expect(JSON.stringify(error) + error.stack).not.toContain('Ada');
  });

  test('is retried, and an order at the third attempt is a success', async () => {
    qualia.server.respond({ body: 'oops' }, { body: '{}' }, order);
    await expect(fetchOrder()).resolves.toMatchObject({ attempt: 3 });
  });

  test('is counted separately in every call', async () => {
    qualia.server.respond(...times(2, { body: 'oops' }), { status: 503 }, { body: 'oops' }, order);
    expect(await failureOf()).toMatchObject({ code: 'API_UNAVAILABLE' });
    await expect(fetchOrder()).resolves.toMatchObject({ attempt: 2 });
  });
});

describe('the credential', () => {
  test('is fetched again after a refusal, and the call is repeated', async () => {
    await qualia.stop();
    qualia = await startScriptedQualia({
      credential: secretOf({ username: 'us', password: 'old' }, { username: 'us', password: 'new' }),
    });
    qualia.server.respond({ status: 401 }, order);
    await expect(fetchOrder()).resolves.toMatchObject({ attempt: 1 });
    expect(qualia.server.calls.map(({ headers }) => headers.authorization)).toEqual(
      ['us:old', 'us:new'].map((pair) => `Basic ${Buffer.from(pair).toString('base64')}`),
    );
  });

  test('that cannot be read prevents the call', async () => {
    await qualia.stop();
    const unreadable = new PipelineError('SECRET_UNREADABLE', 'No', { retryable: true });
    qualia = await startScriptedQualia({ credential: unreadableSecret(unreadable) });
    expect(await failureOf()).toBe(unreadable);
    expect(qualia.server.calls).toEqual([]);
  });
});
