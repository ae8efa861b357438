import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createDocumentClient, largeCalls, smallCalls } from '../../shared/aws/clients';
import { createSecret } from '../../shared/aws/secret';
import { parseEnvironment } from '../../shared/config';
import { iterableCredentialSchema } from '../../shared/iterable/auth';
import { createDigests } from '../../shared/iterable/digests';
import { createSentIndex } from '../../shared/iterable/sent-index';
import { databaseSecretSchema, openUserSource, parseDatabaseUrl } from '../../shared/iterable/source';
import { createLogger } from '../../shared/observability/logger';
import { createMetrics } from '../../shared/observability/metrics';
import { createRunFolders } from '../../shared/runs/artifacts';
import { withPreflight } from '../../shared/runs/preflight';
import { createRunRepository } from '../../shared/runs/repository';
import { createUsual } from '../../shared/runs/usual';
import { configSchema } from './config';
import { createHandler } from './handler';
import { createLookUp } from './look-up';
import { createSourceCheck } from './preflight';

const config = parseEnvironment(configSchema, process.env);
const now = () => Date.now();
const secrets = new SecretsManagerClient(smallCalls);
const s3 = new S3Client(largeCalls);
const secret = createSecret({
  client: secrets,
  secretId: config.DATABASE_SECRET_ARN,
  schema: databaseSecretSchema,
  now,
});

const credential = createSecret({
  client: secrets,
  secretId: config.ITERABLE_SECRET_ARN,
  schema: iterableCredentialSchema,
  now,
});

const openSource = async () =>
  config.DATABASE_URL === ''
    ? openUserSource(await secret.get(), secret.refresh)
    : openUserSource(parseDatabaseUrl(config.DATABASE_URL));

const dependencies = {
  openSource,
  openDigests: async () => createDigests((await credential.get()).api_key),
  usual: createUsual(s3, config.ARTIFACTS_BUCKET_NAME, 'iterable'),
  sentIndex: createSentIndex(s3, config.ARTIFACTS_BUCKET_NAME),
  openFolder: createRunFolders(s3, config.ARTIFACTS_BUCKET_NAME),
  runs: createRunRepository(createDocumentClient(), config.SYNC_RUNS_TABLE_NAME, config.OPERATIONS_TABLE_NAME),
  logger: createLogger(config),
  metrics: createMetrics(config),
  now,
};
const extract = withPreflight(createSourceCheck(dependencies), createHandler(dependencies));

export const handler = createLookUp(extract, { openSource });
