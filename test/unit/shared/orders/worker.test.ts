import type { PipelineError } from '../../../../shared/errors';
import {
  applied,
  done,
  nowMs,
  ok,
  problem,
  received,
  type Step,
  throwing,
  useOrderWorker,
  type WorkerDoubles,
} from '../../../support/order-worker';
import { downloadMessage, orderId, requestId } from '../../../support/orders';
import { sqsEvent, sqsFirstReceivedAtMs, sqsRecord, sqsSentAtMs } from '../../../support/sqs-events';
import { unconfigured } from '../../../support/unconfigured';

const { work, capturedLogs } = useOrderWorker();

test('a message whose step succeeds is acknowledged, and nothing else happens', async () => {
  const step = jest.fn(done);
  expect(await work(received(3), step)).toMatchObject({ returned: [], actions: [], added: [], lines: [], flushes: 1 });
  expect(step.mock.calls).toEqual([
    [
      {
        message: downloadMessage(),
        receiptHandle: 'receipt-of-message-1',
        receiveCount: 3,
        firstReceivedAtMs: sqsFirstReceivedAtMs,
        waitingSinceMs: sqsSentAtMs,
        context: { deadlineMs: nowMs + 57_000, memory: expect.anything(), onRetry: expect.any(Function) },
        mayHaveTakenEffect: true,
      },
    ],
  ]);
});

test('a call that is retried within the step is logged', async () => {
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

test('a message that is received before its not_before time is hidden until then', async () => {
  const message = downloadMessage({ not_before: nowMs + 3_600_000 });
  const step = jest.fn(done);
  const early = await work(sqsEvent(sqsRecord(message)), step, { hideFor: ok, now: () => nowMs + 900_000 });
  expect(step).not.toHaveBeenCalled();
  expect(early).toMatchObject({ returned: ['message-1'], actions: [['hide', 'receipt-of-message-1', 2_700]] });
  expect(early.added).toEqual(['ApiRetry:qualia', 'DeferredOrderAge:qualia']);
  const inTime = await work(sqsEvent(sqsRecord(message)), step, { now: () => nowMs + 3_600_000 });
  expect(inTime).toMatchObject({ returned: [], actions: [] });
  expect(step).toHaveBeenCalledTimes(1);
});

describe('a message that cannot be read', () => {
  test.each<[string, unknown]>([
    ['text that is not JSON', 'Ada Byron'],
    ['an empty body', ''],
    ['null', 'null'],
    ['an empty object', {}],
    ['an invalid field', { ...downloadMessage(), order_id: 'Ada Byron' }],
  ])('%s: is returned immediately, without its content in the log', async (_, body) => {
    const step = jest.fn();
    const result = await work(sqsEvent(sqsRecord(body)), step, { hideFor: ok });
    expect(result).toMatchObject({ returned: ['message-1'], failures: [], added: [] });
    expect(result.actions).toEqual([['hide', 'receipt-of-message-1', 0]]);
    expect(step).not.toHaveBeenCalled();
    expect(result.lines).toEqual([
      {
        level: 'ERROR',
        message: 'message cannot be read',
        error: 'The message is not one of ours',
        error_code: 'BAD_MESSAGE',
      },
    ]);
    expect(capturedLogs().text()).not.toContain('Ada Byron');
  });
});

describe('a failure that cannot be handled', () => {
  const down = () => {
    throw new Error('DynamoDB is down');
  };
  test.each<[string, number, PipelineError, WorkerDoubles]>([
    ['a failure that cannot be recorded', 1, problem('BAD_PAYLOAD', { retryable: false }), { recordFailure: down }],
    ['a last failure that cannot be recorded', 5, problem('TIMEOUT'), { recordFailure: down }],
    ['a visibility that cannot be set', 2, problem('TIMEOUT'), { hideFor: down }],
    ['a last receive that cannot be returned', 5, problem('TIMEOUT'), { recordFailure: applied, hideFor: down }],
  ])('%s: the message is redelivered', async (_, receiveCount, error, doubles) => {
    const result = await work(received(receiveCount), throwing(error), doubles);
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
        name === 'f'
          ? 'not JSON'
          : downloadMessage({ order_id: orderId(name), request_id: requestId(`request-${name}`) }),
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
    return applied();
  };

  test('returns the failed messages, and only those', async () => {
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

  test('in which every record failed is returned completely, and the function does not throw', async () => {
    const event = sqsEvent(sqsRecord('x', { messageId: 'a' }), sqsRecord('y', { messageId: 'b' }));
    expect((await work(event, unconfigured('step'))).returned.sort()).toEqual(['a', 'b']);
  });

  test('is handled concurrently', async () => {
    let arrived = 0;
    let release: (value?: unknown) => void = () => {};
    const allArrived = new Promise((resolve) => (release = resolve));
    const event = sqsEvent(...names.map((messageId) => sqsRecord(downloadMessage(), { messageId })));
    const waitForAll: Step = async () => {
      if (++arrived === names.length) release();
      await allArrived;
      return applied();
    };
    expect((await work(event, waitForAll)).returned).toEqual([]);
  });

  test('is handled normally after a batch with failures', async () => {
    await work(batch, step, { hideFor: ok, recordFailure: applied });
    capturedLogs().clear();
    expect(await work(received(1), done)).toMatchObject({ returned: [], lines: [] });
  });
});
