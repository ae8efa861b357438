import { type QualiaOrder, type QualiaSimulator, startQualiaSimulator } from '../../../../local/simulators/qualia';

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
const ask = async (query: string, variables?: object) => {
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

test('serves the fields asked for and no others, as untidy as they are', async () => {
  const query = `query ($id: ID!) { order(_id: $id) { outstanding_tasks order {
    _id status price due_date loan_amount borrowers { full_name last_name } properties { state } sellers { full_name }
  } } }`;
  expect(await ask(query, { id: 'QO-1' })).toEqual({
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
  expect(await ask(orderQuery, { id: 'QO-9' })).toEqual({ data: { order: null } });
});

test('where told so, no two answers about an order are the same, and its fields are', async () => {
  await qualia.stop();
  qualia = await startQualiaSimulator({
    credentials: { username: 'user', password: 'pä:ss' },
    orders,
    answersDiffer: true,
  });
  const [first, second] = [await ask(orderQuery, { id: 'QO-1' }), await ask(orderQuery, { id: 'QO-1' })];
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
    expect(await ask(query, variables)).toMatchObject({ errors: [{ extensions: { code } }] });
  }
});

test('lists orders in pages, by status or flag, in any case', async () => {
  const query = 'query ($input: OrdersInput!) { orders(input: $input) { total orders { _id } } }';
  const ids = async (input: object) => {
    const { data } = await ask(query, { input });
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
])('%s', async (_name, send, status) => {
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
])('the fault %j is a GraphQL answer to the order that it matches', async (fault, answer) => {
  const set = await control('PUT', '/faults', [{ ...fault, match: { operation: 'order', order_id: 'QO-1' } }]);
  expect(set.status).toBe(200);
  expect(await ask(orderQuery, { id: 'QO-1' })).toMatchObject(answer);
  expect(await ask('{ order(_id: "QO-1") { order { _id } } }')).toMatchObject(answer);
  expect(await ask(orderQuery, { id: 'QO-2' })).toMatchObject({ data: { order: { order: { _id: 'QO-2' } } } });
});

test('orders are added, read, replaced and changed by control', async () => {
  const price = async (id: string) => (await ask(orderQuery, { id })).data.order?.order.price;
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
