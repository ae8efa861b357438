import { createHandler, type DownloadDependencies } from '../../../../lambdas/download/handler';
import { type ErrorCode, PipelineError } from '../../../../shared/errors';
import { createLogger } from '../../../../shared/observability/logger';
import { createWorkerMemory } from '../../../../shared/orders/order-memory';
import type { OrderRepository, WriteOutcome } from '../../../../shared/orders/repository';
import { UnreadableResponseError } from '../../../../shared/qualia/client';
import { unbatched } from '../../../support/batch-sender';
import { recordFailureGroups } from '../../../support/failures';
import { fakeRepository } from '../../../support/fake-repository';
import { lambdaContext } from '../../../support/lambda-context';
import { type CapturedLogs, captureLogs, ownFields } from '../../../support/logs';
import { recordMetrics } from '../../../support/metrics';
import { checksum, downloadMessage, orders, processingMessage, round } from '../../../support/orders';
import { qualiaResponse } from '../../../support/qualia-orders';
import { sqsEvent, sqsRecord } from '../../../support/sqs-events';
import { unconfigured } from '../../../support/unconfigured';

const nowMs = Date.parse('2026-01-01T00:00:05Z');
const bytes = Buffer.from(qualiaResponse());
const s3Key = processingMessage().s3_key;

let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => logs.stop());

interface MessageDoubles {
  readonly qualia?: Pick<DownloadDependencies['qualia'], 'fetchOrder'>;
  readonly keep?: DownloadDependencies['payloads']['keep'];
  readonly keepRejected?: DownloadDependencies['payloads']['keepRejected'];
  readonly repository?: Partial<OrderRepository>;
  readonly send?: DownloadDependencies['processingQueue']['send'];
  readonly hideFor?: DownloadDependencies['queue']['hideFor'];
}

const download = async (doubles: MessageDoubles, receiveCount = 1) => {
  const metrics = recordMetrics();
  const handler = createHandler({
    qualia: {
      fetchOrder: async () => ({ bytes, attempt: 2, responseTimeMs: 80 }),
      lastResponseAtMs: () => nowMs,
      ...doubles.qualia,
    },
    payloads: {
      keep: doubles.keep ?? unconfigured('keep'),
      keepRejected: doubles.keepRejected ?? unconfigured('keepRejected'),
    },
    repository: fakeRepository(doubles.repository ?? {}),
    queue: { send: unconfigured('queue.send'), hideFor: doubles.hideFor ?? unconfigured('hideFor') },
    processingQueue: unbatched(doubles.send ?? unconfigured('processingQueue.send')),
    failures: recordFailureGroups().collector,
    memory: createWorkerMemory(512),
    maxReceiveCount: 5,
    logger: createLogger({ STAGE: 'dev', SERVICE_VERSION: '1' }),
    metrics: metrics.recorder,
    now: () => nowMs,
    random: () => 0,
  });
  const { batchItemFailures } = await handler(
    sqsEvent(sqsRecord(downloadMessage(), { receiveCount })),
    lambdaContext(),
  );
  return { returned: batchItemFailures.length, added: metrics.added, lines: logs.lines().map(ownFields) };
};

const storing = () => jest.fn(async () => ({ s3Key, checksum: checksum(), sizeBytes: bytes.byteLength, isNew: true }));
const writing = (outcome: WriteOutcome) => jest.fn(async () => outcome);
const superseded = {
  level: 'INFO',
  message: 'message superseded',
  order_id: 'QO-123456',
  request_id: 'request-1',
  outcome: 'superseded',
};

test('an order is fetched, stored byte for byte, recorded, and sent to processing, in this order', async () => {
  const actions: unknown[][] = [];
  const result = await download(
    {
      qualia: {
        fetchOrder: async (...args) => {
          actions.push(['fetch', ...args]);
          return { bytes, attempt: 2, responseTimeMs: 80 };
        },
      },
      keep: async (...args) => {
        actions.push(['keep', ...args]);
        return { s3Key, checksum: checksum(), sizeBytes: bytes.byteLength, isNew: true };
      },
      repository: {
        recordDownload: async (...args) => {
          actions.push(['record', ...args]);
          return { applied: true };
        },
      },
      send: async (...args) => {
        actions.push(['send', ...args]);
      },
    },
    3,
  );
  expect(actions).toEqual([
    ['fetch', 'QO-123456', { deadlineMs: nowMs + 57_000, memory: expect.anything(), onRetry: expect.any(Function) }],
    ['keep', 'QO-123456', round(), bytes],
    [
      'record',
      'QO-123456',
      round(),
      {
        s3Key,
        checksum: checksum(),
        payloadSizeBytes: bytes.byteLength,
        receiveCount: 3,
        startedAtMs: nowMs,
        downloadedAtMs: nowMs,
      },
    ],
    ['send', processingMessage({ sent_at: nowMs })],
  ]);
  expect(result).toEqual({
    returned: 0,
    added: ['OrderDownloaded'],
    lines: [
      {
        level: 'INFO',
        message: 'order downloaded',
        order_id: 'QO-123456',
        request_id: 'request-1',
        status: 'DOWNLOADED',
        s3_key: s3Key,
        checksum: checksum(),
        payload_size: bytes.byteLength,
        response_time_ms: 80,
        attempt: 2,
      },
    ],
  });
});

test('an order that is already DOWNLOADED is sent to processing again, because the first send may have failed', async () => {
  const send = jest.fn(async () => undefined);
  const recordDownload = writing({ applied: false, order: orders.downloaded() });
  const result = await download({ keep: storing(), repository: { recordDownload }, send });
  expect(send.mock.calls).toEqual([[processingMessage({ retried: true, sent_at: nowMs })]]);
  expect(result).toEqual({ returned: 0, added: [], lines: [superseded] });
});

test.each([
  ['is gone', undefined],
  ['is PROCESSED', orders.processed()],
  ['is in a newer round', orders.notified({ round: round(1_767_225_600_001) })],
  ['is DOWNLOADED in a newer round', orders.downloaded({ round: round(1_767_225_600_001) })],
])('an order that %s is ignored', async (_, order) => {
  const recordDownload = writing({ applied: false, order });
  const result = await download({ keep: storing(), repository: { recordDownload } });
  expect(result).toEqual({ returned: 0, added: [], lines: [superseded] });
});

describe('an unreadable response', () => {
  const garbage = Buffer.from('<html>Ada Byron</html>');
  const unreadable = (retryable: boolean) => ({
    fetchOrder: async () => {
      throw new UnreadableResponseError(
        'Qualia answered no order',
        { retryable, statusCode: 200, detail: 'not JSON' },
        garbage,
      );
    },
  });

  test('is stored for analysis if the error is permanent, and the order fails', async () => {
    const keepRejected = storing();
    const recordFailure = writing({ applied: true });
    const result = await download({ qualia: unreadable(false), keepRejected, repository: { recordFailure } });
    expect(keepRejected.mock.calls).toEqual([['QO-123456', round(), garbage]]);
    expect(recordFailure.mock.calls).toEqual([
      ['QO-123456', round(), expect.objectContaining({ code: 'BAD_ANSWER', stage: 'download' })],
    ]);
    expect(result).toMatchObject({ returned: 0, added: ['OrderFailed'] });
    expect(logs.text()).not.toContain('Ada Byron');
  });

  test('is not stored if the error is retryable', async () => {
    const result = await download({ qualia: unreadable(true), hideFor: async () => undefined });
    expect(result).toMatchObject({ returned: 1, added: ['ApiRetry:qualia', 'DeferredOrderAge:qualia'] });
  });

  test('that cannot be stored is retried, so that nothing is lost', async () => {
    const keepRejected = async () => {
      throw new Error('S3 is down');
    };
    const result = await download({ qualia: unreadable(false), keepRejected, hideFor: async () => undefined });
    expect(result).toMatchObject({ returned: 1, added: [] });
  });
});

describe('a failure', () => {
  const failing = (error: Error) => async (): Promise<never> => {
    throw error;
  };
  const fault = (code: ErrorCode, retryable: boolean) => new PipelineError(code, 'No', { retryable, api: 'qualia' });
  const down = failing(new Error('AWS is down'));

  test.each<[string, MessageDoubles]>([
    ['the fetch', { qualia: { fetchOrder: failing(fault('TIMEOUT', true)) } }],
    ['the bucket', { keep: down }],
    ['the table', { keep: storing(), repository: { recordDownload: down } }],
    ['the send', { keep: storing(), repository: { recordDownload: writing({ applied: true }) }, send: down }],
  ])('of %s: the message is returned, and no order is counted', async (_, doubles) => {
    const hideFor = jest.fn(async () => undefined);
    const result = await download({ ...doubles, hideFor }, 2);
    expect(result).toMatchObject({
      returned: 1,
      added: doubles.qualia ? ['ApiRetry:qualia', 'DeferredOrderAge:qualia'] : [],
    });
    expect(hideFor.mock.calls).toEqual([['receipt-of-message-1', 60]]);
    expect(result.lines.map(({ level }) => level)).toEqual(['WARN']);
  });

  test.each(['ORDER_NOT_FOUND', 'GRAPHQL_ERROR', 'API_REFUSED'] as const)(
    'with the permanent error %s: the order fails',
    async (code) => {
      const recordFailure = writing({ applied: true });
      const qualia = { fetchOrder: failing(fault(code, false)) };
      const result = await download({ qualia, repository: { recordFailure } });
      expect(result).toMatchObject({ returned: 0, added: ['OrderFailed'] });
      expect(result.lines).toEqual([
        expect.objectContaining({ level: 'ERROR', status: 'FAILED', error_code: code, stage_failed: 'download' }),
      ]);
    },
  );

  test('after another delivery has succeeded: the stored payload is sent to processing again', async () => {
    const send = jest.fn(async () => undefined);
    const recordFailure = writing({ applied: false, order: orders.downloaded() });
    const qualia = { fetchOrder: failing(fault('ORDER_NOT_FOUND', false)) };
    const result = await download({ qualia, repository: { recordFailure }, send });
    expect(send.mock.calls).toEqual([[processingMessage({ retried: true, sent_at: nowMs })]]);
    expect(result).toEqual({ returned: 0, added: [], lines: [superseded] });
  });
});
