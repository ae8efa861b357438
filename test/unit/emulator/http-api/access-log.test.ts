import { accessLine } from '../../../../emulator/http-api/access-log';
import { type HttpApi, startHttpApi } from '../../../../emulator/http-api/http-api';
import type { LambdaFunction } from '../../../../emulator/lambda/functions';

const api: HttpApi = {
  apiId: 'api',
  routes: [{ routeKey: 'POST /hook', target: { functionArn: 'f', timeoutMs: 50 } }],
  throttle: undefined,
  routeThrottles: new Map(),
};
const format = JSON.stringify({
  id: '$context.requestId',
  time: '$context.requestTime',
  source_ip: '$context.identity.sourceIp',
  route: '$context.routeKey',
  status_code: '$context.status',
  latency_ms: '$context.responseLatency',
  error: '$context.error.message',
  integration_status: '$context.integrationStatus',
  integration_error: '$context.integrationErrorMessage',
  unknown: '$context.authorizer.claims',
});

type Target = Pick<LambdaFunction, 'invoke' | 'throttles'>;
const works: Target = { throttles: () => false, invoke: async () => ({ payload: '"done"' }) };

/** The line about one request. */
const lineOf = async (path: string, target: Target): Promise<unknown> => {
  const lines: string[] = [];
  const server = await startHttpApi(
    () => api,
    () => target,
    undefined,
    (request) => lines.push(accessLine(format, request)),
  );
  await (await fetch(`${server.url}${path}`, { method: 'POST' })).text();
  await server.stop();
  return JSON.parse(lines[0] ?? '');
};

const common = {
  id: expect.stringMatching(/^[0-9a-f-]{36}$/),
  time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
  source_ip: '127.0.0.1',
  latency_ms: expect.stringMatching(/^\d+$/),
  unknown: '-',
};

test('a request that a function answered', async () => {
  expect(await lineOf('/hook', works)).toEqual({
    ...common,
    route: 'POST /hook',
    status_code: '200',
    error: '-',
    integration_status: '200',
    integration_error: '-',
  });
});

test.each<[string, string, Target, object]>([
  ['for no route', '/other', works, { route: '-', status_code: '404', error: 'Not Found', integration_error: '-' }],
  [
    'beyond the concurrency',
    '/hook',
    { ...works, throttles: () => true },
    { status_code: '503', error: 'Service Unavailable', integration_error: 'Rate Exceeded.' },
  ],
  [
    'that takes too long',
    '/hook',
    { ...works, invoke: () => new Promise<never>(() => undefined) },
    { status_code: '503', integration_error: 'The function did not respond in time.' },
  ],
  [
    'whose function fails',
    '/hook',
    { ...works, invoke: async () => ({ payload: '{}', functionError: 'Unhandled' as const }) },
    { status_code: '500', error: 'Internal Server Error', integration_error: 'The function failed.' },
  ],
])('a request %s', async (_, path, target, expected) => {
  expect(await lineOf(path, target)).toMatchObject({ ...common, ...expected });
});
