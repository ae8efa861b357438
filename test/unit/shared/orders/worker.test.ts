import type { SQSEvent } from 'aws-lambda';
import { type ApiName, type ErrorCode, PipelineError } from '../../../../shared/errors';
import { createLogger } from '../../../../shared/observability/logger';
import { type DownloadMessage, downloadMessageSchema } from '../../../../shared/orders/message';
import type { FailureRecord, WriteOutcome } from '../../../../shared/orders/repository';
import { createOrderWorker, type Delivery, type OrderWorkerOptions } from '../../../../shared/orders/worker';
import { lambdaContext } from '../../../support/lambda-context';
import { type CapturedLogs, captureLogs, ownFields } from '../../../support/logs';
import { recordMetrics } from '../../../support/metrics';
import { downloadMessage, orderId, orders, requestId } from '../../../support/orders';
import { sqsEvent, sqsRecord } from '../../../support/sqs-events';
import { untold } from '../../../support/untold';

const nowMs = Date.parse('2026-01-01T00:00:10Z');

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());

type Step = (delivery: Delivery<DownloadMessage>) => Promise<void>;
type Told = Partial<Omit<OrderWorkerOptions<DownloadMessage>, 'step' | 'queue' | 'repository'>> & {
  readonly send?: () => unknown;
  readonly hideFor?: () => unknown;
  readonly recordFailure?: () => WriteOutcome;
};

const work = async (event: SQSEvent, step: Step, told: Told = {}) => {
  const metrics = recordMetrics();
  const did: unknown[][] = [];
  const failures: ({ orderId: string; round: string } & FailureRecord)[] = [];
  const { send = untold('send'), hideFor = untold('hideFor'), recordFailure = untold('recordFailure'), ...options } = told;
  const worker = createOrderWorker({
    stage: 'download',
    schema: downloadMessageSchema,
    step,
    queue: {
      send: async (message, delaySeconds) => {
        send();
        did.push(['send', message, delaySeconds]);
      },
      hideFor: async (receipt, seconds) => {
        hideFor();
        did.push(['hide', receipt, seconds]);
      },
    },
    repository: {
      recordFailure: async (order, round, failure) => {
        const outcome = recordFailure();
        failures.push({ orderId: order, round, ...failure });
        did.push(['fail', order]);
        return outcome;
      },
    },
    maxReceiveCount: 5,
    logger: createLogger({ STAGE: 'dev', SERVICE_VERSION: '1' }),
    metrics: metrics.recorder,
    now: () => nowMs,
    random: () => 0.5,
    ...options,
  });
  const { batchItemFailures } = await worker(event, lambdaContext({ remainingMs: 60_000 }));
  expect(metrics.flushes()).toBe(1);
  return {
    returned: batchItemFailures.map(({ itemIdentifier }) => itemIdentifier),
    did,
    failures,
    added: metrics.added,
    lines: logs.lines().map(ownFields),
  };
};

const ok = () => undefined;
const applied = (): WriteOutcome => ({ applied: true });
const throwing = (error: unknown) => async (): Promise<never> => {
  throw error;
};
interface Options {
  readonly retryable?: boolean;
  readonly api?: ApiName;
  readonly statusCode?: number;
  readonly retryAfterMs?: number;
}
const problem = (code: ErrorCode, options: Options = {}) =>
  new PipelineError(code, `It was ${code}`, { retryable: true, ...options });
const received = (receiveCount: number) => sqsEvent(sqsRecord(downloadMessage(), { receiveCount }));

test('a step that is done is acknowledged: nothing else happens', async () => {
  const step = jest.fn(async () => undefined);
  expect(await work(received(3), step)).toMatchObject({ returned: [], did: [], added: [], lines: [] });
  expect(step.mock.calls).toEqual([
    [
      {
        message: downloadMessage(),
        receiveCount: 3,
        context: { deadlineMs: nowMs + 57_000, onRetry: expect.any(Function) },
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
        attempts: 2,
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
        attempt: 2,
        error_details: expect.objectContaining({ name: 'PipelineError', stack: expect.any(String) }),
      },
    ]);
  });

  test.each(['download', 'processing'] as const)('names its stage: %s', async (stage) => {
    const result = await work(received(1), throwing(permanent), { stage, recordFailure: applied });
    expect(result.failures[0]?.stage).toBe(stage);
    expect(result.lines[0]).toMatchObject({ stage_failed: stage });
  });

  test('keeps on the order, and not in the log, what was answered', async () => {
    const told = { recordFailure: applied, answerOf: () => 'Ada Byron is unknown' };
    const result = await work(received(1), throwing(permanent), told);
    expect(result.failures[0]?.answer).toBe('Ada Byron is unknown');
    expect(logs.text()).not.toContain('Ada Byron');
  });

  test('of a round that is closed is superseded, and no failure', async () => {
    const result = await work(received(1), throwing(permanent), {
      recordFailure: () => ({ applied: false, order: orders.processed() }),
    });
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
  ])('at receive %i hides the message for %i s, and gives it back', async (receiveCount, seconds) => {
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
        attempt: receiveCount,
        wait_seconds: seconds,
      },
    ]);
  });

  test.each([
    [0, 0],
    [1, 1],
    [9_000, 9],
    [9_001, 10],
    [120_000, 120],
    [3_600_000, 3_600],
    [43_200_000, 43_200],
    [99_999_999, 43_200],
  ])('that asks for %i ms gets %i s', async (retryAfterMs, seconds) => {
    const error = problem('RATE_LIMITED', { api: 'qualia', statusCode: 429, retryAfterMs });
    const result = await work(received(3), throwing(error), { hideFor: ok });
    expect(result.did).toEqual([['hide', 'receipt-of-message-1', seconds]]);
    expect(result.lines[0]).toMatchObject({ wait_seconds: seconds });
  });

  test.each([
    ['a bug of ours', new TypeError('x'), 'INTERNAL_FAULT'],
    ['a fault that nobody judged', 'text', 'INTERNAL_FAULT'],
    ['a fault of AWS', problem('AWS_FAULT'), 'AWS_FAULT'],
  ])('%s counts for no API', async (_, error, error_code) => {
    const result = await work(received(1), throwing(error), { hideFor: ok });
    expect(result).toMatchObject({ returned: ['message-1'], added: [] });
    expect(result.lines).toEqual([expect.objectContaining({ level: 'WARN', error_code })]);
    expect(result.lines[0]).not.toHaveProperty('api');
  });

  test('within the step is told as well', async () => {
    const error = problem('TIMEOUT', { api: 'internal' });
    const result = await work(received(4), async ({ context }) => context.onRetry({ error, attempt: 2, waitMs: 1_250 }));
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
        attempt: 2,
        wait_seconds: 1.25,
      },
    ]);
  });
});

describe('the last receive', () => {
  const error = problem('API_UNAVAILABLE', { api: 'qualia', statusCode: 503, retryAfterMs: 9_000 });

  test.each([5, 6, 40])('is number 5 (here: %i): the order fails, its message goes to the dead letters', async (count) => {
    const result = await work(received(count), throwing(error), { recordFailure: applied, hideFor: ok });
    expect(result).toMatchObject({ returned: ['message-1'], added: ['OrderFailed'] });
    expect(result.did).toEqual([
      ['fail', 'QO-123456'],
      ['hide', 'receipt-of-message-1', 0],
    ]);
    expect(result.failures[0]).toMatchObject({
      code: 'RETRIES_EXHAUSTED',
      message: `Gave up after ${count} receives: It was API_UNAVAILABLE (API_UNAVAILABLE)`,
      attempts: count,
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
        attempt: count,
      }),
    ]);
  });

  test('is as many as it is told', async () => {
    const told = { recordFailure: applied, hideFor: ok, maxReceiveCount: 2 };
    expect((await work(received(2), throwing(error), told)).failures).toHaveLength(1);
    expect((await work(received(1), throwing(error), told)).failures).toHaveLength(0);
  });

  test('of a round that is closed is no dead letter, and no failure', async () => {
    const recordFailure = (): WriteOutcome => ({ applied: false, order: orders.processed() });
    const result = await work(received(5), throwing(error), { recordFailure });
    expect(result).toMatchObject({ returned: [], added: [] });
    expect(result.lines).toEqual([expect.objectContaining({ level: 'INFO', outcome: 'superseded' })]);
  });
});

describe('an open circuit', () => {
  test.each([
    [30_000, 0, 30],
    [30_000, 0.5, 45],
    [29_999, 0, 30],
    [0, 0, 0],
    [5_000_000, 0.9, 900],
  ])('until %i ms from now: a fresh copy goes first, then this one', async (retryAfterMs, random, seconds) => {
    const error = problem('CIRCUIT_OPEN', { api: 'qualia', retryAfterMs });
    const result = await work(received(5), throwing(error), { send: ok, random: () => random });
    expect(result).toMatchObject({ returned: [], failures: [], added: [] });
    expect(result.did).toEqual([['send', downloadMessage(), seconds]]);
  });

  test('whose copy cannot be sent keeps the message', async () => {
    const send = () => {
      throw new Error('SQS is down');
    };
    const result = await work(received(1), throwing(problem('CIRCUIT_OPEN', { api: 'qualia' })), { send });
    expect(result).toMatchObject({ returned: ['message-1'], did: [] });
  });
});

describe('a message that cannot be read', () => {
  test.each<[string, unknown]>([
    ['no JSON', 'Ada Byron'],
    ['nothing', ''],
    ['null', 'null'],
    ['no order', {}],
    ['a field wrong', { ...downloadMessage(), order_id: 'Ada Byron' }],
  ])('%s: goes back at once, and says nothing of what it holds', async (_, body) => {
    const step = jest.fn();
    const result = await work(sqsEvent(sqsRecord(body)), step, { hideFor: ok });
    expect(result).toMatchObject({ returned: ['message-1'], failures: [], added: [] });
    expect(result.did).toEqual([['hide', 'receipt-of-message-1', 0]]);
    expect(step).not.toHaveBeenCalled();
    expect(result.lines).toEqual([
      {
        level: 'ERROR',
        message: 'message cannot be read',
        error: 'The message is not one of ours',
        error_code: 'BAD_MESSAGE',
      },
    ]);
    expect(logs.text()).not.toContain('Ada Byron');
  });
});

describe('what cannot be settled', () => {
  const down = () => {
    throw new Error('DynamoDB is down');
  };
  test.each<[string, number, PipelineError, Told]>([
    ['a failure that cannot be recorded', 1, problem('BAD_PAYLOAD', { retryable: false }), { recordFailure: down }],
    ['a last one that cannot be recorded', 5, problem('TIMEOUT'), { recordFailure: down }],
    ['a visibility that cannot be set', 2, problem('TIMEOUT'), { hideFor: down }],
    ['one that cannot be let go', 5, problem('TIMEOUT'), { recordFailure: applied, hideFor: down }],
  ])('%s: the message comes back', async (_, receiveCount, error, told) => {
    const result = await work(received(receiveCount), throwing(error), told);
    expect(result.returned).toEqual(['message-1']);
    expect(result.lines.at(-1)).toEqual({
      level: 'ERROR',
      message: 'message could not be settled',
      order_id: 'QO-123456',
      request_id: 'request-1',
      error: error.message,
      error_code: error.code,
      error_details: expect.objectContaining({ code: 'INTERNAL_FAULT' }),
    });
  });
});

describe('a batch', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const batch = sqsEvent(
    ...names.map((name) =>
      sqsRecord(
        name === 'f' ? 'no JSON' : downloadMessage({ order_id: orderId(name), request_id: requestId(`request-${name}`) }),
        { messageId: name, receiveCount: name === 'e' ? 5 : 1 },
      ),
    ),
  );
  const errors: Record<string, Error> = {
    b: problem('ORDER_NOT_FOUND', { retryable: false }),
    c: problem('TIMEOUT'),
    d: new TypeError('a bug'),
    e: problem('TIMEOUT'),
  };
  const step: Step = async ({ message }) => {
    const error = errors[message.order_id];
    if (error !== undefined) throw error;
  };

  test('gives back those that failed, and only those', async () => {
    const result = await work(batch, step, { hideFor: ok, recordFailure: applied });
    expect(result.returned.sort()).toEqual(['c', 'd', 'e', 'f']);
    expect(result.failures.map(({ orderId, code }) => `${orderId} ${code}`).sort()).toEqual([
      'b ORDER_NOT_FOUND',
      'e RETRIES_EXHAUSTED',
    ]);
    for (const line of result.lines.filter((line) => 'order_id' in line)) {
      expect(line.request_id).toBe(`request-${line.order_id}`);
    }
  });

  test('of which every record failed is given back whole, without an error of the function', async () => {
    const event = sqsEvent(sqsRecord('x', { messageId: 'a' }), sqsRecord('y', { messageId: 'b' }));
    expect((await work(event, untold('step'))).returned.sort()).toEqual(['a', 'b']);
  });

  test('is handled at the same time', async () => {
    let arrived = 0;
    let open: (value?: unknown) => void = () => {};
    const gate = new Promise((resolve) => (open = resolve));
    const together = sqsEvent(...names.map((messageId) => sqsRecord(downloadMessage(), { messageId })));
    const meet: Step = async () => {
      if (++arrived === names.length) open();
      await gate;
    };
    expect((await work(together, meet)).returned).toEqual([]);
  });

  test('after a bad one is handled as if nothing had been', async () => {
    await work(batch, step, { hideFor: ok, recordFailure: applied });
    logs.clear();
    expect(await work(received(1), async () => undefined)).toMatchObject({ returned: [], lines: [] });
  });
});
