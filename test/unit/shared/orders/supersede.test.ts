import type { Order } from '../../../../shared/orders/order';
import type { WriteOutcome } from '../../../../shared/orders/repository';
import {
  applied,
  problem,
  received,
  type Step,
  throwing,
  useOrderWorker,
  type WorkerDoubles,
} from '../../../support/order-worker';
import { downloadMessage, orders, round } from '../../../support/orders';

const { work } = useOrderWorker();

const permanent = problem('API_REFUSED', { retryable: false, statusCode: 404, api: 'qualia' });
const rejected = (order: Order | undefined) => (): WriteOutcome => ({ applied: false, order });

/** The writes that an order rejects after it has left the message's round or state. */
const rejections: readonly [string, number, (order: Order | undefined) => readonly [Step, WorkerDoubles]][] = [
  ['the order rejects the step', 1, (order) => [async () => rejected(order)(), {}]],
  ['the order rejects a permanent failure', 1, (order) => [throwing(permanent), { recordFailure: rejected(order) }]],
  [
    'the order rejects the failure of the last receive',
    5,
    (order) => [throwing(problem('TIMEOUT')), { recordFailure: rejected(order) }],
  ],
];

describe.each(rejections)('%s', (_, receiveCount, doublesFor) => {
  const run = (order: Order | undefined, doubles: WorkerDoubles = {}) => {
    const [step, writes] = doublesFor(order);
    return work(received(receiveCount), step, { ...writes, ...doubles });
  };

  test.each([
    ['is gone', undefined],
    ['is PROCESSED', orders.processed()],
    ['is in a newer round', orders.notified({ round: round(1_767_225_600_001) })],
    ['failed in a newer round', orders.failed('API_REFUSED', { round: round(1_767_225_600_001) })],
  ])('because it %s: the message is acknowledged', async (_, order) => {
    const result = await run(order);
    expect(result).toMatchObject({ returned: [], added: [] });
    expect(result.lines).toEqual([
      {
        level: 'INFO',
        message: 'message superseded',
        order_id: 'QO-123456',
        request_id: 'request-1',
        outcome: 'superseded',
      },
    ]);
  });

  test('because an earlier delivery failed the order and may have crashed before its log line: logs the failure', async () => {
    const result = await run(orders.failed('API_REFUSED'));
    expect(result).toMatchObject({ returned: [], added: ['OrderFailed'], flushes: 1 });
    expect(result.lines).toEqual([
      {
        level: 'ERROR',
        message: 'order failed for good',
        order_id: 'QO-123456',
        request_id: 'request-1',
        status: 'FAILED',
        error: 'A sentence',
        error_code: 'API_REFUSED',
        stage_failed: 'download',
      },
    ]);
  });

  test('because the order failed in the other worker, which logs it: logs no failure', async () => {
    const result = await run(orders.failed('API_REFUSED'), { worker: 'processing' });
    expect(result).toMatchObject({ returned: [], added: [] });
    expect(result.lines).toEqual([expect.objectContaining({ level: 'INFO', outcome: 'superseded' })]);
  });

  test('calls onSuperseded with the current order', async () => {
    const order = orders.downloaded();
    const onSuperseded = jest.fn(async () => undefined);
    expect(await run(order, { onSuperseded })).toMatchObject({ returned: [], added: [] });
    expect(onSuperseded.mock.calls).toEqual([
      [expect.objectContaining({ message: downloadMessage() }), rejected(order)()],
    ]);
  });
});

test('a permanent failure is redelivered if onSuperseded fails', async () => {
  const result = await work(received(1), throwing(permanent), {
    recordFailure: rejected(orders.downloaded()),
    onSuperseded: throwing(new Error('SQS is down')),
  });
  expect(result.returned).toEqual(['message-1']);
  expect(result.lines).toEqual([expect.objectContaining({ message: 'message could not be settled' })]);
});

test('a rejected step is retried like any other if onSuperseded fails', async () => {
  const result = await work(received(1), async () => rejected(orders.downloaded())(), {
    onSuperseded: throwing(new Error('SQS is down')),
    hideFor: () => undefined,
  });
  expect(result.returned).toEqual(['message-1']);
  expect(result.actions).toEqual([['hide', 'receipt-of-message-1', 27]]);
});

test('a failure that the order accepts does not call onSuperseded', async () => {
  const doubles = { recordFailure: applied, onSuperseded: throwing(new Error('onSuperseded was called')) };
  expect(await work(received(1), throwing(permanent), doubles)).toMatchObject({ returned: [], added: ['OrderFailed'] });
});
