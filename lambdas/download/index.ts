import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createBatchSender } from '../../shared/aws/batch-sender';
import { createDocumentClient, smallCalls } from '../../shared/aws/clients';
import { createQueue } from '../../shared/aws/queue';
import { createSecret } from '../../shared/aws/secret';
import { parseEnvironment, releaseOf } from '../../shared/config';
import { createFailureCollector } from '../../shared/issues/failure-collector';
import { createRecordFailures } from '../../shared/issues/record-failures';
import { logCalls } from '../../shared/observability/log-calls';
import { createLogger } from '../../shared/observability/logger';
import { createMetrics } from '../../shared/observability/metrics';
import type { DownloadMessage, ProcessingMessage } from '../../shared/orders/message';
import { createWorkerMemory } from '../../shared/orders/order-memory';
import { createPayloadStore } from '../../shared/orders/payload-store';
import { createOrderRepository } from '../../shared/orders/repository';
import { createQualiaClient, qualiaCredentialSchema } from '../../shared/qualia/client';
import { configSchema } from './config';
import { createHandler } from './handler';

const config = parseEnvironment(configSchema, process.env);
const now = () => Date.now();
const sqs = new SQSClient(smallCalls);
const metrics = createMetrics(config);
const logger = createLogger(config);
const documents = createDocumentClient();

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
  payloads: createPayloadStore(new S3Client(smallCalls), config.RAW_BUCKET_NAME),
  repository: createOrderRepository(documents, config.ORDERS_TABLE_NAME),
  failures: createFailureCollector({
    recordFailures: createRecordFailures(documents, config.OPERATIONS_TABLE_NAME),
    release: releaseOf(config),
    logger,
    now,
  }),
  queue: createQueue<DownloadMessage>(sqs, config.DOWNLOAD_QUEUE_URL),
  processingQueue: createBatchSender<ProcessingMessage>(sqs, config.PROCESSING_QUEUE_URL),
  memory: createWorkerMemory(config.AWS_LAMBDA_FUNCTION_MEMORY_SIZE),
  maxReceiveCount: config.MAX_RECEIVE_COUNT,
  logger,
  metrics,
  now,
});
