import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type InternalApiSimulator, startInternalApiSimulator } from '../../../../local/simulators/internal-api';

const order = {
  externalOrderId: 'N-1',
  qualiaOrderId: 'QO-1',
  source: 'QUALIA_MARKETPLACE',
  productCategory: 'TITLE',
  productType: 'title_search',
  productName: 'Full Title Search',
  purpose: 'Purchase',
  transactionType: 'Residential',
  orderStatus: 'REVISION_REQUIRED',
  state: { stateCode: 'CA', stateName: 'California' },
  properties: [
    { address: { addressLine1: '1 Sample Street', city: 'Fairview', state: 'CA', zip: '90001' } },
    { address: {} },
  ],
  agency: { agencyName: '', contact: { name: 'Maria Sample' } },
  borrowers: [{ fullName: 'Maria Sample' }],
  sellers: [{ firstName: 'James', lastName: 'Doe-Placeholder' }],
  price: 125,
  purchasePrice: 400000.5,
  loanAmount: 0,
  dueDate: '2026-02-28',
  projectedCloseDate: '2026-02-28T15:00:00.000Z',
  notes: '',
};
const minimal = {
  externalOrderId: 'N-2',
  qualiaOrderId: 'QO-2',
  source: order.source,
  productCategory: '',
  agency: { agencyName: '' },
  notes: '',
};

let folder: string;
let api: InternalApiSimulator;
const start = () => startInternalApiSimulator({ credentials: { token: 'token' }, stateFolder: folder });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'internal-api-'));
  api = await start();
});

afterEach(async () => {
  await api.stop();
  rmSync(folder, { recursive: true });
});

const key = (digit: string) => `QO-1:${digit.repeat(32)}`;
const post = async (body: unknown, headers: Record<string, string> = {}) => {
  const response = await fetch(api.url, {
    method: 'POST',
    headers: {
      authorization: 'Bearer token',
      'content-type': 'application/json',
      'idempotency-key': key('a'),
      'x-request-id': 'request',
      'x-order-round': '0001',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
};
const control = async (path: string, method = 'GET', body?: unknown) => {
  const response = await fetch(`${api.controlUrl}${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: JSON.parse(await response.text()) };
};
const none = { posts: 0, distinct_orders: 0, posted_again: {}, duplicates: 0, older_rounds: 0, invalid: 0 };

test('accepts an order once per idempotency key', async () => {
  expect((await post(order)).status).toBe(201);
  expect((await post(order)).status).toBe(409);
  expect((await post({ ...order, price: 126 }, { 'idempotency-key': key('b') })).status).toBe(201);
  expect((await post(minimal, { 'idempotency-key': key('c') })).status).toBe(201);
  expect((await control('/orders')).body).toEqual({
    ...none,
    posts: 3,
    distinct_orders: 2,
    posted_again: { 'QO-1': 2 },
    duplicates: 1,
  });
});

test('counts the posts of some orders', async () => {
  await post(order);
  await post({ ...order, price: 126 }, { 'idempotency-key': key('b') });
  await post(minimal, { 'idempotency-key': key('c') });
  const counts = { posts: 2, distinct_orders: 1, posted_again: { 'QO-1': 2 } };
  expect(await control('/counts', 'POST', ['QO-1', 'QO-9'])).toEqual({ status: 200, body: counts });
});

test('reports the posts of an order by either ID; the last POST wins', async () => {
  await post(order, { 'x-order-round': '0002' });
  await post({ ...order, price: 1 }, { 'x-order-round': '0001', 'idempotency-key': key('b') });
  for (const id of ['QO-1', 'N-1']) {
    const { body } = await control(`/orders/${id}`);
    expect(body).toMatchObject({
      order_id: 'QO-1',
      newest_round: '0002',
      posts: [
        { outcome: 'taken', round: '0002', idempotency_key: key('a'), request_id: 'request' },
        { outcome: 'taken', round: '0001' },
      ],
      body: { ...order, price: 1 },
    });
  }
  expect((await control('/orders/QO-9')).status).toBe(404);
});

test('refuses an older round only with refuse-older-rounds', async () => {
  await control('/refuse-older-rounds', 'PUT', true);
  await post(order, { 'x-order-round': '0002' });
  expect((await post(order, { 'x-order-round': '0001', 'idempotency-key': key('b') })).status).toBe(412);
  expect((await post(order, { 'x-order-round': '0002', 'idempotency-key': key('c') })).status).toBe(201);
  await control('/refuse-older-rounds', 'PUT', false);
  expect((await post(order, { 'x-order-round': '0001', 'idempotency-key': key('b') })).status).toBe(201);
  expect((await control('/orders')).body).toEqual({
    ...none,
    posts: 3,
    distinct_orders: 1,
    posted_again: { 'QO-1': 3 },
    older_rounds: 1,
  });
});

test('keeps its posts after a restart, even with an incomplete last line', async () => {
  await post(order);
  await post({ ...order, notes: 'x' }, { 'idempotency-key': key('b') });
  await post(order);
  await api.stop();
  appendFileSync(join(folder, 'internal-api.ndjson'), '{"at":"2026-01-0');
  api = await start();
  expect((await control('/orders')).body).toEqual({ ...none, posts: 1, distinct_orders: 1, duplicates: 1, invalid: 1 });
  expect((await post(order)).status).toBe(409);
  await post(minimal, { 'idempotency-key': key('d') });
  await api.stop();
  api = await start();
  expect((await control('/orders/QO-2')).body.body).toEqual(minimal);
  expect((await control('/orders/QO-1')).body.posts).toHaveLength(3);
});

test.each([
  ['an unknown field', { ...order, extra: 1 }, ['body']],
  [
    'every fault at once',
    { ...order, source: 'X', price: '1', notes: 'x' },
    ['body.source', 'body.price', 'body.notes'],
  ],
  [
    'a state outside the 54',
    { ...order, state: { stateCode: 'ZZ', stateName: 'Nowhere' } },
    ['body.state.stateCode', 'body.state'],
  ],
  ['a state with another name', { ...order, state: { stateCode: 'CA', stateName: 'Texas' } }, ['body.state']],
  ['an empty list that should be left out', { ...order, sellers: [] }, ['body.sellers']],
  ['an empty contact', { ...order, agency: { agencyName: 'A', contact: {} } }, ['body.agency.contact']],
  ['an empty address line', { ...order, properties: [{ address: { city: '' } }] }, ['body.properties.0.address.city']],
  ['a null', { ...order, purpose: null }, ['body.purpose']],
  [
    'lower case',
    { ...order, productCategory: 'Title', orderStatus: 'open' },
    ['body.productCategory', 'body.orderStatus'],
  ],
  ['a status with spaces', { ...order, orderStatus: 'REVISION REQUIRED' }, ['body.orderStatus']],
  ['a date in another format', { ...order, dueDate: '02/28/2026' }, ['body.dueDate']],
  ['an invalid date', { ...order, dueDate: '2026-02-30' }, ['body.dueDate']],
  ['a date with an offset', { ...order, dueDate: '2026-02-28T10:00:00-05:00' }, ['body.dueDate']],
])('responds 422 to %s', async (_name, body, paths) => {
  const response = await post(body);
  expect(response.status).toBe(422);
  expect(response.body.details.map(({ path }: { path: string }) => path)).toEqual(paths);
  expect((await control('/orders')).body).toEqual({ ...none, invalid: 1 });
});

test.each([
  ['no token', { authorization: '' }, order, 401],
  ['an idempotency key in another format', { 'idempotency-key': 'QO-1' }, order, 422],
  ['no round', { 'x-order-round': '' }, order, 422],
  ['another content type', { 'content-type': 'text/plain' }, order, 415],
  ['invalid JSON', {}, '{', 400],
])('%s is refused', async (_name, headers, body, status) => {
  expect((await post(body, headers)).status).toBe(status);
});

test.each([
  ['GET', '/orders', 405],
  ['POST', '/other', 404],
])('%s %s gets %i', async (method, path, status) => {
  const headers = { authorization: 'Bearer token' };
  expect((await fetch(new URL(path, api.url), { method, headers })).status).toBe(status);
});

test('faults match on the order; a lost_answer still accepts the order', async () => {
  const faults = [{ kind: 'lost_answer', match: { order_id: 'QO-1', external_order_id: 'N-1' }, times: 1 }];
  expect((await control('/faults', 'PUT', faults)).status).toBe(200);
  await expect(post(order)).rejects.toThrow();
  expect((await post(order)).status).toBe(409);
});
