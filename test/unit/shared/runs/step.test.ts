import * as z from 'zod';
import { PipelineError } from '../../../../shared/errors';
import { createLogger } from '../../../../shared/observability/logger';
import { createStep } from '../../../../shared/runs/step';
import { lambdaContext } from '../../../support/lambda-context';
import { type CapturedLogs, captureLogs, ownFields } from '../../../support/logs';
import { recordMetrics } from '../../../support/metrics';

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());

const metrics = recordMetrics();
const stepOf = (run: () => Promise<string>) =>
  createStep({
    step: 'netlife_collect',
    schema: z.object({ run_id: z.string() }),
    logger: createLogger({ STAGE: 'test', SERVICE_VERSION: '1' }),
    metrics: metrics.recorder,
    keys: ({ run_id }) => ({ run_id }),
    run,
  });
const lines = () => logs.lines().map(ownFields);

test('logs its start, with the run', async () => {
  await expect(stepOf(async () => 'done')({ run_id: 'run-1' }, lambdaContext())).resolves.toBe('done');
  expect(lines()).toEqual([
    { level: 'INFO', message: 'sync step', run_id: 'run-1', step: 'netlife_collect', phase: 'started' },
  ]);
});

test('logs the failure, and throws the error', async () => {
  const error = new PipelineError('TIMEOUT', 'The time was up', { retryable: true });
  const before = metrics.flushes();
  await expect(stepOf(() => Promise.reject(error))({ run_id: 'run-1' }, lambdaContext())).rejects.toBe(error);
  expect(lines()[1]).toMatchObject({
    level: 'ERROR',
    message: 'sync step failed',
    run_id: 'run-1',
    step: 'netlife_collect',
    error: 'The time was up',
    error_code: 'TIMEOUT',
  });
  expect(metrics.flushes()).toBe(before + 1);
});

test('an invalid state is reported without its values, and not run', async () => {
  const run = jest.fn(async () => 'done');
  await expect(stepOf(run)({ run_id: 5 }, lambdaContext())).rejects.toMatchObject({ code: 'BAD_MESSAGE' });
  expect(run).not.toHaveBeenCalled();
  expect(lines()).toMatchObject([{ message: 'sync step failed', error: expect.stringContaining('run_id ') }]);
});
