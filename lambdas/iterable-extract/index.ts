import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createDocumentClient, largeCalls, smallCalls } from '../../shared/aws/clients';
import { createSecret } from '../../shared/aws/secret';
import { parseEnvironment } from '../../shared/config';
import { databaseSecretSchema, openUserSource, parseDatabaseUrl } from '../../shared/iterable/source';
import { createLogger } from '../../shared/observability/logger';
import { createMetrics } from '../../shared/observability/metrics';
import { createRunFolders } from '../../shared/runs/artifacts';
import { createRunRepository } from '../../shared/runs/repository';
import { configSchema } from './config';
import { createHandler } from './handler';

const config = parseEnvironment(configSchema, process.env);
const now = () => Date.now();
const secret = createSecret({
  client: new SecretsManagerClient(smallCalls),
  secretId: config.DATABASE_SECRET_ARN,
  schema: databaseSecretSchema,
  now,
});

export const handler = createHandler({
  openSource: async () =>
    config.DATABASE_URL === ''
      ? openUserSource(await secret.get(), secret.refresh)
      : openUserSource(parseDatabaseUrl(config.DATABASE_URL)),
  openFolder: createRunFolders(new S3Client(largeCalls), config.ARTIFACTS_BUCKET_NAME),
  runs: createRunRepository(createDocumentClient(), config.SYNC_RUNS_TABLE_NAME),
  logger: createLogger(config),
  metrics: createMetrics(config),
  now,
});
