import { type HttpApi, startHttpApi } from '../../../../emulator/http-api/http-api';
import type { LambdaFunction } from '../../../../emulator/lambda/functions';
import type { LoopbackServer } from '../../../../emulator/loopback-server';

const api: HttpApi = {
  apiId: 'api',
  routes: [{ routeKey: 'GET /', target: { functionArn: 'f', timeoutMs: 50 } }],
  throttle: undefined,
};
let server: LoopbackServer | undefined;
afterEach(() => server?.stop());

type Target = Pick<LambdaFunction, 'invoke' | 'isThrottled'>;
const works: Target = { isThrottled: () => false, invoke: async () => ({ payload: '"done"' }) };

/** How a request is answered by an API before a function. */
const answerOf = async (read: () => HttpApi | 'starting' | undefined, target: Target = works) => {
  server = await startHttpApi(read, () => target);
  const response = await fetch(server.url);
  return [response.status, await response.text()];
};

const unavailable = [503, '{"message":"Service Unavailable"}'];

test('a request is answered 503 while the application starts', async () => {
  expect(await answerOf(() => 'starting')).toEqual(unavailable);
});

test('a request is answered as soon as the application has started', async () => {
  let read: HttpApi | 'starting' = 'starting';
  expect(await answerOf(() => read)).toEqual(unavailable);
  read = api;
  expect(await (await fetch(server?.url ?? '')).text()).toBe('done');
});

test('an application without an API answers 404', async () => {
  expect(await answerOf(() => undefined)).toEqual([404, '{"message":"Not Found"}']);
});

test('a request beyond the concurrency of its function is answered 503, and invokes nothing', async () => {
  const invoke = jest.fn(works.invoke);
  expect(await answerOf(() => api, { isThrottled: () => true, invoke })).toEqual(unavailable);
  expect(invoke).not.toHaveBeenCalled();
});

test('a request that takes longer than its integration may is answered 503', async () => {
  const invoke = () => new Promise<never>(() => undefined);
  expect(await answerOf(() => api, { ...works, invoke })).toEqual(unavailable);
});
