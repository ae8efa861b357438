import { randomUUID } from 'node:crypto';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createDocumentClient, smallCalls } from '../../shared/aws/clients';
import { createQueue } from '../../shared/aws/queue';
import { createSecret } from '../../shared/aws/secret';
import { parseConfig } from '../../shared/config';
import { createLogger } from '../../shared/observability/logger';
import { createMetrics } from '../../shared/observability/metrics';
import type { DownloadMessage } from '../../shared/orders/message';
import { createOrderQueries } from '../../shared/orders/queries';
import { createOrderRepository } from '../../shared/orders/repository';
import { createRoundStarter } from '../../shared/orders/start-round';
import { createQualiaClient, qualiaCredentialSchema } from '../../shared/qualia/client';
import { configSchema } from './config';
import { createHandler } from './handler';
import { createPositionStore } from './position';

const config = parseConfig(configSchema, process.env);
const now = () => Date.now();
const metrics = createMetrics(config);
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
    onCircuitOpen: () => metrics.add('CircuitOpen'),
  }),
  orders: createOrderQueries(documents, config.ORDERS_TABLE_NAME),
  startRound: createRoundStarter({
    repository: createOrderRepository(documents, config.ORDERS_TABLE_NAME),
    downloadQueue: createQueue<DownloadMessage>(new SQSClient(smallCalls), config.DOWNLOAD_QUEUE_URL),
    now,
  }),
  position: createPositionStore(new S3Client(smallCalls), config.RAW_BUCKET_NAME),
  logger: createLogger(config),
  metrics,
  newRequestId: randomUUID,
  now,
});
