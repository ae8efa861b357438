import { Logger } from '@aws-lambda-powertools/logger';
import { createHandler as createDownloadHandler } from '../../../lambdas/download/handler';
import { createHandler as createProcessingHandler } from '../../../lambdas/processing/handler';
import { type Continuation, createHandler as createReconcilerHandler } from '../../../lambdas/reconciler/handler';
import { createAuthenticator, webhookSecretSchema } from '../../../lambdas/webhook/authenticate';
import { createHandler as createWebhookHandler } from '../../../lambdas/webhook/handler';
import { createQueue } from '../../../shared/aws/queue';
import { createQueueDepth } from '../../../shared/aws/queue-depth';
import { createSecret } from '../../../shared/aws/secret';
import { createPassStore } from '../../../shared/completeness/pass-store';
import type { Random } from '../../../shared/http/backoff';
import { createInternalApiClient, internalApiCredentialSchema } from '../../../shared/internal-api/client';
import type { mapOrder } from '../../../shared/internal-api/mapping';
import type { MetricsRecorder } from '../../../shared/observability/metrics';
import type { DownloadMessage, ProcessingMessage } from '../../../shared/orders/message';
import { createPayloadStore } from '../../../shared/orders/payload-store';
import { createOrderQueries } from '../../../shared/orders/queries';
import { createOrderRepository } from '../../../shared/orders/repository';
import { createRoundStarter, createStoredRoundStarter } from '../../../shared/orders/start-round';
import { createQualiaClient, qualiaCredentialSchema } from '../../../shared/qualia/client';
import type { Schema } from '../../../shared/schema';
import type { Clients } from './clients';
import { reach } from './outside';
import type { QueuePair } from './resources';

/** Everything that the Lambdas of one pipeline are wired to. */
export interface Surroundings {
  readonly clients: Clients;
  readonly tableName: string;
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
  /** In place of what the workers saw of the API themselves. */
  readonly answeredAtMs?: (() => number) | undefined;
}

const logger = new Logger({ logLevel: 'SILENT' });

/** The execution environments of a pipeline's Lambdas, wired as their `index.ts` does it. Each call starts a new one. */
export const createLambdas = (surroundings: Surroundings) => {
  const { clients, tableName, bucketName, queues, qualiaUrl, internalApiUrl, maxReceiveCount, metrics, now } =
    surroundings;
  const repository = createOrderRepository(clients.documents, tableName);
  const payloads = createPayloadStore(clients.s3, bucketName);
  const downloadQueue = createQueue<DownloadMessage>(clients.sqs, queues.download.url);
  const processingQueue = createQueue<ProcessingMessage>(clients.sqs, queues.processing.url);
  const startRound = createRoundStarter({ repository, downloadQueue, now });
  const { sleep = async () => undefined, random = Math.random, answeredAtMs } = surroundings;
  const worker = { repository, maxReceiveCount, logger, metrics, now, random };

  const secret = <T>(secretId: string, schema: Schema<T>) =>
    createSecret({ client: clients.secretsManager, secretId, schema, now });
  const countOpening = (): void => metrics.add('CircuitOpen');

  return {
    startRound,
    startStoredRound: createStoredRoundStarter({ repository, processingQueue, now }),

    webhook: () =>
      createWebhookHandler({
        authenticate: createAuthenticator(secret('webhook', webhookSecretSchema)),
        startRound,
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
        onCircuitOpen: countOpening,
      });
      const handler = createDownloadHandler({
        ...worker,
        qualia: {
          fetchOrder: (...args) => reach('fetchOrder', () => qualia.fetchOrder(...args)),
          lastResponseAtMs: answeredAtMs ?? qualia.lastResponseAtMs,
        },
        payloads,
        queue: downloadQueue,
        processingQueue,
      });
      return { handler, close: qualia.close };
    },

    processing: () => {
      const internalApi = createInternalApiClient({
        url: internalApiUrl,
        credential: secret('internalApi', internalApiCredentialSchema),
        now,
        sleep,
        onCircuitOpen: countOpening,
      });
      const handler = createProcessingHandler({
        ...worker,
        payloads,
        mapOrder: surroundings.mapOrder,
        internalApi: {
          postOrder: (...args) => reach('postOrder', () => internalApi.postOrder(...args)),
          lastResponseAtMs: answeredAtMs ?? internalApi.lastResponseAtMs,
        },
        queue: processingQueue,
        sleep: () => sleep(0),
      });
      return { handler, close: internalApi.close };
    },

    reconciler: () => {
      const qualia = createQualiaClient({
        url: qualiaUrl,
        credential: secret('qualia', qualiaCredentialSchema),
        now,
        sleep,
        onCircuitOpen: countOpening,
      });
      const handler = createReconcilerHandler({
        qualia: { listOpenOrders: (...args) => reach('listOpenOrders', () => qualia.listOpenOrders(...args)) },
        orders: createOrderQueries(clients.documents, tableName),
        startRound,
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
export type Worker = ReturnType<Lambdas['download']>;
