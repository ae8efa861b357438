import { PipelineError } from '../../../../shared/errors';
import { deliveryOf } from '../../../../shared/orders/delivery';
import { createFailOrder, type OrderFailure } from '../../../../shared/orders/fail-order';
import type { WriteOutcome } from '../../../../shared/orders/repository';
import { recordFailureGroups } from '../../../support/failures';
import { orderMemory } from '../../../support/order-memory';
import { downloadMessage, orders } from '../../../support/orders';
import { sqsRecord } from '../../../support/sqs-events';
import { unconfigured } from '../../../support/unconfigured';

const nowMs = 1_767_225_610_000;
const cause = new PipelineError('API_REFUSED', 'It failed', { retryable: false });
const failure: OrderFailure = { code: 'API_REFUSED', message: 'It failed', cause };
const delivery = deliveryOf(sqsRecord(downloadMessage(), { receiveCount: 2 }), downloadMessage(), {
  deadlineMs: nowMs,
  memory: orderMemory(),
  onRetry: unconfigured('onRetry'),
});

/** Fails the order; the write of the failure has this outcome. */
const run = async (outcome: WriteOutcome, fields: Partial<OrderFailure> = {}) => {
  const recordFailure = jest.fn(async () => outcome);
  const orderFailed = jest.fn();
  const supersede = jest.fn(async () => undefined);
  const { added, collector } = recordFailureGroups();
  const failOrder = createFailOrder({
    worker: 'processing',
    repository: { recordFailure },
    failures: collector,
    report: { orderFailed },
    supersede,
    now: () => nowMs,
  });
  const isFailed = await failOrder(delivery, { ...failure, ...fields });
  return { isFailed, recordFailure, orderFailed, supersede, added };
};

const recorded = {
  code: 'API_REFUSED',
  message: 'It failed',
  stage: 'processing',
  issueId: '7a60460b',
  receiveCount: 2,
  failedAtMs: nowMs,
};

test('a failure that the order accepts is recorded, then reported', async () => {
  const { isFailed, recordFailure, orderFailed, supersede, added } = await run({ applied: true });
  const { order_id, round } = downloadMessage();
  expect(isFailed).toBe(true);
  expect(recordFailure.mock.calls).toEqual([[order_id, round, recorded]]);
  expect(orderFailed.mock.calls).toEqual([
    [downloadMessage(), { code: 'API_REFUSED', message: 'It failed', issueId: '7a60460b', receive: 2, cause }],
  ]);
  expect(added).toEqual([
    {
      cause: { worker: 'processing', code: 'API_REFUSED', statusCode: undefined, detail: undefined },
      orderId: order_id,
      isRepeated: false,
    },
  ]);
  expect(supersede).not.toHaveBeenCalled();
});

test('a failure that a redriven round repeats is added as repeated', async () => {
  const { added } = await run({ applied: true, isRepeated: true });
  expect(added).toEqual([expect.objectContaining({ isRepeated: true })]);
});

test('the response of the API is recorded, but not reported', async () => {
  const { recordFailure, orderFailed } = await run({ applied: true }, { response: 'Ada Byron is unknown' });
  expect(recordFailure.mock.calls).toEqual([
    [expect.anything(), expect.anything(), { ...recorded, response: 'Ada Byron is unknown' }],
  ]);
  expect(JSON.stringify(orderFailed.mock.calls)).not.toContain('Ada Byron');
});

test('a failure that the order rejects supersedes the message instead', async () => {
  const rejection = { applied: false, order: orders.processed() } as const;
  const { isFailed, orderFailed, supersede, added } = await run(rejection);
  expect(added).toEqual([]);
  expect(isFailed).toBe(false);
  expect(orderFailed).not.toHaveBeenCalled();
  expect(supersede.mock.calls).toEqual([[delivery, rejection]]);
});
