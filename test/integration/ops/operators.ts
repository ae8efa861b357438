import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { run } from '../../../ops/commands/program';
import { type DownloadMessage, downloadMessageSchema } from '../../../shared/orders/message';
import type { OrderId } from '../../../shared/orders/order';
import type { FailureRecord } from '../../../shared/orders/repository';
import { createOrderRepository, failedOrdersIndex } from '../../../shared/orders/repository';
import { roundOfArrival } from '../../../shared/orders/round';
import { createRunFolders } from '../../../shared/runs/artifacts';
import { createRunRepository } from '../../../shared/runs/repository';
import { checksum, downloadMessage, requestId } from '../../support/orders';
import { createClients, readEndpoints } from '../support/clients';
import { createBucket, createOrdersTable, createQueuePair, createSyncRunsTable } from '../support/resources';
import { startLogs } from './logs';
import { startWorkflows } from './workflows';

/** The outcome of a command. */
export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The current time of the operators. */
export const nowMs = Date.UTC(2026, 0, 31, 12);
export const hoursAgo = (hours: number): number => nowMs - hours * 3_600_000;

interface OperateOptions {
  /** What the operator types when asked; default: the end of the input. */
  readonly answer?: string;
  readonly localStateDirectory?: string;
  /** The current time; default: {@link nowMs}. */
  readonly now?: () => number;
  /** Presses Ctrl-C after this time. */
  readonly interruptAfterMs?: number;
}

/** Runs the `pipeline` command in this process. */
export const operate = async (args: readonly string[], options: OperateOptions = {}): Promise<Outcome> => {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end(options.answer ?? '');
  const exitCode = await run(args, {
    stdin,
    stdout,
    stderr,
    environment: {},
    localStateDirectory: options.localStateDirectory ?? 'nowhere',
    temporaryDirectory: options.localStateDirectory ?? 'nowhere',
    now: options.now ?? (() => nowMs),
    interruptible: (work) => {
      const { interruptAfterMs } = options;
      return work(
        interruptAfterMs === undefined ? new AbortController().signal : AbortSignal.timeout(interruptAfterMs),
      );
    },
  });
  const textOf = (stream: PassThrough): string => String(stream.read() ?? '');
  return { exitCode, stdout: textOf(stdout), stderr: textOf(stderr) };
};

/** Creates a new stage on the embedded AWS, and an operator of it. */
export const startStage = async () => {
  const clients = createClients();
  const localStateDirectory = mkdtempSync(join(tmpdir(), 'operators-'));
  const [ordersTableName, download, processing, syncRunsTableName, artifactsBucketName, workflows, logs] =
    await Promise.all([
      createOrdersTable(clients),
      createQueuePair(clients, 'download', 5),
      createQueuePair(clients, 'processing', 5),
      createSyncRunsTable(clients),
      createBucket(clients, 'artifacts'),
      startWorkflows(join(localStateDirectory, 'executions')),
      startLogs(),
    ]);
  const queues = { download, processing };
  const repository = createOrderRepository(clients.documents, ordersTableName);
  const { dynamodb, sqs, s3 } = readEndpoints();
  const outputs = {
    'dev-Data': {
      OrdersTableName: ordersTableName,
      RawBucketName: 'raw-bucket',
      SyncRunsTableName: syncRunsTableName,
      ArtifactsBucketName: artifactsBucketName,
    },
    'dev-OrderPipeline': {
      DownloadQueueUrl: download.url,
      DownloadDeadLetterQueueUrl: download.deadLetterUrl,
      ProcessingQueueUrl: processing.url,
      ProcessingDeadLetterQueueUrl: processing.deadLetterUrl,
    },
    'dev-SyncJobs': { StateMachineArn: workflows.stateMachineArn },
  };
  const announce = (running: object): void =>
    writeFileSync(join(localStateDirectory, 'endpoints.json'), JSON.stringify(running));
  const endpoints = { dynamodb, sqs, s3, sfn: workflows.url, logs: logs.url };
  const running = { pid: process.pid, apiUrl: 'http://127.0.0.1:1', endpoints, outputs };
  announce(running);

  return {
    ordersTableName,
    outputs,
    queues,
    repository,
    localStateDirectory,
    workflows,
    logs,
    artifactsBucketName,
    runs: createRunRepository(clients.documents, syncRunsTableName),
    openFolder: createRunFolders(clients.s3, artifactsBucketName),
    /** Changes what the running embedded AWS announces. */
    announce: (changes: object): void => announce({ ...running, ...changes }),

    operate: (args: readonly string[], options: OperateOptions = {}): Promise<Outcome> =>
      operate([...args, '--local'], { localStateDirectory, ...options }),

    addNotified: async (id: string, notifiedAtMs = hoursAgo(1)) => {
      const orderId = id as OrderId;
      const round = roundOfArrival(notifiedAtMs);
      const start = { orderId, round, requestId: requestId(), notificationType: 'order.created', notifiedAtMs };
      await repository.startRound(start);
      return { orderId, round };
    },

    addDownloaded: async (id: string, downloadedAtMs = hoursAgo(1)) => {
      const orderId = id as OrderId;
      const round = roundOfArrival(downloadedAtMs);
      const start = { orderId, round, requestId: requestId(), notificationType: 'order.created' };
      await repository.startRound({ ...start, notifiedAtMs: downloadedAtMs });
      const s3Key = `raw/${id}/${round}.json`;
      const download = { s3Key, checksum: checksum(), payloadSizeBytes: 7, receiveCount: 1, downloadedAtMs };
      await repository.recordDownload(orderId, round, download);
      return { orderId, round, s3Key };
    },

    addFailed: async (id: string, failedAtMs = hoursAgo(1), failure: Partial<FailureRecord> = {}) => {
      const orderId = id as OrderId;
      const round = roundOfArrival(failedAtMs - 1_000);
      const start = { orderId, round, requestId: requestId(), notificationType: 'order.created' };
      await repository.startRound({ ...start, notifiedAtMs: failedAtMs - 1_000 });
      await repository.recordFailure(orderId, round, {
        code: 'ORDER_NOT_FOUND',
        message: 'Qualia knows no such order',
        stage: 'download',
        ...failure,
        receiveCount: 1,
        failedAtMs,
      });
      return { orderId, round };
    },

    /** Puts an item into the index of failed orders that only another version can read. */
    addUnreadableFailure: async (id: string, failedAtMs: number): Promise<void> => {
      const keys = { failed_shard: failedOrdersIndex.shards[0], failed_at: new Date(failedAtMs).toISOString() };
      const Item = { order_id: id, status: 'POSTPONED', ...keys };
      await clients.documents.send(new PutCommand({ TableName: ordersTableName, Item }));
    },

    /** Puts a message into a dead-letter queue. */
    addDeadLetter: async (queue: 'download' | 'processing', body: object | string): Promise<void> => {
      const MessageBody = typeof body === 'string' ? body : JSON.stringify(downloadMessage(body));
      await clients.sqs.send(new SendMessageCommand({ QueueUrl: queues[queue].deadLetterUrl, MessageBody }));
    },

    /** Takes up to 10 messages from a queue and keeps them hidden. */
    receive: async (url: string): Promise<DownloadMessage[]> => {
      const { Messages = [] } = await clients.sqs.send(
        new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10, VisibilityTimeout: 600 }),
      );
      return Messages.map(({ Body = '' }) => downloadMessageSchema.parse(JSON.parse(Body)));
    },

    stop: async (): Promise<void> => {
      await Promise.all([workflows.stop(), logs.stop()]);
      clients.destroy();
      rmSync(localStateDirectory, { recursive: true });
    },
  };
};

export type TestStage = Awaited<ReturnType<typeof startStage>>;
