import { PipelineError } from '../../../../shared/errors';
import { createLogger } from '../../../../shared/observability/logger';
import { deliveryOf } from '../../../../shared/orders/delivery';
import { createWorkerReport, type WorkerReport } from '../../../../shared/orders/worker-report';
import { captureLogs, ownFields } from '../../../support/logs';
import { recordMetrics } from '../../../support/metrics';
import { orderMemory } from '../../../support/order-memory';
import { downloadMessage } from '../../../support/orders';
import { sqsRecord, sqsSentAtMs } from '../../../support/sqs-events';
import { unconfigured } from '../../../support/unconfigured';

const message = downloadMessage();
const delivery = deliveryOf(sqsRecord(message, { receiveCount: 2 }), message, {
  deadlineMs: 1,
  memory: orderMemory(),
  onRetry: unconfigured('onRetry'),
});
const keys = { order_id: message.order_id, request_id: message.request_id };
const error = new PipelineError('TIMEOUT', 'It failed', { retryable: true, api: 'qualia', statusCode: 504 });

/** The lines, without the common fields, and the metrics that a report writes. */
const written = (write: (report: WorkerReport) => void) => {
  const logs = captureLogs();
  const { recorder: metrics, added, values } = recordMetrics();
  try {
    const logger = createLogger({ STAGE: 'dev', SERVICE_VERSION: '1' });
    write(createWorkerReport({ worker: 'processing', logger, metrics, now: () => sqsSentAtMs + 901_000 }));
    return { lines: logs.lines().map(ownFields), added, age: values.get('DeferredOrderAge') };
  } finally {
    logs.stop();
  }
};

test('a failed order: an ERROR line and the metric of the alarm', () => {
  const failure = { code: 'RETRIES_EXHAUSTED', message: 'Gave up', receive: 5, cause: error };
  expect(written((report) => report.orderFailed(message, failure))).toEqual({
    added: ['OrderFailed'],
    lines: [
      {
        ...keys,
        level: 'ERROR',
        message: 'order failed for good',
        status: 'FAILED',
        stage_failed: 'processing',
        error: 'Gave up',
        error_code: 'RETRIES_EXHAUSTED',
        status_code: 504,
        receive: 5,
        error_details: expect.objectContaining({ code: 'TIMEOUT' }),
      },
    ],
  });
});

test('a failure that is read from the item: a line without a receive or a cause', () => {
  const { lines } = written((report) => report.orderFailed(message, { code: 'API_REFUSED', message: 'Refused' }));
  expect(Object.keys(lines[0] ?? {})).not.toEqual(expect.arrayContaining(['receive']));
  expect(lines[0]).not.toHaveProperty('error_details');
});

test.each<[string, (report: WorkerReport) => void, object]>([
  ['superseded', (report) => report.superseded(message), { ...keys, level: 'INFO', outcome: 'superseded' }],
  ['unreadable', (report) => report.unreadable(error), { level: 'ERROR', error: 'It failed', error_code: 'TIMEOUT' }],
  [
    'not settled',
    (report) => report.unsettled(message, error, new TypeError('a bug')),
    {
      ...keys,
      level: 'ERROR',
      error: 'It failed',
      error_code: 'TIMEOUT',
      error_details: expect.objectContaining({ code: 'INTERNAL_FAULT' }),
    },
  ],
])('a message that is %s: one line, no metric', (_, write, line) => {
  expect(written(write)).toEqual({ added: [], lines: [{ message: expect.any(String), ...line }] });
});

test('a retry: a WARN line with the receive, and a metric of the API', () => {
  expect(written((report) => report.willRetry(delivery, { error, waitSeconds: 30 }))).toEqual({
    added: ['ApiRetry:qualia', 'DeferredOrderAge:qualia'],
    age: 901,
    lines: [expect.objectContaining({ ...keys, level: 'WARN', receive: 2, wait_seconds: 30 })],
  });
});

test('a retry within a call: the message does not wait, so no age is reported', () => {
  const { added, age } = written((report) => report.willRetry(delivery, { error, attempt: 1, waitSeconds: 1 }));
  expect({ added, age }).toEqual({ added: ['ApiRetry:qualia'], age: undefined });
});

test('a message that met an open circuit: an INFO line with the wait, not counted as a retry, and its age', () => {
  expect(written((report) => report.deferred(delivery, { error, waitSeconds: 45 }))).toEqual({
    added: ['DeferredOrderAge:qualia'],
    age: 901,
    lines: [
      {
        ...keys,
        level: 'INFO',
        message: 'order waits for an API',
        error_code: 'TIMEOUT',
        api: 'qualia',
        receive: 2,
        wait_seconds: 45,
      },
    ],
  });
});
