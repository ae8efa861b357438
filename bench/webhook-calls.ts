/** Calls the webhook's handler repeatedly, and sends the handler's own time per call to the parent process. */
import { randomUUID } from 'node:crypto';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createAuthenticator, webhookSecretSchema } from '../lambdas/webhook/authenticate';
import { createHandler } from '../lambdas/webhook/handler';
import { createDocumentClient } from '../shared/aws/clients';
import { createQueue } from '../shared/aws/queue';
import { createSecret } from '../shared/aws/secret';
import { createLogger } from '../shared/observability/logger';
import { createMetrics } from '../shared/observability/metrics';
import type { DownloadMessage } from '../shared/orders/message';
import { createOrderRepository } from '../shared/orders/repository';
import { createRoundStarter } from '../shared/orders/start-round';
import { startFakeAws } from './fake-aws';
import { benchSecret, invocationContext, webhookEvents } from './webhook-event';

const calls = 4000;
const warmUpCalls = 1000;

let awsMs = 0;

/** Adds the time of each call to `awsMs`. */
const timed = <Client extends { send(...args: never[]): unknown }>(client: Client): Client => {
  const send = client.send.bind(client) as (...args: unknown[]) => Promise<unknown>;
  client.send = (async (...args: unknown[]) => {
    const startedAtMs = performance.now();
    try {
      return await send(...args);
    } finally {
      awsMs += performance.now() - startedAtMs;
    }
  }) as Client['send'];
  return client;
};

const main = async (): Promise<void> => {
  const aws = await startFakeAws(benchSecret);
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL: aws.url,
    POWERTOOLS_SERVICE_NAME: 'webhook',
    POWERTOOLS_METRICS_NAMESPACE: 'MarketplacePipeline',
  });
  const config = { STAGE: 'dev', SERVICE_VERSION: '1.0.0' };
  const now = () => Date.now();
  const queueUrl = `${aws.url}/000000000000/download`;
  const secret = createSecret({
    client: timed(new SecretsManagerClient({})),
    secretId: 'webhook',
    schema: webhookSecretSchema,
    now,
  });
  const handler = createHandler({
    authenticate: createAuthenticator(secret),
    startRound: createRoundStarter({
      repository: createOrderRepository(timed(createDocumentClient()), 'orders'),
      downloadQueue: createQueue<DownloadMessage>(timed(new SQSClient({})), queueUrl),
      now,
    }),
    keepRefused: async () => undefined,
    logger: createLogger(config),
    metrics: createMetrics(config),
    health: { version: '1.0.0', commit: 'unknown', stage: 'dev' },
    newRequestId: randomUUID,
    monotonicNow: () => performance.now(),
  });

  const ownMs: number[] = [];
  for (const event of webhookEvents(warmUpCalls + calls)) {
    awsMs = 0;
    const startedAtMs = performance.now();
    const { statusCode } = await handler(event, invocationContext);
    ownMs.push(performance.now() - startedAtMs - awsMs);
    if (statusCode !== 200) throw new Error(`The webhook responded with ${statusCode}`);
  }
  await aws.stop();
  process.send?.(ownMs.slice(warmUpCalls));
};

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
});
