import { createRouter } from '../../../../emulator/http-api/routes';

const routeKeys = ['$default', 'ANY /{proxy+}', 'GET /orders/{id}', 'ANY /orders/new', 'GET /orders/new', 'POST /a.b'];
const route = createRouter(routeKeys.map((routeKey) => ({ routeKey, target: routeKey })));

test.each([
  ['GET', '/orders/new', 'GET /orders/new', undefined],
  ['PUT', '/orders/new', 'ANY /orders/new', undefined],
  ['GET', '/orders/a%20b', 'GET /orders/{id}', { id: 'a b' }],
  ['GET', '/orders/%', 'GET /orders/{id}', { id: '%' }],
  ['PUT', '/orders/1', 'ANY /{proxy+}', { proxy: 'orders/1' }],
  ['GET', '/orders/1/lines', 'ANY /{proxy+}', { proxy: 'orders/1/lines' }],
  ['POST', '/a.b', 'POST /a.b', undefined],
  ['POST', '/aXb', 'ANY /{proxy+}', { proxy: 'aXb' }],
  ['GET', '/', '$default', undefined],
])('%s %s matches %s', (method, path, routeKey, pathParameters) => {
  expect(route(method, path)).toEqual({ routeKey, target: routeKey, pathParameters });
});

test('without $default, a request can match no route', () => {
  expect(createRouter([{ routeKey: 'GET /health', target: 1 }])('POST', '/health')).toBeUndefined();
});
