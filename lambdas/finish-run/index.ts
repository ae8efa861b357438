import { S3Client } from '@aws-sdk/client-s3';
import { createDocumentClient, largeCalls } from '../../shared/aws/clients';
import { parseEnvironment } from '../../shared/config';
import { createLogger } from '../../shared/observability/logger';
import { createMetrics } from '../../shared/observability/metrics';
import { createRunFolders } from '../../shared/runs/artifacts';
import { createRunRepository } from '../../shared/runs/repository';
import { configSchema } from './config';
import { createHandler } from './handler';

const config = parseEnvironment(configSchema, process.env);

export const handler = createHandler({
  openFolder: createRunFolders(new S3Client(largeCalls), config.ARTIFACTS_BUCKET_NAME),
  runs: createRunRepository(createDocumentClient(), config.SYNC_RUNS_TABLE_NAME, config.OPERATIONS_TABLE_NAME),
  failPartial: config.FAIL_PARTIAL_RUNS,
  logger: createLogger(config),
  metrics: createMetrics(config),
  now: () => Date.now(),
});
