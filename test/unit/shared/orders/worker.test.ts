import type { SQSEvent } from 'aws-lambda';
import type { PipelineError } from '../../../../shared/errors';
import { type CapturedLogs, captureLogs } from '../../../support/logs';
import {
  applied,
  done,
  nowMs,
  ok,
  problem,
  received,
  runWorker,
  type Step,
  throwing,
  type WorkerDoubles,
} from '../../../support/order-worker';
import { downloadMessage, orders, round } from '../../../support/orders';
import { sqsEvent, sqsRecord, sqsSentAtMs } from '../../../support/sqs-events';

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());

const work = (event: SQSEvent, step: Step, doubles: WorkerDoubles = {}) => runWorker(logs, event, step, doubles);

test('a step that is done is acknowledged: nothing else happens', async () => {
  const step = jest.fn(done);
  expect(await work(received(3), step)).toMatchObject({ returned: [], did: [], added: [], lines: [], flushes: 1 });
  expect(step.mock.calls).toEqual([
    [
      {
        message: downloadMessage(),
        receiveCount: 3,
        context: { deadlineMs: nowMs + 57_000, onRetry: expect.any(Function) },
        mayHaveTakenEffect: true,
      },
    ],
  ]);
});

describe('a permanent error', () => {
  const permanent = problem('ORDER_NOT_FOUND', { retryable: false, statusCode: 404, api: 'qualia' });

  test('is recorded on the order, and the message consumed', async () => {
    const result = await work(received(2), throwing(permanent), { recordFailure: applied });
    expect(result).toMatchObject({ returned: [], added: ['OrderFailed'] });
    expect(result.did).toEqual([['fail', 'QO-123456']]);
    expect(result.failures).toEqual([
      {
        orderId: 'QO-123456',
        round: downloadMessage().round,
        code: 'ORDER_NOT_FOUND',
        message: 'It was ORDER_NOT_FOUND',
        stage: 'download',
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
        status_code: 404,
        stage_failed: 'download',
        receive: 2,
        error_details: expect.objectContaining({ name: 'PipelineError', stack: expect.any(String) }),
      },
    ]);
  });

  test.each(['download', 'processing'] as const)('names its worker: %s', async (worker) => {
    const result = await work(received(1), throwing(permanent), { worker, recordFailure: applied });
    expect(result.failures[0]?.stage).toBe(worker);
    expect(result.lines[0]).toMatchObject({ stage_failed: worker });
  });

  test('keeps on the order, and not in the log, what was answered', async () => {
    const doubles = { recordFailure: applied, responseOf: () => 'Ada Byron is unknown' };
    const result = await work(received(1), throwing(permanent), doubles);
    expect(result.failures[0]?.answer).toBe('Ada Byron is unknown');
    expect(logs.text()).not.toContain('Ada Byron');
  });

  test('is final at the last receive as well, under its own code', async () => {
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
    expect(result).toMatchObject({ returned: ['message-1'], added: ['ApiRetry:qualia'] });
    expect(result.did).toEqual([['hide', 'receipt-of-message-1', seconds]]);
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
  ])('that asks for %i ms gets %i s', async (retryAfterMs, seconds) => {
    const error = problem('RATE_LIMITED', { api: 'qualia', statusCode: 429, retryAfterMs });
    const result = await work(received(3), throwing(error), { hideFor: ok });
    expect(result.did).toEqual([['hide', 'receipt-of-message-1', seconds]]);
    expect(result.lines[0]).toMatchObject({ wait_seconds: seconds });
  });

  test.each([0, 1, 8_000])(
    'that asked for %i ms, which the invocation waited for, gets the computed wait',
    async (retryAfterMs) => {
      const error = problem('RATE_LIMITED', { api: 'qualia', statusCode: 429, retryAfterMs });
      const asked = await work(received(3), throwing(error), { hideFor: ok });
      const computed = await work(received(3), throwing(problem('TIMEOUT', { api: 'qualia' })), { hideFor: ok });
      expect(asked.did).toEqual(computed.did);
    },
  );

  test.each([
    ['a bug of ours', new TypeError('x'), 'INTERNAL_FAULT'],
    ['an unclassified fault', 'text', 'INTERNAL_FAULT'],
    ['a fault of AWS', problem('AWS_FAULT'), 'AWS_FAULT'],
  ])('%s counts for no API', async (_, error, error_code) => {
    const result = await work(received(1), throwing(error), { hideFor: ok });
    expect(result).toMatchObject({ returned: ['message-1'], added: [] });
    expect(result.lines).toEqual([expect.objectContaining({ level: 'WARN', error_code })]);
    expect(result.lines[0]).not.toHaveProperty('api');
  });

  test('within the step is logged as well', async () => {
    const error = problem('TIMEOUT', { api: 'internal' });
    const result = await work(received(4), async ({ context }) => {
      context.onRetry({ error, attempt: 2, waitMs: 1_250 });
      return applied();
    });
    expect(result).toMatchObject({ returned: [], added: ['ApiRetry:internal'] });
    expect(result.lines).toEqual([
      {
        level: 'WARN',
        message: 'a try failed, will retry',
        order_id: 'QO-123456',
        request_id: 'request-1',
        error: 'It was TIMEOUT',
        error_code: 'TIMEOUT',
        api: 'internal',
        receive: 4,
        attempt: 2,
        wait_seconds: 1.25,
      },
    ]);
  });
});

describe('the last receive', () => {
  const error = problem('API_UNAVAILABLE', { api: 'qualia', statusCode: 503, retryAfterMs: 9_000 });

  test.each([5, 6, 40])(
    'is number 5 (here: %i): the order fails, its message goes to the dead-letter queue',
    async (count) => {
      const result = await work(received(count), throwing(error), { recordFailure: applied, hideFor: ok });
      expect(result).toMatchObject({ returned: ['message-1'], added: ['OrderFailed'] });
      expect(result.did).toEqual([
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

  test('is the configured one', async () => {
    const doubles = { recordFailure: applied, hideFor: ok, maxReceiveCount: 2 };
    expect((await work(received(2), throwing(error), doubles)).failures).toHaveLength(1);
    expect((await work(received(1), throwing(error), doubles)).failures).toHaveLength(0);
  });
});

describe('the last receive, without evidence against the message', () => {
  const down = problem('TIMEOUT', { api: 'qualia' });
  const minutesAgo = (minutes: number) => nowMs - minutes * 60_000;
  // First received 10 minutes and 10 seconds ago.
  const spared: readonly [string, PipelineError, WorkerDoubles][] = [
    ['the API never responded', down, { lastResponseAtMs: () => undefined }],
    ['the API has not responded since the first failure', down, { lastResponseAtMs: () => minutesAgo(8.2) }],
    ['there were too many calls', problem('RATE_LIMITED', { api: 'internal' }), {}],
  ];

  test.each(spared)('%s: sends a fresh copy, then acknowledges the message', async (_, error, doubles) => {
    const read = async () => orders.notified();
    const result = await work(received(5), throwing(error), { ...doubles, read, send: ok });
    expect(result).toMatchObject({ returned: [], failures: [], added: [`ApiRetry:${error.api}`] });
    expect(result.did).toEqual([['send', downloadMessage({ retried: true }), 432]]);
    expect(result.lines).toEqual([expect.objectContaining({ level: 'WARN', receive: 5, wait_seconds: 432 })]);
  });

  test('a wait longer than the longest delay is stored in the copy, which respects it', async () => {
    const error = problem('RATE_LIMITED', { api: 'internal', retryAfterMs: 3_600_000 });
    const read = async () => orders.notified();
    const result = await work(received(5), throwing(error), { read, send: ok });
    const copy = { ...downloadMessage(), not_before: nowMs + 3_600_000, retried: true };
    expect(result.did).toEqual([
      ['defer', 'QO-123456', nowMs + 3_600_000],
      ['send', copy, 900],
    ]);

    const step = jest.fn(throwing(error));
    const early = await work(sqsEvent(sqsRecord(copy)), step, { hideFor: ok, now: () => nowMs + 900_000 });
    expect(step).not.toHaveBeenCalled();
    expect(early).toMatchObject({ returned: ['message-1'], did: [['hide', 'receipt-of-message-1', 2_700]] });
    expect(early.added).toEqual(['ApiRetry:qualia']);
    expect(await work(sqsEvent(sqsRecord(copy)), done, { now: () => copy.not_before })).toMatchObject({
      returned: [],
      did: [],
    });
  });

  test.each([
    ['another round', orders.notified({ round: round(nowMs) })],
    ['no round at all', undefined],
    ['a closed round', orders.processed()],
  ])('%s is the newest: the message is acknowledged', async (_, order) => {
    const result = await work(received(5), throwing(down), {
      lastResponseAtMs: () => undefined,
      read: async () => order,
    });
    expect(result).toMatchObject({ returned: [], did: [], added: [] });
    expect(result.lines).toEqual([expect.objectContaining({ level: 'INFO', outcome: 'superseded' })]);
  });

  test.each<[string, PipelineError, WorkerDoubles]>([
    ['the API responded to others meanwhile', down, { lastResponseAtMs: () => minutesAgo(8.1) }],
    ['no API is concerned', problem('AWS_FAULT'), { lastResponseAtMs: () => undefined }],
    ['its round began four days ago', down, { lastResponseAtMs: () => undefined, now: () => nowMs + 4 * 86_400_000 }],
  ])('counts when %s', async (_, error, doubles) => {
    const read = async () => orders.notified();
    const result = await work(received(5), throwing(error), { ...doubles, read, recordFailure: applied, hideFor: ok });
    expect(result).toMatchObject({ returned: ['message-1'], added: ['OrderFailed'] });
  });
});

test.each([
  ['up to a minute after our worker sent it was not redriven', 60_000, false],
  ['later than that was redriven, and earlier receives may have acted', 60_001, true],
  ['before our worker sent it, by a clock that is behind, was not redriven', -5_000, false],
])('a message that SQS took %s', async (_, laterMs, mayHaveTakenEffect) => {
  const step = jest.fn(done);
  await work(sqsEvent(sqsRecord(downloadMessage({ sent_at: sqsSentAtMs - laterMs }))), step);
  expect(step.mock.calls).toEqual([[expect.objectContaining({ mayHaveTakenEffect })]]);
});

describe('an open circuit', () => {
  test.each([
    [30_000, 0, 30],
    [30_000, 0.5, 45],
    [29_999, 0, 30],
    [0, 0, 0],
  ])(
    'until %i ms from now: sends a fresh copy, then acknowledges the message',
    async (retryAfterMs, random, seconds) => {
      const error = problem('CIRCUIT_OPEN', { api: 'qualia', retryAfterMs });
      const result = await work(received(5), throwing(error), { send: ok, random: () => random });
      expect(result).toMatchObject({ returned: [], failures: [], added: [] });
      expect(result.did).toEqual([['send', downloadMessage({ retried: true }), seconds]]);
    },
  );

  test('makes a copy with its send time, if the message has one', async () => {
    const error = problem('CIRCUIT_OPEN', { api: 'qualia' });
    const event = sqsEvent(sqsRecord(downloadMessage({ sent_at: sqsSentAtMs - 60_000 })));
    const result = await work(event, throwing(error), { send: ok });
    expect(result.did).toEqual([['send', downloadMessage({ sent_at: nowMs }), 15]]);
  });

  test('at the first receive does not mark the copy as retried', async () => {
    const result = await work(received(1), throwing(problem('CIRCUIT_OPEN', { api: 'qualia' })), { send: ok });
    expect(result.did).toEqual([['send', downloadMessage(), 15]]);
  });

  test('whose copy cannot be sent keeps the message', async () => {
    const send = () => {
      throw new Error('SQS is down');
    };
    const result = await work(received(1), throwing(problem('CIRCUIT_OPEN', { api: 'qualia' })), { send });
    expect(result).toMatchObject({ returned: ['message-1'], did: [] });
  });
});
