import { S3Client } from '@aws-sdk/client-s3';
import { createDocumentClient, largeCalls } from '../../shared/aws/clients';
import { parseEnvironment } from '../../shared/config';
import { createPortals } from '../../shared/netlife/portals';
import { createLogger } from '../../shared/observability/logger';
import { createMetrics } from '../../shared/observability/metrics';
import { createRunFolders } from '../../shared/runs/artifacts';
import { createRunRepository } from '../../shared/runs/repository';
import { createUsual } from '../../shared/runs/usual';
import { configSchema } from './config';
import { createHandler } from './handler';

const config = parseEnvironment(configSchema, process.env);

const s3 = new S3Client(largeCalls);

export const handler = createHandler({
  portals: createPortals(config),
  openUsual: (portal) => createUsual(s3, config.ARTIFACTS_BUCKET_NAME, `netlife/${portal}`),
  openFolder: createRunFolders(s3, config.ARTIFACTS_BUCKET_NAME),
  runs: createRunRepository(createDocumentClient(), config.SYNC_RUNS_TABLE_NAME, config.OPERATIONS_TABLE_NAME),
  logger: createLogger(config),
  metrics: createMetrics(config),
  now: () => Date.now(),
});
