import { createHandler, type ProcessingDependencies } from '../../../../lambdas/processing/handler';
import { PipelineError } from '../../../../shared/errors';
import { OrderRefusedError } from '../../../../shared/internal-api/client';
import { createLogger } from '../../../../shared/observability/logger';
import type { Order } from '../../../../shared/orders/order';
import type { OrderRepository, WriteOutcome } from '../../../../shared/orders/repository';
import { lambdaContext } from '../../../support/lambda-context';
import { type CapturedLogs, captureLogs, ownFields } from '../../../support/logs';
import { recordMetrics } from '../../../support/metrics';
import { checksum, orders, processingMessage, round } from '../../../support/orders';
import { qualiaAnswer, qualiaOrder } from '../../../support/qualia-orders';
import { sqsEvent, sqsRecord } from '../../../support/sqs-events';
import { toldRepository } from '../../../support/told-repository';
import { untold } from '../../../support/untold';

const nowMs = Date.parse('2026-01-01T00:00:07.5Z');

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());

interface Told {
  /** What lies in the bucket. */
  readonly payload?: string;
  readonly load?: ProcessingDependencies['payloads']['load'];
  readonly checksumInMessage?: ReturnType<typeof checksum>;
  readonly current?: Order | undefined;
  readonly postOrder?: ProcessingDependencies['internalApi']['postOrder'];
  readonly repository?: Partial<OrderRepository>;
  readonly hideFor?: ProcessingDependencies['queue']['hideFor'];
  readonly receiveCount?: number;
}

const handle = async (told: Told) => {
  const metrics = recordMetrics();
  const payload = told.payload ?? qualiaAnswer();
  const load = jest.fn(told.load ?? (async () => Buffer.from(payload)));
  const message = processingMessage({ checksum: told.checksumInMessage ?? checksum(payload) });
  const handler = createHandler({
    payloads: { load },
    internalApi: { postOrder: told.postOrder ?? untold('postOrder'), answeredAtMs: () => nowMs },
    repository: toldRepository({ ...('current' in told && { read: async () => told.current }), ...told.repository }),
    queue: { send: untold('send'), hideFor: told.hideFor ?? untold('hideFor') },
    maxReceiveCount: 5,
    logger: createLogger({ STAGE: 'dev', SERVICE_VERSION: '1' }),
    metrics: metrics.recorder,
    now: () => nowMs,
    random: () => 0,
  });
  const { receiveCount = 1 } = told;
  const { batchItemFailures } = await handler(sqsEvent(sqsRecord(message, { receiveCount })), lambdaContext());
  expect(load.mock.calls).toEqual([[message.s3_key]]);
  return {
    returned: batchItemFailures.length,
    added: metrics.added,
    values: metrics.values,
    lines: logs.lines().map(ownFields),
  };
};

const posted = (outcome: 'posted' | 'already_known' = 'posted') =>
  jest.fn(async () => ({ outcome, statusCode: outcome === 'posted' ? 201 : 409, responseTimeMs: 40 }));
const writing = (outcome: WriteOutcome = { applied: true }) => jest.fn(async () => outcome);
const failing = (error: Error) => async (): Promise<never> => {
  throw error;
};
const ok = async () => undefined;
const identity = { order_id: 'QO-123456', request_id: 'request-1' };
const superseded = { level: 'INFO', message: 'message superseded', ...identity, outcome: 'superseded' };

describe('an order that is DOWNLOADED', () => {
  test.each(['posted', 'already_known'] as const)('is posted, and PROCESSED: %s', async (outcome) => {
    const postOrder = posted(outcome);
    const recordProcessing = writing();
    const result = await handle({
      current: orders.downloaded(),
      postOrder,
      repository: { recordProcessing },
      receiveCount: 2,
    });
    expect(postOrder.mock.calls).toEqual([
      [
        {
          order: expect.objectContaining({ externalOrderId: 'QO-123456', source: 'QUALIA_MARKETPLACE' }),
          orderId: 'QO-123456',
          round: round(),
          requestId: 'request-1',
          checksum: checksum(qualiaAnswer()),
        },
        { deadlineMs: nowMs + 57_000, onRetry: expect.any(Function) },
      ],
    ]);
    expect(recordProcessing.mock.calls).toEqual([
      ['QO-123456', round(), { checksum: checksum(qualiaAnswer()), warnings: [], attempts: 2, processedAtMs: nowMs }],
    ]);
    expect(result).toMatchObject({ returned: 0, added: ['OrderProcessed', 'EndToEndLatency'] });
    expect(result.values.get('EndToEndLatency')).toBe(7_500);
    expect(result.lines).toEqual([
      {
        level: 'INFO',
        message: 'order processed',
        ...identity,
        status: 'PROCESSED',
        status_code: outcome === 'posted' ? 201 : 409,
        outcome,
        response_time_ms: 40,
      },
    ]);
  });

  test('and was processed with the same payload before is closed without a POST', async () => {
    const processed_checksum = checksum(qualiaAnswer());
    const recordProcessing = writing();
    const result = await handle({
      current: orders.downloaded({ processed_checksum }),
      repository: { recordProcessing },
    });
    expect(recordProcessing).toHaveBeenCalledTimes(1);
    expect(result).toMatchObject({ returned: 0, added: ['OrderProcessed', 'OrderUnchanged', 'EndToEndLatency'] });
    expect(result.lines).toEqual([
      { level: 'INFO', message: 'order processed', ...identity, status: 'PROCESSED', outcome: 'unchanged' },
    ]);
  });

  test('and was processed with another payload before is posted', async () => {
    const postOrder = posted();
    const current = orders.downloaded({ processed_checksum: checksum('another') });
    await handle({ current, postOrder, repository: { recordProcessing: writing() } });
    expect(postOrder).toHaveBeenCalledTimes(1);
  });

  test('keeps and logs the warnings of its mapping', async () => {
    const recordProcessing = writing();
    const payload = qualiaAnswer(qualiaOrder({ due_date: 'soon', price: 'a lot' }));
    const warnings = [
      { code: 'BAD_NUMBER', field: 'price' },
      { code: 'BAD_DATE', field: 'due_date' },
    ];
    const result = await handle({
      payload,
      current: orders.downloaded(),
      postOrder: posted(),
      repository: { recordProcessing },
    });
    expect(recordProcessing.mock.calls).toEqual([['QO-123456', round(), expect.objectContaining({ warnings })]]);
    expect(result.lines).toEqual([expect.objectContaining({ warnings })]);
  });
});

test('an order whose receives ran out is taken up again: its message was redriven', async () => {
  const postOrder = posted();
  const current = orders.failed('RETRIES_EXHAUSTED');
  const result = await handle({ current, postOrder, repository: { recordProcessing: writing() } });
  expect(postOrder).toHaveBeenCalledTimes(1);
  expect(result.added).toContain('OrderProcessed');
});

test.each([
  ['is gone', undefined],
  ['is PROCESSED', orders.processed()],
  ['is NOTIFIED', orders.notified()],
  ['failed in its download', orders.failed('ORDER_NOT_FOUND')],
  ['is in a newer round', orders.downloaded({ round: round(1_767_225_600_001) })],
])('an order that %s is not posted', async (_, current) => {
  expect(await handle({ current })).toMatchObject({ returned: 0, added: [], lines: [superseded] });
});

test('an order that moves on during the POST is not counted', async () => {
  const recordProcessing = writing({ applied: false, order: orders.notified({ round: round(1_767_225_600_001) }) });
  const result = await handle({ current: orders.downloaded(), postOrder: posted(), repository: { recordProcessing } });
  expect(result).toMatchObject({ returned: 0, added: [], lines: [superseded] });
});

describe('a payload', () => {
  test('that is not what was stored may be a passing fault, once', async () => {
    const hideFor = jest.fn(ok);
    const result = await handle({ checksumInMessage: checksum('other'), hideFor });
    expect(result).toMatchObject({ returned: 1, added: [] });
    expect(result.lines).toEqual([expect.objectContaining({ level: 'WARN', error_code: 'CHECKSUM_MISMATCH' })]);
  });

  test.each([2, 3, 5])('that is still not at receive %i is wrong for good', async (receiveCount) => {
    const recordFailure = writing();
    const result = await handle({ checksumInMessage: checksum('other'), repository: { recordFailure }, receiveCount });
    expect(recordFailure.mock.calls).toEqual([
      ['QO-123456', round(), expect.objectContaining({ code: 'CHECKSUM_MISMATCH', stage: 'processing' })],
    ]);
    expect(result).toMatchObject({ returned: 0, added: ['OrderFailed'] });
  });

  test.each([
    ['no JSON', 'oops'],
    ['no order', '{"data":{"order":null}}'],
    ['an order without a number', qualiaAnswer(qualiaOrder({ order_number: null }))],
  ])('that holds %s is wrong for good', async (_, payload) => {
    const recordFailure = writing();
    const result = await handle({ payload, repository: { recordFailure } });
    expect(recordFailure.mock.calls).toEqual([
      ['QO-123456', round(), expect.objectContaining({ code: 'BAD_PAYLOAD' })],
    ]);
    expect(result).toMatchObject({ returned: 0, added: ['OrderFailed'] });
  });

  test('that is gone is gone for good', async () => {
    const recordFailure = writing();
    const load = failing(new PipelineError('PAYLOAD_MISSING', 'Gone', { retryable: false }));
    const result = await handle({ load, repository: { recordFailure } });
    expect(result.lines).toEqual([
      expect.objectContaining({ level: 'ERROR', error_code: 'PAYLOAD_MISSING', stage_failed: 'processing' }),
    ]);
  });
});

test.each([
  ['ON', 'ON'],
  ['Ontario', '(not a code)'],
  ['Kim', '(not a code)'],
])('the unknown state %s: one WARN line with %s, and the order fails', async (state, told) => {
  const recordFailure = writing();
  const payload = qualiaAnswer(qualiaOrder({ properties: [{ state }] }));
  const result = await handle({ payload, current: orders.downloaded(), repository: { recordFailure } });
  expect(result).toMatchObject({ returned: 0, added: ['UnknownState', 'OrderFailed'] });
  expect(recordFailure.mock.calls).toEqual([
    ['QO-123456', round(), expect.objectContaining({ code: 'UNKNOWN_STATE' })],
  ]);
  expect(result.lines).toEqual([
    { level: 'WARN', message: 'unknown state', ...identity, state_code: told },
    expect.objectContaining({
      level: 'ERROR',
      status: 'FAILED',
      error_code: 'UNKNOWN_STATE',
      stage_failed: 'processing',
    }),
  ]);
});

describe('a POST', () => {
  const current = orders.downloaded();

  test('that is refused for good keeps the answer on the order alone', async () => {
    const refusal = new PipelineError('API_REFUSED', 'The internal API answered 422', {
      retryable: false,
      api: 'internal',
      statusCode: 422,
    });
    const recordFailure = writing();
    const postOrder = failing(new OrderRefusedError(refusal, 'Ada Byron is unknown'));
    const result = await handle({ current, postOrder, repository: { recordFailure } });
    expect(recordFailure.mock.calls).toEqual([
      [
        'QO-123456',
        round(),
        {
          code: 'API_REFUSED',
          message: 'The internal API answered 422',
          stage: 'processing',
          answer: 'Ada Byron is unknown',
          attempts: 1,
          failedAtMs: nowMs,
        },
      ],
    ]);
    expect(result.added).toEqual(['OrderFailed']);
    expect(logs.text()).not.toContain('Ada Byron');
  });

  test.each([
    ['a busy API', new PipelineError('API_UNAVAILABLE', 'No', { retryable: true, api: 'internal', statusCode: 503 })],
    ['a slow API', new PipelineError('TIMEOUT', 'No', { retryable: true, api: 'internal' })],
  ])('to %s comes back', async (_, error) => {
    const hideFor = jest.fn(ok);
    const result = await handle({ current, postOrder: failing(error), hideFor, receiveCount: 3 });
    expect(hideFor.mock.calls).toEqual([['receipt-of-message-1', 120]]);
    expect(result).toMatchObject({ returned: 1, added: ['ApiRetry:internal'] });
  });

  test('whose record fails comes back: the idempotency key makes the second one harmless', async () => {
    const recordProcessing = failing(new Error('DynamoDB is down'));
    const result = await handle({ current, postOrder: posted(), repository: { recordProcessing }, hideFor: ok });
    expect(result).toMatchObject({ returned: 1, added: [] });
  });
});
