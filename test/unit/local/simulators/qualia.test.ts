import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type QualiaSimulator, startQualiaSimulator } from '../../../../local/simulators/qualia';
import type { SentOrder } from '../../../../local/simulators/qualia-webhook';
import type { QualiaOrder } from '../../../../samples/orders';
import { startScriptedServer, times } from '../../../support/scripted-server';

const orders: QualiaOrder[] = [
  {
    _id: 'QO-1',
    order_number: 'N-1',
    status: 'Revision Required',
    status_details: { open: true, completed: false },
    price: '125.00',
    due_date: 1767623400000,
    borrowers: [null, { full_name: 'Maria Sample' }],
    properties: null,
    outstanding_tasks: ['Submit invoice'],
    secret_extra: 'not in the schema',
  },
  { _id: 'QO-2', order_number: 'N-2', status: 'COMPLETED', status_details: { open: false, completed: true } },
  { _id: 'QO-3', order_number: 'N-3', status: null, status_details: null },
];

let qualia: QualiaSimulator;

beforeEach(async () => {
  qualia = await startQualiaSimulator({ credentials: { username: 'user', password: 'pä:ss' }, orders });
});

afterEach(() => qualia.stop());

const authorization = `Basic ${Buffer.from('user:pä:ss').toString('base64')}`;
const post = (body: unknown, headers: Record<string, string> = { authorization }) =>
  fetch(qualia.url, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
const sendRequest = async (query: string, variables?: object) => {
  const response = await post({ query, variables });
  expect(response.status).toBe(200);
  return JSON.parse(await response.text());
};
const control = async (method: string, path: string, body?: unknown) => {
  const response = await fetch(`${qualia.controlUrl}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
};
const orderQuery = 'query ($id: ID!) { order(_id: $id) { order { _id order_number price } outstanding_tasks } }';

test('serves only the requested fields, unchanged', async () => {
  const query = `query ($id: ID!) { order(_id: $id) { outstanding_tasks order {
    _id status price due_date loan_amount borrowers { full_name last_name } properties { state } sellers { full_name }
  } } }`;
  expect(await sendRequest(query, { id: 'QO-1' })).toEqual({
    data: {
      order: {
        outstanding_tasks: ['Submit invoice'],
        order: {
          _id: 'QO-1',
          status: 'Revision Required',
          price: '125.00',
          due_date: 1767623400000,
          loan_amount: null,
          borrowers: [null, { full_name: 'Maria Sample', last_name: null }],
          properties: null,
          sellers: null,
        },
      },
    },
  });
});

test('an unknown order is null', async () => {
  expect(await sendRequest(orderQuery, { id: 'QO-9' })).toEqual({ data: { order: null } });
});

test('with answersDiffer, two responses for an order differ, but the fields of the order are equal', async () => {
  await qualia.stop();
  qualia = await startQualiaSimulator({
    credentials: { username: 'user', password: 'pä:ss' },
    orders,
    answersDiffer: true,
  });
  const [first, second] = [
    await sendRequest(orderQuery, { id: 'QO-1' }),
    await sendRequest(orderQuery, { id: 'QO-1' }),
  ];
  expect(first).not.toEqual(second);
  expect(first.data.order.order).toEqual(second.data.order.order);
});

test.each([
  ['{ order(_id: "QO-1") { order { _id nonsense } } }', {}, 'GRAPHQL_VALIDATION_FAILED'],
  ['{ order { order { _id } } }', {}, 'GRAPHQL_VALIDATION_FAILED'],
  ['{ order(', {}, 'GRAPHQL_PARSE_FAILED'],
  [orderQuery, {}, 'BAD_USER_INPUT'],
  ['{ orders(input: { limit: 501 }) { total } }', {}, 'BAD_USER_INPUT'],
  ['{ orders(input: { offset: -1 }) { total } }', {}, 'BAD_USER_INPUT'],
])('%s is an error', async (query, variables, code) => {
  for (let time = 0; time < 2; time += 1) {
    expect(await sendRequest(query, variables)).toMatchObject({ errors: [{ extensions: { code } }] });
  }
});

test('lists orders in pages, by status or flag, in any case', async () => {
  const query = 'query ($input: OrdersInput!) { orders(input: $input) { total orders { _id } } }';
  const ids = async (input: object) => {
    const { data } = await sendRequest(query, { input });
    return [data.orders.total, ...data.orders.orders.map(({ _id }: QualiaOrder) => _id)];
  };
  expect(await ids({})).toEqual([3, 'QO-1', 'QO-2', 'QO-3']);
  expect(await ids({ limit: 1, offset: 1 })).toEqual([3, 'QO-2']);
  expect(await ids({ status: 'open' })).toEqual([1, 'QO-1']);
  expect(await ids({ status: 'Revision Required' })).toEqual([1, 'QO-1']);
  expect(await ids({ status: 'completed' })).toEqual([1, 'QO-2']);
});

test.each([
  ['no credentials', () => post({ query: '{ __typename }' }, {}), 401],
  ['other credentials', () => post({ query: '{ __typename }' }, { authorization: 'Basic dTpw' }), 401],
  ['not JSON', () => post('{'), 400],
  ['no query', () => post({ variables: {} }), 400],
  ['GET', () => fetch(qualia.url, { headers: { authorization } }), 405],
  ['another path', () => fetch(new URL('/graphql', qualia.url), { headers: { authorization } }), 404],
])('%s is refused', async (_name, send, status) => {
  expect((await send()).status).toBe(status);
});

test.each([
  [{ kind: 'graphql_error' }, { errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] }],
  [
    { kind: 'graphql_error', code: 'FORBIDDEN', message: 'no' },
    { errors: [{ message: 'no', extensions: { code: 'FORBIDDEN' } }] },
  ],
  [{ kind: 'not_found' }, { errors: [{ message: 'Order not found', extensions: { code: 'NOT_FOUND' } }] }],
  [{ kind: 'null_order' }, { data: { order: null } }],
])('the fault %j changes the GraphQL response for the order that it matches', async (fault, response) => {
  const set = await control('PUT', '/faults', [{ ...fault, match: { operation: 'order', order_id: 'QO-1' } }]);
  expect(set.status).toBe(200);
  expect(await sendRequest(orderQuery, { id: 'QO-1' })).toMatchObject(response);
  expect(await sendRequest('{ order(_id: "QO-1") { order { _id } } }')).toMatchObject(response);
  expect(await sendRequest(orderQuery, { id: 'QO-2' })).toMatchObject({ data: { order: { order: { _id: 'QO-2' } } } });
});

test('the control API adds, reads, replaces and changes orders', async () => {
  const price = async (id: string) => (await sendRequest(orderQuery, { id })).data.order?.order.price;
  expect((await control('POST', '/orders', [{ _id: 'QO-4', order_number: 'N-4', price: 1 }])).body).toEqual({
    orders: 4,
  });
  expect(await price('QO-4')).toBe(1);
  await control('PATCH', '/orders/QO-4', { price: 2, _id: 'ignored' });
  expect(await price('QO-4')).toBe(2);
  await control('PUT', '/orders/QO-4', { _id: 'QO-4', order_number: 'N-4' });
  expect(await price('QO-4')).toBeNull();
  expect((await control('GET', '/orders/QO-4')).body).toEqual({ _id: 'QO-4', order_number: 'N-4' });
  expect((await control('GET', '/orders/QO-5')).status).toBe(404);
  expect((await control('PATCH', '/orders/QO-5', {})).status).toBe(404);
  expect((await control('POST', '/orders', [{ _id: '' }])).status).toBe(422);
});

describe('the list of orders', () => {
  const list = async (limit: number, offset: number, fields = '_id'): Promise<unknown> => {
    const input = `{ status: "completed", limit: ${limit}, offset: ${offset} }`;
    const { data, errors } = await sendRequest(`{ orders(input: ${input}) { orders { ${fields} } } }`);
    return errors?.[0].extensions.code ?? data.orders.orders.map(({ _id }: QualiaOrder) => _id);
  };
  beforeEach(async () => {
    const more = ['QO-4', 'QO-5'].map((_id) => ({ _id, order_number: _id, status: 'Completed' }));
    await control('POST', '/orders', more);
  });
  const behave = async (settings: object) => expect((await control('PUT', '/list', settings)).status).toBe(200);

  test('shows the status of its orders by default', async () => {
    expect(await list(1, 0, '_id status status_details { open }')).toEqual(['QO-2']);
    await behave({ status_fields: false });
    expect(await list(1, 0, '_id status')).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await list(1, 0, '_id status_details { open }')).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(await list(1, 0)).toEqual(['QO-2']);
    expect(await sendRequest('{ order(_id: "QO-1") { order { _id status } } }')).toMatchObject({ data: {} });
  });

  test('can have shorter pages than requested, or always return the first one', async () => {
    await behave({ longest_page: 2 });
    expect(await list(9, 0)).toEqual(['QO-2', 'QO-4']);
    await behave({ longest_page: 2, ignores_offset: true });
    expect(await list(9, 2)).toEqual(['QO-2', 'QO-4']);
    await behave({});
    expect(await list(9, 2)).toEqual(['QO-5']);
    expect((await control('PUT', '/list', { longest_page: 0 })).status).toBe(422);
  });

  test('can shift while it is read', async () => {
    await control(
      'POST',
      '/orders',
      ['QO-6', 'QO-7', 'QO-8'].map((_id) => ({ _id, order_number: _id, status: 'open' })),
    );
    await behave({ completes_per_page: 1 });
    const open = async (offset: number) =>
      (await sendRequest(`{ orders(input: { status: "open", limit: 2, offset: ${offset} }) { orders { _id } } }`)).data
        .orders.orders;
    expect(await open(1)).toEqual([{ _id: 'QO-6' }, { _id: 'QO-7' }]);
    expect(await open(1)).toEqual([{ _id: 'QO-7' }, { _id: 'QO-8' }]);
  });
});

describe('new orders', () => {
  const stateFolder = mkdtempSync(join(tmpdir(), 'new-orders-'));
  afterAll(() => rmSync(stateFolder, { recursive: true }));

  const sent: SentOrder[] = [];
  const startWithNewOrders = () =>
    startQualiaSimulator({
      credentials: { username: 'user', password: 'pä:ss' },
      orders: [],
      newOrders: {
        content: (nth) => ({ _id: 'replaced', order_number: 'replaced', price: nth }),
        stateFolder,
        onSent: (order) => sent.push(order),
      },
    });
  const restart = async () => {
    await qualia.stop();
    qualia = await startWithNewOrders();
  };

  test('are posted to the registered webhook, each with its own ID, and survive a restart', async () => {
    const webhook = await startScriptedServer();
    webhook.respond(...times(2, { body: { status: 'queued' } }));
    await restart();
    const registered = { url: `${webhook.origin}/webhooks/qualia`, username: 'qualia', password: 'secret' };
    expect(await control('PUT', '/webhook', registered)).toEqual({ status: 200, body: { url: registered.url } });
    const responses = [await control('POST', '/new-order'), await control('POST', '/new-order')];
    const ids = responses.map(({ body }) => body.order_id);
    expect(new Set(ids).size).toBe(2);
    expect(responses).toEqual(sent.map((body) => ({ status: 201, body })));
    expect(sent[0]?.webhook).toEqual({ status: 200, body: { status: 'queued' } });

    expect(webhook.calls.map(({ body }) => JSON.parse(body))).toEqual(
      ids.map((order_id) => ({
        order_id,
        notification_type: 'order.created',
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      })),
    );
    expect(webhook.calls[0]).toMatchObject({
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from('qualia:secret').toString('base64')}`,
        'content-type': 'application/json',
      },
    });

    await restart();
    for (const [nth, id] of ids.entries()) {
      expect(id).toMatch(/^QO-\d+$/);
      expect((await control('GET', `/orders/${id}`)).body).toMatchObject({ _id: id, price: nth });
    }
    await webhook.stop();
  });

  test('are refused while no webhook is registered', async () => {
    await restart();
    expect(await control('POST', '/new-order')).toEqual({ status: 409, body: { error: 'no_webhook' } });
    expect((await control('PUT', '/webhook', { url: 'nowhere' })).status).toBe(422);
  });
});
