import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createDocumentClient, largeCalls, smallCalls } from '../../shared/aws/clients';
import { createSecret } from '../../shared/aws/secret';
import { parseEnvironment } from '../../shared/config';
import { iterableCredentialSchema } from '../../shared/iterable/auth';
import { createIterableClient } from '../../shared/iterable/client';
import { createSentIndex } from '../../shared/iterable/sent-index';
import { logCalls } from '../../shared/observability/log-calls';
import { createLogger } from '../../shared/observability/logger';
import { createMetrics } from '../../shared/observability/metrics';
import { createRunFolders } from '../../shared/runs/artifacts';
import { keepHeapSmall } from '../../shared/runs/heap';
import { withPreflight } from '../../shared/runs/preflight';
import { createRunRepository } from '../../shared/runs/repository';
import { configSchema } from './config';
import { createHandler } from './handler';
import { createKeyCheck } from './preflight';

keepHeapSmall();

const config = parseEnvironment(configSchema, process.env);
const now = () => Date.now();
const logger = createLogger(config);
const s3 = new S3Client(largeCalls);
const credential = createSecret({
  client: new SecretsManagerClient(smallCalls),
  secretId: config.ITERABLE_SECRET_ARN,
  schema: iterableCredentialSchema,
  now,
});

const dependencies = {
  openClient: (useJwt: boolean) =>
    createIterableClient({ baseUrl: config.ITERABLE_API_BASE_URL, credential, useJwt, now, onCall: logCalls(logger) }),
  openFolder: createRunFolders(s3, config.ARTIFACTS_BUCKET_NAME),
  sentIndex: createSentIndex(s3, config.ARTIFACTS_BUCKET_NAME),
  runs: createRunRepository(createDocumentClient(), config.SYNC_RUNS_TABLE_NAME, config.OPERATIONS_TABLE_NAME),
  logger,
  metrics: createMetrics(config),
  now,
  sleep,
};

export const handler = withPreflight(createKeyCheck(dependencies), createHandler(dependencies));
