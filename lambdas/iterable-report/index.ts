import { S3Client } from '@aws-sdk/client-s3';
import { createDocumentClient, largeCalls } from '../../shared/aws/clients';
import { parseEnvironment } from '../../shared/config';
import { createSentIndex } from '../../shared/iterable/sent-index';
import { createLogger } from '../../shared/observability/logger';
import { createMetrics } from '../../shared/observability/metrics';
import { createRunFolders } from '../../shared/runs/artifacts';
import { createRunRepository } from '../../shared/runs/repository';
import { configSchema } from './config';
import { createHandler } from './handler';

const config = parseEnvironment(configSchema, process.env);
const s3 = new S3Client(largeCalls);

export const handler = createHandler({
  openFolder: createRunFolders(s3, config.ARTIFACTS_BUCKET_NAME),
  sentIndex: createSentIndex(s3, config.ARTIFACTS_BUCKET_NAME),
  runs: createRunRepository(createDocumentClient(), config.SYNC_RUNS_TABLE_NAME, config.OPERATIONS_TABLE_NAME),
  logger: createLogger(config),
  toleratedFailedPercent: config.TOLERATED_FAILED_USERS_PERCENT,
  metrics: createMetrics(config),
  now: () => Date.now(),
});
