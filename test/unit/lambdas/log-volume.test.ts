import { createHandler as createDownload } from '../../../lambdas/download/handler';
import { createHandler as createProcessing } from '../../../lambdas/processing/handler';
import { createHandler as createWebhook } from '../../../lambdas/webhook/handler';
import { createLogger } from '../../../shared/observability/logger';
import { createMetrics } from '../../../shared/observability/metrics';
import { createWorkerMemory } from '../../../shared/orders/order-memory';
import type { WriteOutcome } from '../../../shared/orders/repository';
import { unbatched } from '../../support/batch-sender';
import { recordFailureGroups } from '../../support/failures';
import { fakeRepository } from '../../support/fake-repository';
import { lambdaContext } from '../../support/lambda-context';
import { type CapturedLogs, captureLogs } from '../../support/logs';
import { checksum, downloadMessage, orders, processingMessage, requestId } from '../../support/orders';
import { qualiaResponse } from '../../support/qualia-orders';
import { sqsEvent, sqsRecord } from '../../support/sqs-events';
import { unconfigured } from '../../support/unconfigured';
import { notification, webhookEvent } from '../../support/webhook-calls';
import { queued } from '../../support/webhook-handler';

const environment = process.env;
let logs: CapturedLogs;
beforeEach(() => {
  logs = captureLogs();
});
afterEach(() => {
  logs.stop();
  process.env = environment;
});

/** Logger, metrics and context of a Lambda, with values as long as on AWS. */
const telemetryOf = (name: string) => {
  process.env = {
    ...environment,
    POWERTOOLS_SERVICE_NAME: name,
    POWERTOOLS_METRICS_NAMESPACE: 'MarketplacePipeline',
    _X_AMZN_TRACE_ID: 'Root=1-67891233-abcdef012345678912345678;Sampled=0',
  };
  const config = { STAGE: 'staging', SERVICE_VERSION: '10.20.30' };
  const context = lambdaContext({ functionName: `staging-marketplace-${name}` });
  return {
    logger: createLogger(config),
    metrics: createMetrics(config),
    context: { ...context, awsRequestId: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef' },
  };
};

test('the three Lambdas write at most 6 lines and 3 kB for a clean order', async () => {
  const request = requestId('3f2504e0-4f89-11d3-9a0c-0305e82c3301');
  const applied = async (): Promise<WriteOutcome> => ({ applied: true });
  const payload = Buffer.from(qualiaResponse());
  const sum = checksum(payload.toString());
  const s3Key = processingMessage().s3_key;
  const worker = {
    queue: { send: unconfigured('send'), hideFor: unconfigured('hideFor') },
    failures: recordFailureGroups().collector,
    memory: createWorkerMemory(512),
    maxReceiveCount: 5,
    now: () => Date.parse('2026-01-01T00:00:07Z'),
  };

  const webhook = telemetryOf('webhook');
  const receive = createWebhook({
    ...webhook,
    authenticate: async () => true,
    startRound: queued,
    keepRefused: unconfigured('keepRefused'),
    health: { version: '1', commit: 'c', stage: 'staging' },
    newRequestId: () => request,
    monotonicNow: () => 0,
  });
  expect((await receive(webhookEvent({ body: notification() }), webhook.context)).statusCode).toBe(200);

  const download = telemetryOf('download');
  const fetch = createDownload({
    ...worker,
    ...download,
    qualia: {
      fetchOrder: async () => ({ bytes: payload, attempt: 1, responseTimeMs: 250 }),
      lastResponseAtMs: () => undefined,
    },
    payloads: {
      keep: async () => ({ s3Key, checksum: sum, sizeBytes: payload.byteLength, isNew: true }),
      keepRejected: unconfigured('keepRejected'),
    },
    repository: fakeRepository({ recordDownload: applied }),
    processingQueue: unbatched(async () => undefined),
  });
  await fetch(sqsEvent(sqsRecord(downloadMessage({ request_id: request }))), download.context);

  const processing = telemetryOf('processing');
  const post = createProcessing({
    ...worker,
    ...processing,
    payloads: { load: async () => payload },
    internalApi: {
      postOrder: async () => ({ outcome: 'posted', statusCode: 201, attempt: 1, responseTimeMs: 120 }),
      lastResponseAtMs: () => undefined,
    },
    repository: fakeRepository({ read: async () => orders.downloaded(), recordProcessing: applied }),
  });
  await post(sqsEvent(sqsRecord(processingMessage({ request_id: request, checksum: sum }))), processing.context);

  expect(logs.lines().map(({ message }) => message)).toEqual([
    'webhook accepted',
    'order downloaded',
    'order processed',
  ]);
  expect(logs.text().trim().split('\n').length).toBeLessThanOrEqual(6);
  expect(logs.text().length).toBeLessThanOrEqual(3_000);
});
