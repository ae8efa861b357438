import type { ExecutionEnvironment, InvocationResult } from '../../../../emulator/lambda/execution-environment';
import { createFunctionPool, type InvocationObserver } from '../../../../emulator/lambda/function-pool';

const definition = {
  name: 'f',
  arn: 'arn:f',
  codeDirectory: '',
  handler: 'index.handler',
  timeoutSeconds: 1,
  memoryMegabytes: 128,
  logFormat: 'JSON',
  recursiveLoop: 'Terminate',
  environment: {},
} as const;

/** A pool whose invocations end when the test ends them. */
const startPool = (limits: { reserved: number | undefined; maxProcesses: number }, observer?: InvocationObserver) => {
  const running: ((result: InvocationResult) => void)[] = [];
  let processes = 0;
  const environment = (): ExecutionEnvironment => {
    processes++;
    return {
      initialized: Promise.resolve(undefined),
      exited: new Promise(() => undefined),
      invoke: () => new Promise((resolve) => running.push(resolve)),
      stop: async () => undefined,
    };
  };
  const pool = createFunctionPool(definition, limits, async () => environment(), undefined, observer);
  return { pool, running, processes: () => processes };
};
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a function is throttled at its reserved concurrency, including waiting invocations', async () => {
  const { pool, running, processes } = startPool({ reserved: 3, maxProcesses: 2 });
  expect(pool.maxConcurrency).toBe(2);
  const results = [pool.invoke('1'), pool.invoke('2')];
  expect(pool.throttles()).toBe(false);
  results.push(pool.invoke('3'));
  expect(pool.throttles()).toBe(true);
  await settled();
  expect([processes(), running.length]).toEqual([2, 2]);
  running[0]?.({ payload: '' });
  await results[0];
  expect(pool.throttles()).toBe(false);
});

test('a function without a reservation has the concurrency of the account', () => {
  const { pool } = startPool({ reserved: undefined, maxProcesses: 2 });
  for (let count = 0; count < 999; count++) void pool.invoke('');
  expect(pool.throttles()).toBe(false);
  void pool.invoke('');
  expect(pool.throttles()).toBe(true);
});

test('a changed concurrency counts from the next call; 0 also fails the calls of pollers', async () => {
  const { pool } = startPool({ reserved: 3, maxProcesses: 2 });
  pool.reserve(0);
  expect([pool.reserved(), pool.throttles()]).toEqual([0, true]);
  expect(await pool.invoke('')).toMatchObject({ functionError: 'Unhandled', payload: expect.stringContaining('Rate') });
  pool.reserve(undefined);
  expect([pool.reserved(), pool.throttles()]).toEqual([undefined, false]);
});

test('a reserved concurrency of 0 switches a function off', () => {
  const { pool } = startPool({ reserved: 0, maxProcesses: 2 });
  expect([pool.throttles(), pool.maxConcurrency]).toEqual([true, 0]);
});

test('an observer is notified of invocations, failures and throttles', async () => {
  const seen: unknown[] = [];
  const observer: InvocationObserver = {
    started: (concurrency) => seen.push(`started ${concurrency}`),
    ended: ({ failed, durationMs }) => seen.push(`ended ${failed} ${durationMs >= 0}`),
    throttled: () => seen.push('throttled'),
  };
  const { pool, running } = startPool({ reserved: 1, maxProcesses: 1 }, observer);
  const result = pool.invoke('');
  expect(pool.throttles()).toBe(true);
  await settled();
  running[0]?.({ payload: '', functionError: 'Unhandled' });
  await result;
  expect(pool.throttles()).toBe(false);
  expect(seen).toEqual(['started 1', 'throttled', 'ended true true']);
});
