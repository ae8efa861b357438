import { PipelineError } from '../../../../shared/errors';
import { createLogger } from '../../../../shared/observability/logger';
import { planSchema, type RunPlan } from '../../../../shared/runs/plan';
import { createPreflight, type PreflightTurn, withPreflight } from '../../../../shared/runs/preflight';
import type { RunOwner } from '../../../../shared/runs/repository';
import { lambdaContext } from '../../../support/lambda-context';
import { type CapturedLogs, captureLogs, ownFields } from '../../../support/logs';
import { memoryFolder } from '../../../support/memory-folder';
import { recordMetrics } from '../../../support/metrics';
import { unconfigured } from '../../../support/unconfigured';

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());

const run: RunPlan = {
  run_id: 'run-1',
  dry_run: false,
  started_at: '2026-01-02T03:04:05.000Z',
  execution_arn: 'arn:execution:one',
  redrive_count: 0,
};
const nowMs = 1_000_000;

/** Runs these checks by name. */
const preflight = async (checks: Readonly<Record<string, () => Promise<void>>>, remainingMs = 900_000) => {
  const entered: string[] = [];
  const turns: PreflightTurn[] = [];
  const handler = createPreflight({
    openFolder: () => memoryFolder().folder,
    runs: {
      enter: async (owner: RunOwner, counterName: string) => {
        entered.push(counterName);
        return owner;
      },
      recordProgress: unconfigured('recordProgress'),
    },
    logger: createLogger({ STAGE: 'test', SERVICE_VERSION: '1' }),
    metrics: recordMetrics().recorder,
    now: () => nowMs,
    name: 'logins',
    plan: planSchema,
    checksOf: (_run, turn) => {
      turns.push(turn);
      return Object.entries(checks).map(([name, check]) => ({ name, run: check }));
    },
  });
  const found = await handler({ run, check: true }, lambdaContext({ remainingMs }));
  return { found, entered, turns };
};
const failing = (code: ConstructorParameters<typeof PipelineError>[0], retryable: boolean) => async () => {
  throw new PipelineError(code, `It is ${code}`, { retryable });
};
const succeeding = async (): Promise<void> => undefined;

test('all checks are made, and everything that is wrong is returned and logged', async () => {
  const { found, entered } = await preflight({
    'netlife/a': failing('API_REFUSED', false),
    'netlife/b': succeeding,
    'netlife/c': failing('SECRET_UNREADABLE', true),
  });
  expect(found).toEqual({
    faults: [
      { check: 'netlife/a', error_code: 'API_REFUSED', message: 'It is API_REFUSED' },
      { check: 'netlife/c', error_code: 'SECRET_UNREADABLE', message: 'It is SECRET_UNREADABLE' },
    ],
  });
  expect(entered).toEqual(['preflight/logins']);
  const lines = logs.lines().map(ownFields);
  expect(lines).toMatchObject([
    { message: 'sync step', step: 'preflight', phase: 'started', run_id: 'run-1' },
    { level: 'ERROR', message: 'check failed', check: 'netlife/a', error_code: 'API_REFUSED' },
    { level: 'ERROR', message: 'check failed', check: 'netlife/c', error_code: 'SECRET_UNREADABLE' },
    { message: 'sync step', step: 'preflight', phase: 'ended', done: 1, total: 3 },
  ]);
});

test('an error that may pass is no fault', async () => {
  const { found } = await preflight({
    'netlife/a': failing('TIMEOUT', true),
    'iterable/key': () => Promise.reject(new Error('a bug')),
  });
  expect(found).toEqual({ faults: [] });
  expect(logs.lines().map(ownFields)).toContainEqual(
    expect.objectContaining({
      level: 'WARN',
      message: 'check not completed',
      check: 'netlife/a',
      error_code: 'TIMEOUT',
    }),
  );
});

test('a run that another execution has taken over is not checked', async () => {
  await expect(preflight({ 'netlife/a': failing('RUN_TAKEN_OVER', false) })).rejects.toMatchObject({
    code: 'RUN_TAKEN_OVER',
  });
});

test.each([
  [900_000, 30_000],
  [25_000, 15_000],
])('with %d ms left, calls end within %d ms', async (remainingMs, checkMs) => {
  const { turns } = await preflight({}, remainingMs);
  expect(turns[0]?.deadlineMs).toBe(nowMs + checkMs);
});

test('only an event that asks for it is checked', async () => {
  const handler = withPreflight(
    async () => ({ faults: [] }),
    async () => 'worked',
  );
  expect(await handler({ run, check: true }, lambdaContext())).toEqual({ faults: [] });
  expect(await handler({ run }, lambdaContext())).toBe('worked');
});
