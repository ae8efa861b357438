import { randomUUID } from 'node:crypto';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createDocumentClient, smallCalls } from '../../shared/aws/clients';
import { createQueue } from '../../shared/aws/queue';
import { createSecret } from '../../shared/aws/secret';
import { parseEnvironment } from '../../shared/config';
import { createLogger } from '../../shared/observability/logger';
import { createMetrics } from '../../shared/observability/metrics';
import type { DownloadMessage } from '../../shared/orders/message';
import { createOrderRepository } from '../../shared/orders/repository';
import { createRoundStarter } from '../../shared/orders/start-round';
import { createAuthenticator, webhookRefreshIntervalMs, webhookSecretSchema } from './authenticate';
import { configSchema } from './config';
import { createHandler } from './handler';

const config = parseEnvironment(configSchema, process.env);
const now = () => Date.now();

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
    repository: createOrderRepository(createDocumentClient(), config.ORDERS_TABLE_NAME),
    downloadQueue: createQueue<DownloadMessage>(new SQSClient(smallCalls), config.DOWNLOAD_QUEUE_URL),
    now,
  }),
  logger: createLogger(config),
  metrics: createMetrics(config),
  health: { version: config.SERVICE_VERSION, commit: config.COMMIT_SHA, stage: config.STAGE },
  newRequestId: randomUUID,
  monotonicNow: () => performance.now(),
});
