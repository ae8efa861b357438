import { Logger } from '@aws-lambda-powertools/logger';
import { createHandler as createDownloadHandler } from '../../../lambdas/download/handler';
import { createHandler as createIssueWatchHandler } from '../../../lambdas/issue-watch/handler';
import type { Notice } from '../../../lambdas/issue-watch/notice';
import { createHandler as createProcessingHandler } from '../../../lambdas/processing/handler';
import { type Continuation, createHandler as createReconcilerHandler } from '../../../lambdas/reconciler/handler';
import { createAuthenticator, webhookSecretSchema } from '../../../lambdas/webhook/authenticate';
import { createHandler as createWebhookHandler } from '../../../lambdas/webhook/handler';
import { createRefusedKeeper } from '../../../lambdas/webhook/keep-refused';
import { createKeepingQueue } from '../../../lambdas/webhook/keep-unsent';
import { createRefusedBodyStore } from '../../../lambdas/webhook/refused-body-store';
import { createBatchSender } from '../../../shared/aws/batch-sender';
import { createQueue } from '../../../shared/aws/queue';
import { createQueueDepth } from '../../../shared/aws/queue-depth';
import { createSecret } from '../../../shared/aws/secret';
import { createPassStore } from '../../../shared/completeness/pass-store';
import type { Random } from '../../../shared/http/backoff';
import { createInternalApiClient, internalApiCredentialSchema } from '../../../shared/internal-api/client';
import type { mapOrder } from '../../../shared/internal-api/mapping';
import { createFailureCollector } from '../../../shared/issues/failure-collector';
import { createIssueStore } from '../../../shared/issues/issue-store';
import { createRecordFailures } from '../../../shared/issues/record-failures';
import type { MetricsRecorder } from '../../../shared/observability/metrics';
import type { DownloadMessage, ProcessingMessage } from '../../../shared/orders/message';
import { createWorkerMemory } from '../../../shared/orders/order-memory';
import { createPayloadStore } from '../../../shared/orders/payload-store';
import { createOrderQueries } from '../../../shared/orders/queries';
import { createOrderRepository } from '../../../shared/orders/repository';
import { createRoundStarter } from '../../../shared/orders/start-round';
import { createStoredRoundStarter } from '../../../shared/orders/start-stored-round';
import { createUnsentKeeper } from '../../../shared/orders/unsent-keeper';
import { createUnsentMessages } from '../../../shared/orders/unsent-messages';
import { createQualiaClient, qualiaCredentialSchema } from '../../../shared/qualia/client';
import type { Schema } from '../../../shared/schema';
import type { Clients } from './clients';
import { makeCall } from './interceptor';
import type { QueuePair } from './resources';

/** The dependencies of a pipeline's Lambdas. */
export interface LambdaOptions {
  readonly clients: Clients;
  readonly tableName: string;
  readonly operationsTableName: string;
  readonly bucketName: string;
  readonly queues: Readonly<Record<'download' | 'processing' | 'reconciler', QueuePair>>;
  readonly qualiaUrl: string;
  readonly internalApiUrl: string;
  /** The receive that is the last before the dead-letter queue. */
  readonly maxReceiveCount: number;
  readonly metrics: MetricsRecorder;
  readonly now: () => number;
  readonly mapOrder: typeof mapOrder;
  readonly random?: Random | undefined;
  /** Waits within an invocation. Default: no waiting. */
  readonly sleep?: ((ms: number) => Promise<void>) | undefined;
  /** Replaces the workers' own time of the API's last response. */
  readonly lastResponseAtMs?: (() => number) | undefined;
}

const logger = new Logger({ logLevel: 'SILENT' });

/** Creates the Lambdas of a pipeline like their `index.ts`. Each call of a function starts a new execution environment. */
export const createLambdas = (options: LambdaOptions) => {
  const { clients, tableName, operationsTableName, bucketName, queues } = options;
  const { qualiaUrl, internalApiUrl, maxReceiveCount, metrics, now } = options;
  const repository = createOrderRepository(clients.documents, tableName);
  const payloads = createPayloadStore(clients.s3, bucketName);
  const downloadQueue = createQueue<DownloadMessage>(clients.sqs, queues.download.url);
  const processingQueue = createQueue<ProcessingMessage>(clients.sqs, queues.processing.url);
  const startRound = createRoundStarter({ repository, downloadQueue, now });
  const { sleep = async () => undefined, random = Math.random, lastResponseAtMs } = options;
  const recordFailures = createRecordFailures(clients.documents, operationsTableName);
  const worker = () => {
    const failures = createFailureCollector({ recordFailures, release: '1.2.3 (abc)', logger, now });
    return { repository, failures, memory: createWorkerMemory(512), maxReceiveCount, logger, metrics, now, random };
  };

  const secret = <T>(secretId: string, schema: Schema<T>) =>
    createSecret({ client: clients.secretsManager, secretId, schema, now });
  const onCircuitOpen = (): void => metrics.add('CircuitOpen');

  return {
    startRound,
    startStoredRound: createStoredRoundStarter({ repository, processingQueue, now }),

    webhook: () =>
      createWebhookHandler({
        authenticate: createAuthenticator(secret('webhook', webhookSecretSchema)),
        startRound: createRoundStarter({
          repository,
          downloadQueue: createKeepingQueue({
            queue: downloadQueue,
            keepUnsent: createUnsentKeeper(clients.documents, operationsTableName),
            logger,
          }),
          now,
        }),
        keepRefused: createRefusedKeeper({
          createStore: () => createRefusedBodyStore(clients.s3, bucketName),
          logger,
          now,
        }),
        logger,
        metrics,
        health: { version: '1.2.3', commit: 'abc', stage: 'test' },
        newRequestId: () => crypto.randomUUID(),
        monotonicNow: () => performance.now(),
      }),

    download: () => {
      const qualia = createQualiaClient({
        url: qualiaUrl,
        credential: secret('qualia', qualiaCredentialSchema),
        now,
        sleep,
        onCircuitOpen,
      });
      const handler = createDownloadHandler({
        ...worker(),
        qualia: {
          fetchOrder: (...args) => makeCall('fetchOrder', () => qualia.fetchOrder(...args)),
          lastResponseAtMs: lastResponseAtMs ?? qualia.lastResponseAtMs,
        },
        payloads,
        queue: downloadQueue,
        // Long enough for a slow machine: the orders of a batch share one call.
        processingQueue: createBatchSender<ProcessingMessage>(clients.sqs, queues.processing.url, 10_000),
      });
      return { handler, close: qualia.close };
    },

    processing: () => {
      const internalApi = createInternalApiClient({
        url: internalApiUrl,
        credential: secret('internalApi', internalApiCredentialSchema),
        now,
        sleep,
        onCircuitOpen,
      });
      const handler = createProcessingHandler({
        ...worker(),
        payloads,
        mapOrder: options.mapOrder,
        internalApi: {
          postOrder: (...args) => makeCall('postOrder', () => internalApi.postOrder(...args)),
          lastResponseAtMs: lastResponseAtMs ?? internalApi.lastResponseAtMs,
        },
        queue: processingQueue,
        sleep: () => sleep(0),
      });
      return { handler, close: internalApi.close };
    },

    /** @param notices receives every notification that is sent */
    issueWatch: (notices: Notice[]) =>
      createIssueWatchHandler({
        stage: 'test',
        release: '1.2.3 (abc)',
        store: createIssueStore(clients.documents, operationsTableName),
        orders: createOrderQueries(clients.documents, tableName),
        recordFailures,
        notify: (notice) =>
          makeCall('Publish', async () => {
            notices.push(notice);
          }),
        logger,
        newWriteId: () => crypto.randomUUID(),
        now,
      }),

    reconciler: () => {
      const qualia = createQualiaClient({
        url: qualiaUrl,
        credential: secret('qualia', qualiaCredentialSchema),
        now,
        sleep,
        onCircuitOpen,
      });
      const handler = createReconcilerHandler({
        qualia: { listOpenOrders: (...args) => makeCall('listOpenOrders', () => qualia.listOpenOrders(...args)) },
        orders: createOrderQueries(clients.documents, tableName),
        startRound,
        downloadQueue,
        unsent: createUnsentMessages(clients.documents, operationsTableName),
        passes: createPassStore(clients.s3, bucketName),
        queue: createQueue<Continuation>(clients.sqs, queues.reconciler.url),
        backlog: createQueueDepth(clients.sqs, queues.download.url),
        backlogLimit: 1_000,
        roundsPerSecond: 10,
        pace: async () => undefined,
        settleMs: 0,
        logger,
        metrics,
        newRequestId: () => crypto.randomUUID(),
        newPassId: () => crypto.randomUUID(),
        now,
        sleep,
      });
      return { handler, close: qualia.close };
    },
  };
};

export type Lambdas = ReturnType<typeof createLambdas>;
/** One execution environment of a worker. */
export type WorkerEnvironment = ReturnType<Lambdas['download']>;
