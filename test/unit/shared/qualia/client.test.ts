import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { PipelineError } from '../../../../shared/errors';
import { UnreadableResponseError } from '../../../../shared/qualia/client';
import { orderQuery } from '../../../../shared/qualia/query';
import { callContext } from '../../../support/call-context';
import { qualiaAnswer, qualiaOrder, qualiaOrderId } from '../../../support/qualia-orders';
import { startScriptedQualia } from '../../../support/scripted-apis';
import type { ScriptedResponse } from '../../../support/scripted-server';
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
const times = (count: number, answer: ScriptedResponse): ScriptedResponse[] =>
  Array.from({ length: count }, () => answer);
const order: ScriptedResponse = { body: qualiaAnswer() };
const graphQlError = (error: unknown, data: unknown = null): ScriptedResponse => ({ body: { data, errors: [error] } });

describe('the request', () => {
  test('is exactly what the contract says', async () => {
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

  test('goes over connections that are kept', async () => {
    qualia.server.respond(...times(10, order));
    for (let n = 0; n < 10; n++) await fetchOrder();
    // The pool may open a second one while the first is just about to be free.
    expect(qualia.server.connections()).toBeLessThanOrEqual(2);
  });

  test('goes over 20 connections at most', async () => {
    let arrived = 0;
    let open: (value?: unknown) => void = () => {};
    const gate = new Promise((resolve) => (open = resolve));
    const before = () => {
      if (++arrived === 20) open();
      return gate;
    };
    qualia.server.respond(...times(30, { ...order, before }));
    await Promise.all(Array.from({ length: 30 }, () => fetchOrder()));
    expect(qualia.server.connections()).toBe(20);
  });
});

describe('an order', () => {
  test('comes byte for byte as received', async () => {
    const bytes = `  ${qualiaAnswer(qualiaOrder({ price: '1.50', later: 'ü' }))}\r\n`;
    qualia.server.respond({ body: bytes, before: () => qualia.clock.pass(120) });
    expect(await fetchOrder()).toEqual({ bytes: Buffer.from(bytes), attempt: 1, responseTimeMs: 120 });
  });

  test('may have a number beyond 2^53', async () => {
    const bytes = qualiaAnswer().replace('"QO-123456"', '9007199254740993');
    qualia.server.respond({ body: bytes });
    expect((await fetchOrder()).bytes).toEqual(Buffer.from(bytes));
  });

  test.each([
    ['no errors', { errors: [] }],
    ['errors that are null', { errors: null }],
    ['an unknown error', { extensions: {} }],
  ])('may come with %s', async (_, extra) => {
    qualia.server.respond({ body: { ...JSON.parse(qualiaAnswer()), ...extra } });
    await expect(fetchOrder()).resolves.toMatchObject({ attempt: 1 });
  });

  test('may hold null for anything but its id and number', async () => {
    const nulls = Object.fromEntries(Object.keys(qualiaOrder()).map((field) => [field, null]));
    qualia.server.respond({ body: qualiaAnswer({ ...nulls, _id: qualiaOrderId, order_number: 'b' }) });
    await expect(fetchOrder()).resolves.toMatchObject({ attempt: 1 });
  });
});

describe('an order that is compressed', () => {
  const json = `\ufeff  ${qualiaAnswer()}\r\n`;

  test.each<[string, (text: string) => Buffer]>([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
    ['gzip, br', (text) => brotliCompressSync(gzipSync(text))],
  ])('in %s is kept as the JSON that was encoded', async (coding, encode) => {
    qualia.server.respond({ body: encode(json), headers: { 'content-encoding': coding } });
    expect(await fetchOrder()).toMatchObject({ bytes: Buffer.from(json), attempt: 1 });
    expect(qualia.server.calls[0]?.headers['accept-encoding']).toBe('gzip, br, deflate');
  });

  test.each(['zstd', 'gzip'])('in a way that we cannot decode (%s) may pass, and says so', async (coding) => {
    qualia.server.respond(...times(3, { body: json, headers: { 'content-encoding': coding } }));
    expect(await failureOf()).toMatchObject({
      code: 'BAD_ANSWER',
      retryable: true,
      message: expect.stringMatching(/content encoding/),
    });
    expect(qualia.server.calls).toHaveLength(3);
  });

  test('to hide more than 4 MiB is refused', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1_024 * 1_024));
    qualia.server.respond({ body: bomb, headers: { 'content-encoding': 'gzip' } });
    expect(await failureOf()).toMatchObject({ code: 'BAD_ANSWER', retryable: false });
    expect(qualia.server.calls).toHaveLength(1);
  });
});

describe('a status that is final', () => {
  test.each([300, 302, 400, 401, 402, 403, 404, 405, 406, 409, 410, 413, 415, 418, 422, 451])('%i', async (status) => {
    qualia.server.respond({ status, headers: { 'retry-after': '1' }, body: qualiaAnswer() });
    expect(await failureOf()).toMatchObject({
      code: 'API_REFUSED',
      retryable: false,
      api: 'qualia',
      statusCode: status,
      retryAfterMs: undefined,
    });
    expect(qualia.server.calls).toHaveLength(1);
  });
});

describe('a fault that may pass', () => {
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
    ['a hang-up', { hangUp: true }, 'CONNECTION_FAULT', undefined],
  ];

  test.each(faults)(
    '%s: three tries with full jitter, then it is left to the queue',
    async (_, answer, code, statusCode) => {
      qualia.server.respond(...times(3, answer));
      const { context, failedTries } = callContext();
      const error = await failureOf(context);
      expect(error).toMatchObject({ code, retryable: true, api: 'qualia', statusCode, retryAfterMs: undefined });
      expect(qualia.server.calls).toHaveLength(3);
      expect(qualia.waitsMs).toEqual([250, 500]);
      expect(failedTries).toEqual([
        { error: expect.objectContaining({ code }), attempt: 1, waitMs: 250 },
        { error: expect.objectContaining({ code }), attempt: 2, waitMs: 500 },
      ]);
    },
  );

  test.each(faults)('%s: passes with the third try', async (_, answer) => {
    qualia.server.respond(answer, answer, order);
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
    'of code %s are final',
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
    ['of another code', { message: 'Oops', extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    ['of no code', { message: 'The database is busy' }],
    ['of no message', {}],
    ['with strange extensions', { message: 'Oops', extensions: { code: 7 } }],
    ['with null extensions', { message: 'Oops', extensions: null }],
    ['with a message that is no text', { message: { en: 'Oops' } }],
    ['that are a mere text', 'Oops'],
    ['that are null', null],
  ])('%s may pass', async (_, error) => {
    qualia.server.respond(...times(3, graphQlError(error, { order: null })));
    expect(await failureOf()).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: true });
    expect(qualia.server.calls).toHaveLength(3);
  });

  test('are final when any of several is', async () => {
    const errors = [{ message: 'Oops' }, { message: 'x', extensions: { code: 'FORBIDDEN' } }];
    qualia.server.respond({ body: { errors } });
    expect(await failureOf()).toMatchObject({ retryable: false });
  });

  describe('beside an order', () => {
    const { data } = JSON.parse(qualiaAnswer());
    const forbidden = (...path: unknown[]) => ({ message: 'No', path, extensions: { code: 'FORBIDDEN' } });

    test.each([
      [['order', 'outstanding_tasks']],
      [['order', 'outstanding_tasks', 0, 'name']],
      [['orders']],
      [['viewer', 'order', 'order']],
    ])('at %j do not matter: it was received, and is kept byte for byte', async (path) => {
      const body = JSON.stringify({ data, errors: [forbidden(...path), forbidden(...path)] });
      qualia.server.respond({ body });
      expect(await fetchOrder()).toMatchObject({ bytes: Buffer.from(body), attempt: 1 });
    });

    test.each([[['order', 'order']], [['order', 'order', 'borrowers', 0]], [['order']], [[]]])(
      'at %j count',
      async (path) => {
        qualia.server.respond({
          body: { data, errors: [forbidden('order', 'outstanding_tasks'), forbidden(...path)] },
        });
        expect(await failureOf()).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: false });
      },
    );

    test.each([undefined, null, 'order.outstanding_tasks', { 0: 'order' }])(
      'with the path %j may be about the order',
      async (path) => {
        qualia.server.respond(...times(3, graphQlError({ message: 'Oops', path }, data)));
        expect(await failureOf()).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: true });
      },
    );

    test('elsewhere do not decide what those about the order mean', async () => {
      const passing = { message: 'Oops', path: ['order', 'order', 'price'] };
      const body = { data, errors: [forbidden('order', 'outstanding_tasks'), passing] };
      qualia.server.respond(...times(3, { body }));
      expect(await failureOf()).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: true });
    });

    test('elsewhere count when they took the order away', async () => {
      const elsewhere = { message: 'Oops', path: ['order', 'outstanding_tasks'] };
      qualia.server.respond(...times(3, graphQlError(elsewhere, { order: null })));
      expect(await failureOf()).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: true });
      qualia.server.respond(graphQlError(forbidden('order', 'outstanding_tasks'), { order: null }));
      expect(await failureOf()).toMatchObject({ code: 'GRAPHQL_ERROR', retryable: false });
    });

    test('elsewhere do not matter to the list of open orders', async () => {
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
  'no order and no error, %j: there is none',
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

describe('an answer that cannot be read', () => {
  test.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['a page', '<html>maintenance</html>'],
    ['JSON cut off', qualiaAnswer().slice(0, -1)],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['null', 'null'],
    ['a list', '[]'],
    ['no data', '{}'],
    ['null data', '{"data":null}'],
    ['no order field', '{"data":{}}'],
    ['an order without its id', qualiaAnswer(qualiaOrder({ _id: undefined }))],
    ['an order with a null id', qualiaAnswer(qualiaOrder({ _id: null }))],
    ['an order without its number', qualiaAnswer(qualiaOrder({ order_number: null }))],
    [
      'an order without its number, beside an error elsewhere',
      JSON.stringify({
        data: { order: { order: qualiaOrder({ order_number: null }) } },
        errors: [{ message: 'No', path: ['order', 'outstanding_tasks'], extensions: { code: 'FORBIDDEN' } }],
      }),
    ],
    ['another order', qualiaAnswer(qualiaOrder({ _id: 'bK8bg5tajNkDpDk26' }))],
    ['the same id in other letters', qualiaAnswer(qualiaOrder({ _id: qualiaOrderId.toLowerCase() }))],
    ['properties that are none', qualiaAnswer(qualiaOrder({ properties: 'CA' }))],
  ])('%s: two more tries, then final, with its bytes', async (_, body) => {
    qualia.server.respond(...times(3, { body }));
    const error = await failureOf();
    expect(error).toBeInstanceOf(UnreadableResponseError);
    expect(error).toMatchObject({ code: 'BAD_ANSWER', retryable: false, statusCode: 200 });
    expect(error instanceof UnreadableResponseError && Buffer.from(error.bytes)).toEqual(Buffer.from(body));
    expect(qualia.server.calls).toHaveLength(3);
  });

  test('does not have its bytes in the formatted error', async () => {
    qualia.server.respond(...times(3, { body: 'Ada Byron' }));
    const error = await failureOf();
    expect(Object.keys(error)).not.toContain('bytes');
    expect(JSON.stringify(error) + error.stack).not.toContain('Ada');
  });

  test('twice, and then an order, is an order', async () => {
    qualia.server.respond({ body: 'oops' }, { body: '{}' }, order);
    await expect(fetchOrder()).resolves.toMatchObject({ attempt: 3 });
  });

  test('is counted anew in every call', async () => {
    qualia.server.respond(...times(2, { body: 'oops' }), { status: 503 }, { body: 'oops' }, order);
    expect(await failureOf()).toMatchObject({ code: 'API_UNAVAILABLE' });
    await expect(fetchOrder()).resolves.toMatchObject({ attempt: 2 });
  });
});

describe('the credential', () => {
  test('is fetched again when it was refused, and tried once more', async () => {
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

  test('that cannot be had makes no call', async () => {
    await qualia.stop();
    const unreadable = new PipelineError('SECRET_UNREADABLE', 'No', { retryable: true });
    qualia = await startScriptedQualia({ credential: unreadableSecret(unreadable) });
    expect(await failureOf()).toBe(unreadable);
    expect(qualia.server.calls).toEqual([]);
  });
});
