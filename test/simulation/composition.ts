import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createHandler as createDownload } from '../../lambdas/download/handler';
import { createHandler as createProcessing } from '../../lambdas/processing/handler';
import { type Continuation, createHandler as createReconciler } from '../../lambdas/reconciler/handler';
import { createAuthenticator, webhookRefreshIntervalMs, webhookSecretSchema } from '../../lambdas/webhook/authenticate';
import { createHandler as createWebhook } from '../../lambdas/webhook/handler';
import { createKeepingQueue } from '../../lambdas/webhook/keep-unsent';
import { backlogLimitOf, callSharesOf } from '../../lib/call-budget';
import { createBatchSender } from '../../shared/aws/batch-sender';
import { createQueue, type Queue } from '../../shared/aws/queue';
import { createQueueDepth } from '../../shared/aws/queue-depth';
import { createSecret } from '../../shared/aws/secret';
import { createPassStore } from '../../shared/completeness/pass-store';
import type { Connection } from '../../shared/http/exchange';
import { createPace } from '../../shared/http/pace';
import { createInternalApiClient, internalApiCredentialSchema } from '../../shared/internal-api/client';
import { createFailureCollector } from '../../shared/issues/failure-collector';
import { createRecordFailures } from '../../shared/issues/record-failures';
import { createLogger } from '../../shared/observability/logger';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import type { DownloadMessage, ProcessingMessage } from '../../shared/orders/message';
import { createWorkerMemory } from '../../shared/orders/order-memory';
import { createPayloadStore } from '../../shared/orders/payload-store';
import { createOrderQueries } from '../../shared/orders/queries';
import { createOrderRepository } from '../../shared/orders/repository';
import { createRoundStarter } from '../../shared/orders/start-round';
import { createUnsentKeeper } from '../../shared/orders/unsent-keeper';
import { createUnsentMessages } from '../../shared/orders/unsent-messages';
import { createQualiaClient, qualiaCredentialSchema } from '../../shared/qualia/client';
import { unconfigured } from '../support/unconfigured';
import type { LambdaProcess } from './lambda-process';
import { asSdkClient } from './models/client';
import type { Scheduler } from './scheduler';
import type { ModelClient } from './world';

/** Names of the resources. */
export const resources = {
  orders: 'orders',
  operations: 'operations',
  raw: 'raw',
  artifacts: 'artifacts',
  download: 'https://sqs.example/download',
  downloadDeadLetters: 'https://sqs.example/download-dead-letters',
  processing: 'https://sqs.example/processing',
  processingDeadLetters: 'https://sqs.example/processing-dead-letters',
  reconciler: 'https://sqs.example/reconciler',
} as const;

/** The secrets, by id. */
export const secrets = {
  webhook: { basic: [{ username: 'qualia', password: 'a-long-password' }], signing_secrets: [] },
  qualia: { username: 'us', password: 'a-long-password' },
  internal: { token: 'a-long-token' },
} as const;

const worker = { batchSize: 10, maxConcurrency: 4 } as const;

/** The settings of the simulated stage. */
export const settings = {
  download: worker,
  processing: worker,
  callsPerSecond: { qualia: 110, internalApi: 100 },
  maxReceiveCount: 5,
  roundsPerSecond: 50,
  settleMs: 15_000,
} as const;
const shares = callSharesOf(settings);

/** What a process calls, behind its network. */
export interface ProcessClients {
  readonly dynamodb: ModelClient;
  readonly sqs: ModelClient;
  /** The webhook's. */
  readonly briefSqs: ModelClient;
  readonly s3: ModelClient;
  readonly secrets: ModelClient;
  readonly qualia: Connection;
  readonly internal: Connection;
}

const asSdk = (clients: ProcessClients) => ({
  documents: asSdkClient(DynamoDBDocumentClient, clients.dynamodb),
  sqs: asSdkClient(SQSClient, clients.sqs),
  briefSqs: asSdkClient(SQSClient, clients.briefSqs),
  s3: asSdkClient(S3Client, clients.s3),
  secrets: asSdkClient(SecretsManagerClient, clients.secrets),
});

const logger = createLogger({ STAGE: 'dev', SERVICE_VERSION: '1' });
logger.setLogLevel('SILENT');

const metrics: MetricsRecorder = { add: () => undefined, fields: () => ({}), flush: () => undefined };

/** The composition roots, as in `index.ts` of each Lambda, over models. */
export const createHandlers = (scheduler: Scheduler) => {
  let ids = 0;
  const newId = (): string => `id-${++ids}`;
  const { sleep } = scheduler;

  const commonOf = ({ now }: LambdaProcess, clients: ProcessClients) => {
    const { documents } = asSdk(clients);
    return {
      now,
      logger,
      metrics,
      memory: createWorkerMemory(512),
      maxReceiveCount: settings.maxReceiveCount,
      repository: createOrderRepository(documents, resources.orders),
      failures: createFailureCollector({
        recordFailures: createRecordFailures(documents, resources.operations),
        release: '1',
        logger,
        now,
      }),
    };
  };

  const qualiaOf = ({ now }: LambdaProcess, clients: ProcessClients, callsPerSecond: number | undefined) =>
    createQualiaClient({
      url: 'https://qualia.example/graphql',
      credential: createSecret({
        client: asSdk(clients).secrets,
        secretId: 'qualia',
        schema: qualiaCredentialSchema,
        now,
      }),
      connection: clients.qualia,
      now,
      callsPerSecond,
      onCircuitOpen: () => undefined,
    });

  const downloadQueueOf = (clients: ProcessClients) =>
    createQueue<DownloadMessage>(asSdk(clients).sqs, resources.download);

  const roundStarterOf = (
    { now }: LambdaProcess,
    clients: ProcessClients,
    downloadQueue: Pick<Queue<DownloadMessage>, 'send'> = downloadQueueOf(clients),
  ) =>
    createRoundStarter({
      repository: createOrderRepository(asSdk(clients).documents, resources.orders),
      downloadQueue,
      now,
    });

  return {
    webhook: (process: LambdaProcess, clients: ProcessClients) => {
      const { documents, briefSqs, secrets: secretsManager } = asSdk(clients);
      const downloadQueue = createKeepingQueue({
        queue: createQueue<DownloadMessage>(briefSqs, resources.download),
        keepUnsent: createUnsentKeeper(documents, resources.operations),
        logger,
      });
      return createWebhook({
        authenticate: createAuthenticator(
          createSecret({
            client: secretsManager,
            secretId: 'webhook',
            schema: webhookSecretSchema,
            now: process.now,
            refreshIntervalMs: webhookRefreshIntervalMs,
          }),
        ),
        startRound: roundStarterOf(process, clients, downloadQueue),
        keepRefused: unconfigured('keepRefused'),
        logger,
        metrics,
        health: { version: '1', commit: 'abc', stage: 'dev' },
        newRequestId: newId,
        monotonicNow: scheduler.now,
      });
    },

    download: (process: LambdaProcess, clients: ProcessClients) => {
      const { sqs, s3 } = asSdk(clients);
      return createDownload({
        ...commonOf(process, clients),
        qualia: qualiaOf(process, clients, shares.download),
        payloads: createPayloadStore(s3, resources.raw),
        queue: createQueue<DownloadMessage>(sqs, resources.download),
        processingQueue: createBatchSender<ProcessingMessage>(sqs, resources.processing),
      });
    },

    processing: (process: LambdaProcess, clients: ProcessClients) => {
      const { sqs, s3, secrets: secretsManager } = asSdk(clients);
      return createProcessing({
        ...commonOf(process, clients),
        payloads: createPayloadStore(s3, resources.raw),
        internalApi: createInternalApiClient({
          url: 'https://internal.example/orders',
          credential: createSecret({
            client: secretsManager,
            secretId: 'internal',
            schema: internalApiCredentialSchema,
            now: process.now,
          }),
          connection: clients.internal,
          now: process.now,
          callsPerSecond: shares.processing,
          onCircuitOpen: () => undefined,
        }),
        queue: createQueue<ProcessingMessage>(sqs, resources.processing),
        sleep,
      });
    },

    reconciler: (process: LambdaProcess, clients: ProcessClients) => {
      const { documents, sqs, s3 } = asSdk(clients);
      return createReconciler({
        qualia: qualiaOf(process, clients, shares.reconciler),
        orders: createOrderQueries(documents, resources.orders),
        startRound: roundStarterOf(process, clients),
        downloadQueue: downloadQueueOf(clients),
        unsent: createUnsentMessages(documents, resources.operations),
        passes: createPassStore(s3, resources.artifacts),
        queue: createQueue<Continuation>(sqs, resources.reconciler),
        backlog: createQueueDepth(sqs, resources.download),
        backlogLimit: backlogLimitOf(settings),
        roundsPerSecond: settings.roundsPerSecond,
        pace: createPace({ callsPerSecond: settings.roundsPerSecond, utilization: 1 }),
        settleMs: settings.settleMs,
        logger,
        metrics,
        newRequestId: newId,
        newPassId: newId,
        now: process.now,
        sleep,
      });
    },

    /** Starts a round as `pipeline orders replay` does. */
    replay: (process: LambdaProcess, clients: ProcessClients) => {
      const startRound = roundStarterOf(process, clients);
      return (orderId: string, force: boolean) =>
        startRound({
          orderId: orderId as Parameters<typeof startRound>[0]['orderId'],
          requestId: newId() as Parameters<typeof startRound>[0]['requestId'],
          notificationType: 'replay',
          force,
        });
    },
  };
};
