import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { briefCalls, createDocumentClient, smallCalls } from '../../shared/aws/clients';
import { createQueue } from '../../shared/aws/queue';
import { createSecret } from '../../shared/aws/secret';
import { parseEnvironment } from '../../shared/config';
import { createLogger } from '../../shared/observability/logger';
import { createMetrics } from '../../shared/observability/metrics';
import type { DownloadMessage } from '../../shared/orders/message';
import { createOrderItems } from '../../shared/orders/order-items';
import { newRequestId } from '../../shared/orders/request-id';
import { createRoundStore } from '../../shared/orders/round-store';
import { createRoundStarter } from '../../shared/orders/start-round';
import { createUnsentKeeper } from '../../shared/orders/unsent-keeper';
import { createAuthenticator, webhookRefreshIntervalMs, webhookSecretSchema } from './authenticate';
import { configSchema } from './config';
import { createHandler } from './handler';
import { createRefusedKeeper } from './keep-refused';
import { createKeepingQueue } from './keep-unsent';
import { createRefusedBodyStore } from './refused-body-store';

const config = parseEnvironment(configSchema, process.env);
const now = () => Date.now();
const logger = createLogger(config);
const documents = createDocumentClient();

export const handler = createHandler({
  authenticate: createAuthenticator(
    createSecret({
      client: new SecretsManagerClient(smallCalls),
      secretId: config.WEBHOOK_SECRET_ARN,
      schema: webhookSecretSchema,
      now,
      refreshIntervalMs: webhookRefreshIntervalMs,
    }),
  ),
  startRound: createRoundStarter({
    repository: createRoundStore(createOrderItems(documents, config.ORDERS_TABLE_NAME)),
    downloadQueue: createKeepingQueue({
      // Brief calls: when SQS hangs, time is left to keep the message.
      queue: createQueue<DownloadMessage>(new SQSClient(briefCalls), config.DOWNLOAD_QUEUE_URL),
      keepUnsent: createUnsentKeeper(documents, config.OPERATIONS_TABLE_NAME),
      logger,
    }),
    now,
  }),
  keepRefused: createRefusedKeeper({
    createStore: () => createRefusedBodyStore(new S3Client(briefCalls), config.RAW_BUCKET_NAME),
    logger,
    now,
  }),
  logger,
  metrics: createMetrics(config),
  health: { version: config.SERVICE_VERSION, commit: config.COMMIT_SHA, stage: config.STAGE },
  newRequestId,
  monotonicNow: () => performance.now(),
});
