import type { PipelineError } from '../../../../shared/errors';
import {
  applied,
  nowMs,
  ok,
  problem,
  received,
  throwing,
  useOrderWorker,
  type WorkerDoubles,
} from '../../../support/order-worker';
import { downloadMessage, orders, round } from '../../../support/orders';
import { sqsEvent, sqsRecord, sqsSentAtMs } from '../../../support/sqs-events';

const { work, capturedLogs } = useOrderWorker();

describe('a permanent error', () => {
  const permanent = problem('ORDER_NOT_FOUND', { retryable: false, statusCode: 404, api: 'qualia' });

  test('is recorded on the order, and the message is acknowledged', async () => {
    const result = await work(received(2), throwing(permanent), { recordFailure: applied });
    expect(result).toMatchObject({ returned: [], added: ['OrderFailed'] });
    expect(result.actions).toEqual([['fail', 'QO-123456']]);
    expect(result.failures).toEqual([
      {
        orderId: 'QO-123456',
        round: downloadMessage().round,
        code: 'ORDER_NOT_FOUND',
        message: 'It was ORDER_NOT_FOUND',
        stage: 'download',
        issueId: '32da2ca5',
        statusCode: 404,
        receiveCount: 2,
        failedAtMs: nowMs,
      },
    ]);
    expect(result.lines).toEqual([
      {
        level: 'ERROR',
        message: 'order failed for good',
        order_id: 'QO-123456',
        request_id: 'request-1',
        status: 'FAILED',
        error: 'It was ORDER_NOT_FOUND',
        error_code: 'ORDER_NOT_FOUND',
        issue_id: '32da2ca5',
        status_code: 404,
        stage_failed: 'download',
        receive: 2,
        error_details: expect.objectContaining({ name: 'PipelineError', stack: expect.any(String) }),
      },
    ]);
  });

  test.each(['download', 'processing'] as const)('is recorded and logged with its worker: %s', async (worker) => {
    const result = await work(received(1), throwing(permanent), { worker, recordFailure: applied });
    expect(result.failures[0]?.stage).toBe(worker);
    expect(result.lines[0]).toMatchObject({ stage_failed: worker });
  });

  test('stores the response on the order and does not log it', async () => {
    const doubles = { recordFailure: applied, responseOf: () => 'Ada Byron is unknown' };
    const result = await work(received(1), throwing(permanent), doubles);
    expect(result.failures[0]?.response).toBe('Ada Byron is unknown');
    expect(capturedLogs().text()).not.toContain('Ada Byron');
  });

  test('keeps its own code at the last receive', async () => {
    const result = await work(received(5), throwing(permanent), { recordFailure: applied });
    expect(result.returned).toEqual([]);
    expect(result.failures[0]?.code).toBe('ORDER_NOT_FOUND');
  });
});

describe('a retryable error', () => {
  test.each([
    [1, 27],
    [2, 54],
    [3, 108],
    [4, 216],
  ])('at receive %i hides the message for %i s, and returns it', async (receiveCount, seconds) => {
    const error = problem('API_UNAVAILABLE', { api: 'qualia', statusCode: 503 });
    const result = await work(received(receiveCount), throwing(error), { hideFor: ok });
    expect(result).toMatchObject({ returned: ['message-1'], added: ['ApiRetry:qualia', 'DeferredOrderAge:qualia'] });
    expect(result.actions).toEqual([['hide', 'receipt-of-message-1', seconds]]);
    expect(result.lines).toEqual([
      {
        level: 'WARN',
        message: 'a try failed, will retry',
        order_id: 'QO-123456',
        request_id: 'request-1',
        error: 'It was API_UNAVAILABLE',
        error_code: 'API_UNAVAILABLE',
        status_code: 503,
        api: 'qualia',
        receive: receiveCount,
        wait_seconds: seconds,
      },
    ]);
  });

  test.each([
    [8_001, 9],
    [9_000, 9],
    [9_001, 10],
    [120_000, 120],
    [3_600_000, 3_600],
    [43_000_000, 43_000],
    [43_200_000, 43_000],
    [99_999_999, 43_000],
  ])('with a Retry-After of %i ms hides the message for %i s', async (retryAfterMs, seconds) => {
    const error = problem('RATE_LIMITED', { api: 'qualia', statusCode: 429, retryAfterMs });
    const result = await work(received(3), throwing(error), { hideFor: ok });
    expect(result.actions).toEqual([['hide', 'receipt-of-message-1', seconds]]);
    expect(result.lines[0]).toMatchObject({ wait_seconds: seconds });
  });

  test.each([0, 1, 8_000])(
    'with a Retry-After of %i ms, which the invocation has waited for, hides the message for the computed time',
    async (retryAfterMs) => {
      const error = problem('RATE_LIMITED', { api: 'qualia', statusCode: 429, retryAfterMs });
      const result = await work(received(3), throwing(error), { hideFor: ok });
      const computed = await work(received(3), throwing(problem('TIMEOUT', { api: 'qualia' })), { hideFor: ok });
      expect(result.actions).toEqual(computed.actions);
    },
  );

  test.each([
    ['a bug in our code', new TypeError('x'), 'INTERNAL_FAULT'],
    ['an unclassified fault', 'text', 'INTERNAL_FAULT'],
    ['a fault of AWS', problem('AWS_FAULT'), 'AWS_FAULT'],
  ])('%s is not counted for an API', async (_, error, error_code) => {
    const result = await work(received(1), throwing(error), { hideFor: ok });
    expect(result).toMatchObject({ returned: ['message-1'], added: [] });
    expect(result.lines).toEqual([expect.objectContaining({ level: 'WARN', error_code })]);
    expect(result.lines[0]).not.toHaveProperty('api');
  });
});

describe('the last receive', () => {
  const error = problem('API_UNAVAILABLE', { api: 'qualia', statusCode: 503, retryAfterMs: 9_000 });

  test.each([5, 6, 40])(
    'is receive 5 or later (%i): the order fails, and its message goes to the dead-letter queue',
    async (count) => {
      const result = await work(received(count), throwing(error), { recordFailure: applied, hideFor: ok });
      expect(result).toMatchObject({ returned: ['message-1'], added: ['OrderFailed'] });
      expect(result.actions).toEqual([
        ['fail', 'QO-123456'],
        ['hide', 'receipt-of-message-1', 0],
      ]);
      expect(result.failures[0]).toMatchObject({
        code: 'RETRIES_EXHAUSTED',
        message: `Gave up after ${count} receives: It was API_UNAVAILABLE (API_UNAVAILABLE)`,
        receiveCount: count,
      });
      expect(result.lines).toEqual([
        expect.objectContaining({
          level: 'ERROR',
          message: 'order failed for good',
          status: 'FAILED',
          error: result.failures[0]?.message,
          error_code: 'RETRIES_EXHAUSTED',
          status_code: 503,
          stage_failed: 'download',
          receive: count,
        }),
      ]);
    },
  );

  test('is the one that maxReceiveCount sets', async () => {
    const doubles = { recordFailure: applied, hideFor: ok, maxReceiveCount: 2 };
    expect((await work(received(2), throwing(error), doubles)).failures).toHaveLength(1);
    expect((await work(received(1), throwing(error), doubles)).failures).toHaveLength(0);
  });
});

describe('the last receive, without evidence against the message', () => {
  const down = problem('TIMEOUT', { api: 'qualia' });
  const minutesAgo = (minutes: number) => nowMs - minutes * 60_000;
  const withoutEvidence: readonly [string, PipelineError, WorkerDoubles][] = [
    ['the API never responded', down, { lastResponseAtMs: () => undefined }],
    ['the API has not responded since the first failure', down, { lastResponseAtMs: () => minutesAgo(8.2) }],
    ['the API limits its callers', problem('RATE_LIMITED', { api: 'internal' }), {}],
  ];

  test.each(withoutEvidence)('%s: sends a fresh copy, then acknowledges the message', async (_, error, doubles) => {
    const read = async () => orders.notified();
    const result = await work(received(5), throwing(error), { ...doubles, read, send: ok });
    expect(result).toMatchObject({
      returned: [],
      failures: [],
      added: [`ApiRetry:${error.api}`, `DeferredOrderAge:${error.api}`],
    });
    expect(result.actions).toEqual([['send', downloadMessage({ first_sent_at: sqsSentAtMs, retried: true }), 432]]);
    expect(result.lines).toEqual([expect.objectContaining({ level: 'WARN', receive: 5, wait_seconds: 432 })]);
  });

  test('a wait longer than the maximum delay is stored in the copy and on the order', async () => {
    const error = problem('RATE_LIMITED', { api: 'internal', retryAfterMs: 3_600_000 });
    const read = async () => orders.notified();
    const result = await work(received(5), throwing(error), { read, send: ok });
    const copy = downloadMessage({ first_sent_at: sqsSentAtMs, not_before: nowMs + 3_600_000, retried: true });
    expect(result.actions).toEqual([
      ['defer', 'QO-123456', nowMs + 3_600_000],
      ['send', copy, 900],
    ]);
  });

  test.each([
    ['is in a newer round', orders.notified({ round: round(nowMs) })],
    ['is gone', undefined],
    ['is PROCESSED', orders.processed()],
  ])('the order %s: the message is acknowledged', async (_, order) => {
    const result = await work(received(5), throwing(down), {
      lastResponseAtMs: () => undefined,
      read: async () => order,
    });
    expect(result).toMatchObject({ returned: [], actions: [], added: [] });
    expect(result.lines).toEqual([expect.objectContaining({ level: 'INFO', outcome: 'superseded' })]);
  });

  test.each<[string, PipelineError, WorkerDoubles]>([
    ['the API has responded to another message since', down, { lastResponseAtMs: () => minutesAgo(8.1) }],
    ['the error is not from an API', problem('AWS_FAULT'), { lastResponseAtMs: () => undefined }],
    ['its round began four days ago', down, { lastResponseAtMs: () => undefined, now: () => nowMs + 4 * 86_400_000 }],
  ])('fails the order if %s', async (_, error, doubles) => {
    const read = async () => orders.notified();
    const result = await work(received(5), throwing(error), { ...doubles, read, recordFailure: applied, hideFor: ok });
    expect(result).toMatchObject({ returned: ['message-1'], added: ['OrderFailed'] });
  });
});

describe('an open circuit', () => {
  test.each([
    [30_000, 0, 30],
    [30_000, 0.5, 45],
    [29_999, 0, 30],
    [0, 0, 0],
  ])('for another %i ms: sends a fresh copy, then acknowledges the message', async (retryAfterMs, random, seconds) => {
    const error = problem('CIRCUIT_OPEN', { api: 'qualia', retryAfterMs });
    const result = await work(received(5), throwing(error), { send: ok, random: () => random });
    expect(result).toMatchObject({ returned: [], failures: [], added: ['DeferredOrderAge:qualia'] });
    expect(result.actions).toEqual([['send', downloadMessage({ first_sent_at: sqsSentAtMs, retried: true }), seconds]]);
    expect(result.lines).toMatchObject([{ error_code: 'CIRCUIT_OPEN', receive: 5, wait_seconds: seconds }]);
  });

  test('sets the send time of the copy if the message has one', async () => {
    const error = problem('CIRCUIT_OPEN', { api: 'qualia' });
    const event = sqsEvent(sqsRecord(downloadMessage({ sent_at: sqsSentAtMs - 60_000 })));
    const result = await work(event, throwing(error), { send: ok });
    expect(result.actions).toEqual([['send', downloadMessage({ first_sent_at: sqsSentAtMs, sent_at: nowMs }), 15]]);
  });

  test('at the first receive does not mark the copy as retried', async () => {
    const result = await work(received(1), throwing(problem('CIRCUIT_OPEN', { api: 'qualia' })), { send: ok });
    expect(result.actions).toEqual([['send', downloadMessage({ first_sent_at: sqsSentAtMs }), 15]]);
  });

  test('returns the message if its copy cannot be sent', async () => {
    const send = () => {
      throw new Error('SQS is down');
    };
    const result = await work(received(1), throwing(problem('CIRCUIT_OPEN', { api: 'qualia' })), { send });
    expect(result).toMatchObject({ returned: ['message-1'], actions: [] });
  });
});
