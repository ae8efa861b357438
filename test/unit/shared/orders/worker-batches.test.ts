import type { SQSEvent } from 'aws-lambda';
import type { PipelineError } from '../../../../shared/errors';
import { type CapturedLogs, captureLogs } from '../../../support/logs';
import {
  applied,
  done,
  ok,
  problem,
  received,
  runWorker,
  type Step,
  throwing,
  type WorkerDoubles,
} from '../../../support/order-worker';
import { downloadMessage, orderId, requestId } from '../../../support/orders';
import { sqsEvent, sqsRecord } from '../../../support/sqs-events';
import { unconfigured } from '../../../support/unconfigured';

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());

const work = (event: SQSEvent, step: Step, doubles: WorkerDoubles = {}) => runWorker(logs, event, step, doubles);

describe('a message that cannot be read', () => {
  test.each<[string, unknown]>([
    ['no JSON', 'Ada Byron'],
    ['nothing', ''],
    ['null', 'null'],
    ['no order', {}],
    ['a field wrong', { ...downloadMessage(), order_id: 'Ada Byron' }],
  ])('%s: is returned at once, without its content in the log', async (_, body) => {
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
          ? 'no JSON'
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

  test('in which every record failed is returned as a whole, without an error of the function', async () => {
    const event = sqsEvent(sqsRecord('x', { messageId: 'a' }), sqsRecord('y', { messageId: 'b' }));
    expect((await work(event, unconfigured('step'))).returned.sort()).toEqual(['a', 'b']);
  });

  test('is handled concurrently', async () => {
    let arrived = 0;
    let open: (value?: unknown) => void = () => {};
    const gate = new Promise((resolve) => (open = resolve));
    const together = sqsEvent(...names.map((messageId) => sqsRecord(downloadMessage(), { messageId })));
    const meet: Step = async () => {
      if (++arrived === names.length) open();
      await gate;
      return applied();
    };
    expect((await work(together, meet)).returned).toEqual([]);
  });

  test('after a bad one is handled normally', async () => {
    await work(batch, step, { hideFor: ok, recordFailure: applied });
    logs.clear();
    expect(await work(received(1), done)).toMatchObject({ returned: [], lines: [] });
  });
});
