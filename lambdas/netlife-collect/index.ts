import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { createDocumentClient, largeCalls, smallCalls } from '../../shared/aws/clients';
import { createSecret } from '../../shared/aws/secret';
import { parseEnvironment } from '../../shared/config';
import { NetlifeClient } from '../../shared/netlife/client';
import { loginOf, netlifeSecretSchema } from '../../shared/netlife/credential';
import { createKnownKeys } from '../../shared/netlife/known-keys';
import { createPortals, type Portal } from '../../shared/netlife/portals';
import { logCalls } from '../../shared/observability/log-calls';
import { createLogger } from '../../shared/observability/logger';
import { createMetrics } from '../../shared/observability/metrics';
import { createRunFolders } from '../../shared/runs/artifacts';
import { keepHeapSmall } from '../../shared/runs/heap';
import { withPreflight } from '../../shared/runs/preflight';
import { createRunRepository } from '../../shared/runs/repository';
import { configSchema } from './config';
import { type ClientHooks, createHandler } from './handler';
import { createLoginCheck } from './preflight';

keepHeapSmall();

const config = parseEnvironment(configSchema, process.env);
const s3 = new S3Client(largeCalls);
const now = () => Date.now();
const logger = createLogger(config);
const secret = createSecret({
  client: new SecretsManagerClient(smallCalls),
  secretId: config.NETLIFE_SECRET_ARN,
  schema: netlifeSecretSchema,
  now,
});

const dependencies = {
  portals: createPortals(config),
  openClient: async (portal: Portal, hooks: ClientHooks) => {
    const login = loginOf(secret, portal.name);
    const { rate_limit_per_sec, timeout_s } = await login.get();
    return new NetlifeClient({
      ...hooks,
      portal,
      login,
      rateLimitPerSecond: rate_limit_per_sec,
      timeoutMs: timeout_s * 1_000,
      onCall: logCalls(logger),
    });
  },
  openKnownKeys: (portal: string) => createKnownKeys(s3, config.ARTIFACTS_BUCKET_NAME, portal),
  openFolder: createRunFolders(s3, config.ARTIFACTS_BUCKET_NAME),
  runs: createRunRepository(createDocumentClient(), config.SYNC_RUNS_TABLE_NAME, config.OPERATIONS_TABLE_NAME),
  logger,
  metrics: createMetrics(config),
  now,
  sleep,
};

export const handler = withPreflight(createLoginCheck(dependencies), createHandler(dependencies));
