import { type HttpApi, startHttpApi } from '../../../../emulator/http-api/http-api';
import type { LambdaFunction } from '../../../../emulator/lambda/functions';
import type { LoopbackServer } from '../../../../emulator/loopback-server';

const api: HttpApi = {
  apiId: 'api',
  routes: [{ routeKey: 'GET /', target: { functionArn: 'f', timeoutMs: 50 } }],
  throttle: undefined,
  routeThrottles: new Map(),
};
let server: LoopbackServer | undefined;
afterEach(() => server?.stop());

type Target = Pick<LambdaFunction, 'invoke' | 'throttles'>;
const works: Target = { throttles: () => false, invoke: async () => ({ payload: '"done"' }) };

/** Status and body of the response to a request. */
const responseOf = async (read: () => HttpApi | 'starting' | undefined, target: Target = works) => {
  server = await startHttpApi(read, () => target);
  const response = await fetch(server.url);
  return [response.status, await response.text()];
};

const unavailable = [503, '{"message":"Service Unavailable"}'];

test('a request during the start gets a 503', async () => {
  expect(await responseOf(() => 'starting')).toEqual(unavailable);
});

test('a request after the start is served', async () => {
  let read: HttpApi | 'starting' = 'starting';
  expect(await responseOf(() => read)).toEqual(unavailable);
  read = api;
  expect(await (await fetch(server?.url ?? '')).text()).toBe('done');
});

test('without an API, every request gets a 404', async () => {
  expect(await responseOf(() => undefined)).toEqual([404, '{"message":"Not Found"}']);
});

test('a request beyond the function’s concurrency gets a 503 and does not invoke the function', async () => {
  const invoke = jest.fn(works.invoke);
  expect(await responseOf(() => api, { throttles: () => true, invoke })).toEqual(unavailable);
  expect(invoke).not.toHaveBeenCalled();
});

test('a request that exceeds the integration’s timeout gets a 503', async () => {
  const invoke = () => new Promise<never>(() => undefined);
  expect(await responseOf(() => api, { ...works, invoke })).toEqual(unavailable);
});

test('a route with its own throttle has its own limit; the other routes share the limit of the stage', async () => {
  const target = { functionArn: 'f', timeoutMs: 50 };
  const throttled: HttpApi = {
    apiId: 'api',
    routes: ['GET /', 'GET /a', 'GET /b'].map((routeKey) => ({ routeKey, target })),
    throttle: { ratePerSecond: 0.001, burst: 3 },
    routeThrottles: new Map([['GET /', { ratePerSecond: 0.001, burst: 1 }]]),
  };
  server = await startHttpApi(
    () => throttled,
    () => works,
  );
  const statuses = [];
  for (const path of ['/', '/', '/a', '/b', '/', '/a', '/b']) {
    statuses.push((await fetch(server.url + path)).status);
  }
  expect(statuses).toEqual([200, 429, 200, 200, 429, 200, 429]);
});
