import { PipelineError } from '../../../../shared/errors';
import { bodyHashOf, fieldDigestsOf } from '../../../../shared/internal-api/body';
import { OrderRefusedError } from '../../../../shared/internal-api/client';
import { type CapturedLogs, captureLogs } from '../../../support/logs';
import { checksum, orders, round } from '../../../support/orders';
import {
  body,
  failing,
  handleMessage,
  identity,
  keyOf,
  type MessageDoubles,
  nowMs,
  ok,
  posted,
  superseded,
  writing,
} from '../../../support/processing-handler';
import { qualiaOrder, qualiaResponse } from '../../../support/qualia-orders';

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());
const handle = (doubles: MessageDoubles) => handleMessage(logs, doubles);

describe('an order that is DOWNLOADED', () => {
  test.each(['posted', 'already_known'] as const)('is posted and becomes PROCESSED: %s', async (outcome) => {
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
          order: body,
          round: round(),
          requestId: 'request-1',
          idempotencyKey: keyOf(),
          beforeAttempt: expect.any(Function),
        },
        { deadlineMs: nowMs + 57_000, memory: expect.anything(), onRetry: expect.any(Function) },
      ],
    ]);
    expect(recordProcessing.mock.calls).toEqual([
      [
        'QO-123456',
        round(),
        {
          posted: { bodyHash: bodyHashOf(body), fieldDigests: fieldDigestsOf(body) },
          repost: undefined,
          warnings: [],
          receiveCount: 2,
          processedAtMs: nowMs,
        },
      ],
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

  const recorded = { processed_checksum: bodyHashOf(body), previous_status: 'PROCESSED' };

  test('with the body that was recorded last is closed without a POST', async () => {
    const recordProcessing = writing();
    const result = await handle({ current: orders.downloaded(recorded), repository: { recordProcessing } });
    expect(recordProcessing.mock.calls).toEqual([
      [
        'QO-123456',
        round(),
        { posted: undefined, repost: undefined, warnings: [], receiveCount: 1, processedAtMs: nowMs },
      ],
    ]);
    expect(result).toMatchObject({ returned: 0, added: ['OrderProcessed', 'OrderUnchanged', 'EndToEndLatency'] });
    expect(result.lines).toEqual([
      { level: 'INFO', message: 'order processed', ...identity, status: 'PROCESSED', outcome: 'unchanged' },
    ]);
  });

  test('with a change in a field that is not mapped is closed without a POST', async () => {
    const payload = qualiaResponse(qualiaOrder({ loan_type: 'a field that is not mapped' }));
    const result = await handle({
      payload,
      current: orders.downloaded(recorded),
      repository: { recordProcessing: writing() },
    });
    expect(result.added).toContain('OrderUnchanged');
  });

  test.each([
    ['with another body', { ...recorded, processed_checksum: checksum('another') }],
    ['after a round that may have posted without a record', { ...recorded, previous_status: 'DOWNLOADED' }],
    ['after a round that failed', { ...recorded, previous_status: 'FAILED' }],
    ['written by an older release', { processed_checksum: recorded.processed_checksum }],
    ['that an operator replays with force', { ...recorded, repost: round() }],
  ])('%s is posted', async (_, fields) => {
    const postOrder = posted();
    await handle({ current: orders.downloaded(fields), postOrder, repository: { recordProcessing: writing() } });
    expect(postOrder).toHaveBeenCalledTimes(1);
    const repost = 'repost' in fields ? fields.repost : undefined;
    expect(postOrder.mock.calls[0]?.[0].idempotencyKey).toBe(keyOf(repost));
  });

  test('is posted with the digits that were received', async () => {
    const payload = qualiaResponse().replace('"QO-123456"', '9007199254740993');
    const postOrder = posted();
    await handle({ payload, current: orders.downloaded(), postOrder, repository: { recordProcessing: writing() } });
    expect(postOrder.mock.calls[0]?.[0].order.externalOrderId).toBe('9007199254740993');
  });

  test('stores and logs the warnings of its mapping', async () => {
    const recordProcessing = writing();
    const payload = qualiaResponse(qualiaOrder({ due_date: 'soon', price: 'a lot' }));
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

test('an order that is FAILED with RETRIES_EXHAUSTED is processed when its message is redriven', async () => {
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

describe('a payload', () => {
  test('that differs from its checksum is retried once', async () => {
    const hideFor = jest.fn(ok);
    const result = await handle({ checksumInMessage: checksum('other'), hideFor });
    expect(result).toMatchObject({ returned: 1, added: [] });
    expect(result.lines).toEqual([expect.objectContaining({ level: 'WARN', error_code: 'CHECKSUM_MISMATCH' })]);
  });

  test.each([2, 3, 5])('that differs from its checksum at receive %i fails the order', async (receiveCount) => {
    const recordFailure = writing();
    const result = await handle({ checksumInMessage: checksum('other'), repository: { recordFailure }, receiveCount });
    expect(recordFailure.mock.calls).toEqual([
      ['QO-123456', round(), expect.objectContaining({ code: 'CHECKSUM_MISMATCH', stage: 'processing' })],
    ]);
    expect(result).toMatchObject({ returned: 0, added: ['OrderFailed'] });
  });

  test.each([
    ['text that is not JSON', 'oops'],
    ['no order', '{"data":{"order":null}}'],
    ['an order without a number', qualiaResponse(qualiaOrder({ order_number: null }))],
  ])('with %s fails the order', async (_, payload) => {
    const recordFailure = writing();
    const result = await handle({ payload, repository: { recordFailure } });
    expect(recordFailure.mock.calls).toEqual([
      ['QO-123456', round(), expect.objectContaining({ code: 'BAD_PAYLOAD' })],
    ]);
    expect(result).toMatchObject({ returned: 0, added: ['OrderFailed'] });
  });

  test('that is missing fails the order', async () => {
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
])('the unknown state %s: one WARN line with %s, and the order fails', async (state, logged) => {
  const recordFailure = writing();
  const payload = qualiaResponse(qualiaOrder({ properties: [{ state }] }));
  const result = await handle({ payload, current: orders.downloaded(), repository: { recordFailure } });
  expect(result).toMatchObject({ returned: 0, added: ['UnknownState', 'OrderFailed'] });
  expect(recordFailure.mock.calls).toEqual([
    ['QO-123456', round(), expect.objectContaining({ code: 'UNKNOWN_STATE' })],
  ]);
  expect(result.lines).toEqual([
    { level: 'WARN', message: 'unknown state', ...identity, state_code: logged },
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

  test('that is permanently refused stores the response on the order only', async () => {
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
          issueId: 'b56f2760',
          statusCode: 422,
          response: 'Ada Byron is unknown',
          receiveCount: 1,
          failedAtMs: nowMs,
        },
      ],
    ]);
    expect(result.added).toEqual(['OrderFailed']);
    expect(logs.text()).not.toContain('Ada Byron');
  });

  test.each([
    [
      'an unavailable API',
      new PipelineError('API_UNAVAILABLE', 'No', { retryable: true, api: 'internal', statusCode: 503 }),
    ],
    ['a slow API', new PipelineError('TIMEOUT', 'No', { retryable: true, api: 'internal' })],
  ])('to %s is retried', async (_, error) => {
    const hideFor = jest.fn(ok);
    const result = await handle({ current, postOrder: failing(error), hideFor, receiveCount: 3 });
    expect(hideFor.mock.calls).toEqual([['receipt-of-message-1', 120]]);
    expect(result).toMatchObject({ returned: 1, added: ['ApiRetry:internal', 'DeferredOrderAge:internal'] });
  });

  test('that cannot be recorded is retried: the idempotency key makes the second POST harmless', async () => {
    const recordProcessing = failing(new Error('DynamoDB is down'));
    const result = await handle({ current, postOrder: posted(), repository: { recordProcessing }, hideFor: ok });
    expect(result).toMatchObject({ returned: 1, added: [] });
  });
});
