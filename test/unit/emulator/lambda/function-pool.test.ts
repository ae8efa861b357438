import type { ExecutionEnvironment, InvocationResult } from '../../../../emulator/lambda/execution-environment';
import { createFunctionPool } from '../../../../emulator/lambda/function-pool';

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
const startPool = (limits: { reserved: number | undefined; maxProcesses: number }) => {
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
  const pool = createFunctionPool(definition, limits, async () => environment());
  return { pool, running, processes: () => processes };
};
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a function is throttled at its reserved concurrency, and waiting invocations count', async () => {
  const { pool, running, processes } = startPool({ reserved: 3, maxProcesses: 2 });
  expect(pool.maxConcurrency).toBe(2);
  const results = [pool.invoke('1'), pool.invoke('2')];
  expect(pool.isThrottled()).toBe(false);
  results.push(pool.invoke('3'));
  expect(pool.isThrottled()).toBe(true);
  await settled();
  expect([processes(), running.length]).toEqual([2, 2]);
  running[0]?.({ payload: '' });
  await results[0];
  expect(pool.isThrottled()).toBe(false);
});

test('a function without a reservation has the concurrency of the account', () => {
  const { pool } = startPool({ reserved: undefined, maxProcesses: 2 });
  for (let count = 0; count < 999; count++) void pool.invoke('');
  expect(pool.isThrottled()).toBe(false);
  void pool.invoke('');
  expect(pool.isThrottled()).toBe(true);
});

test('a reserved concurrency of 0 switches a function off', () => {
  const { pool } = startPool({ reserved: 0, maxProcesses: 2 });
  expect([pool.isThrottled(), pool.maxConcurrency]).toEqual([true, 0]);
});
