import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createDocumentClient, largeCalls, smallCalls } from '../../shared/aws/clients';
import { createQueue } from '../../shared/aws/queue';
import { createQueueDepth } from '../../shared/aws/queue-depth';
import { createSecret } from '../../shared/aws/secret';
import { createPassStore } from '../../shared/completeness/pass-store';
import { parseEnvironment } from '../../shared/config';
import { createPace } from '../../shared/http/pace';
import { logCalls } from '../../shared/observability/log-calls';
import { createLogger } from '../../shared/observability/logger';
import { createMetrics } from '../../shared/observability/metrics';
import type { DownloadMessage } from '../../shared/orders/message';
import { createOrderQueries } from '../../shared/orders/queries';
import { createOrderRepository } from '../../shared/orders/repository';
import { newRequestId } from '../../shared/orders/request-id';
import { createRoundStarter } from '../../shared/orders/start-round';
import { createUnsentMessages } from '../../shared/orders/unsent-messages';
import { createQualiaClient, qualiaCredentialSchema } from '../../shared/qualia/client';
import { configSchema } from './config';
import { type Continuation, createHandler } from './handler';

const config = parseEnvironment(configSchema, process.env);
const now = () => Date.now();
const metrics = createMetrics(config);
const logger = createLogger(config);
const documents = createDocumentClient();
const sqs = new SQSClient(smallCalls);
const downloadQueue = createQueue<DownloadMessage>(sqs, config.DOWNLOAD_QUEUE_URL);

export const handler = createHandler({
  qualia: createQualiaClient({
    url: config.QUALIA_API_URL,
    credential: createSecret({
      client: new SecretsManagerClient(smallCalls),
      secretId: config.QUALIA_SECRET_ARN,
      schema: qualiaCredentialSchema,
      now,
    }),
    now,
    callsPerSecond: config.QUALIA_CALLS_PER_SECOND,
    onCircuitOpen: () => metrics.add('CircuitOpen'),
    onCall: logCalls(logger),
  }),
  orders: createOrderQueries(documents, config.ORDERS_TABLE_NAME),
  startRound: createRoundStarter({
    repository: createOrderRepository(documents, config.ORDERS_TABLE_NAME),
    downloadQueue,
    now,
  }),
  downloadQueue,
  unsent: createUnsentMessages(documents, config.OPERATIONS_TABLE_NAME),
  passes: createPassStore(new S3Client(largeCalls), config.ARTIFACTS_BUCKET_NAME),
  queue: createQueue<Continuation>(sqs, config.RECONCILER_QUEUE_URL),
  backlog: createQueueDepth(sqs, config.DOWNLOAD_QUEUE_URL),
  backlogLimit: config.BACKLOG_LIMIT,
  roundsPerSecond: config.ROUNDS_PER_SECOND,
  pace: createPace({ callsPerSecond: config.ROUNDS_PER_SECOND, utilization: 1 }),
  settleMs: config.SETTLE_SECONDS * 1_000,
  logger,
  metrics,
  newRequestId,
  newPassId: randomUUID,
  now,
  sleep,
});
