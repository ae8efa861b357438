import type { FailureCause } from '../../../../shared/issues/cause';
import { createFailureCollector } from '../../../../shared/issues/failure-collector';
import type { RecordFailures } from '../../../../shared/issues/record-failures';
import { createLogger } from '../../../../shared/observability/logger';
import { type CapturedLogs, captureLogs, ownFields } from '../../../support/logs';
import { orderId } from '../../../support/orders';

const nowMs = Date.parse('2026-01-01T00:00:10Z');
const refused: FailureCause = { worker: 'processing', code: 'API_REFUSED', statusCode: 422, detail: 'dueDate' };
const unknown: FailureCause = { worker: 'processing', code: 'UNKNOWN_STATE', detail: 'ZZ' };

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());

const create = (recordFailures: RecordFailures) =>
  createFailureCollector({
    recordFailures,
    release: '1.2.3 (abc)',
    logger: createLogger({ STAGE: 'dev', SERVICE_VERSION: '1' }),
    now: () => nowMs,
  });
const failed = (cause: FailureCause, id: string, isRepeated = false) => ({ cause, orderId: orderId(id), isRepeated });

test('the failures of a batch make one write per issue', async () => {
  const recordFailures = jest.fn<Promise<void>, Parameters<RecordFailures>>(async () => undefined);
  const failures = create(recordFailures);
  for (let order = 0; order < 20; order++) failures.add(failed(refused, `QO-${order}`));
  failures.add(failed(unknown, 'QO-20'));
  await failures.flush(1_000);
  expect(recordFailures.mock.calls.map(([group]) => group)).toEqual([
    { issueId: 'd0434cbf', cause: refused, count: 20, sample: 'QO-19', firstFailedAtMs: nowMs },
    { issueId: expect.any(String), cause: unknown, count: 1, sample: 'QO-20', firstFailedAtMs: nowMs },
  ]);
  const [first, second] = recordFailures.mock.calls.map(([, write]) => write);
  expect(first).toEqual({ writeId: expect.any(String), release: '1.2.3 (abc)', atMs: nowMs });
  expect(first?.writeId).not.toBe(second?.writeId);
  await failures.flush(1_000);
  expect(recordFailures).toHaveBeenCalledTimes(2);
});

test('a repeated failure is recorded, but does not count', async () => {
  const recordFailures = jest.fn<Promise<void>, Parameters<RecordFailures>>(async () => undefined);
  const failures = create(recordFailures);
  failures.add(failed(refused, 'QO-1', true));
  await failures.flush(1_000);
  expect(recordFailures.mock.calls[0]?.[0]).toMatchObject({ count: 0, sample: 'QO-1' });
});

test('without a failure, nothing is written', async () => {
  const recordFailures = jest.fn<Promise<void>, Parameters<RecordFailures>>();
  await create(recordFailures).flush(1_000);
  expect(recordFailures).not.toHaveBeenCalled();
});

test('a write that fails is logged, and does not fail the batch', async () => {
  const failures = create(async () => {
    throw new Error('throttled');
  });
  failures.add(failed(refused, 'QO-1'));
  await failures.flush(1_000);
  expect(logs.lines().map(ownFields)).toEqual([
    {
      level: 'WARN',
      message: 'issue not recorded',
      issue_id: 'd0434cbf',
      error: 'Unexpected fault in our own code',
      error_code: 'INTERNAL_FAULT',
    },
  ]);
});

test('a write that does not end is not awaited longer than the given time', async () => {
  const failures = create(() => new Promise(() => undefined));
  failures.add(failed(refused, 'QO-1'));
  await failures.flush(5);
});
