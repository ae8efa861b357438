import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { startCloudWatch } from '../../../emulator/cloudwatch/cloudwatch';
import { createRuleActions } from '../../../emulator/control-plane/events';
import { startScheduler } from '../../../emulator/control-plane/scheduler';
import { type ControlPlane, startControlPlane } from '../../../emulator/control-plane/server';
import { createUniversalTargets } from '../../../emulator/control-plane/universal-targets';
import { openOverrides } from '../../../emulator/overrides';
import { failedOrdersIndex } from '../../../shared/orders/failed-orders-index';
import { type DownloadMessage, downloadMessageSchema } from '../../../shared/orders/message';
import type { OrderId } from '../../../shared/orders/order';
import type { FailureRecord } from '../../../shared/orders/repository';
import { createOrderRepository } from '../../../shared/orders/repository';
import { roundOfArrival } from '../../../shared/orders/round';
import { createRunFolders } from '../../../shared/runs/artifacts';
import { createRunRepository } from '../../../shared/runs/repository';
import { applicationOf } from '../../local/fixture/application';
import { type Outcome, operate as runOperate } from '../../support/operate';
import { checksum, downloadMessage, requestId } from '../../support/orders';
import { noEndpoints } from '../../support/roles';
import { createClients, readEndpoints } from '../support/clients';
import {
  createBucket,
  createOperationsTable,
  createOrdersTable,
  createQueuePair,
  createSyncRunsTable,
} from '../support/resources';
import { startLogs } from './logs';
import { startWorkflows } from './workflows';

/** The default current time of a command. */
export const nowMs = Date.UTC(2026, 0, 31, 12);
export const hoursAgo = (hours: number): number => nowMs - hours * 3_600_000;

type OperateOptions = Partial<Parameters<typeof runOperate>[1]>;

/** Runs the `pipeline` command in this process, by default at {@link nowMs}. */
export const operate = (args: readonly string[], options: OperateOptions = {}): Promise<Outcome> =>
  runOperate(args, { now: () => nowMs, ...options });

/** The resource of an alarm. */
export const alarm = (AlarmName: string) => ({
  Type: 'AWS::CloudWatch::Alarm',
  Properties: {
    AlarmName,
    AlarmDescription: 'Orders failed.',
    Namespace: 'N',
    MetricName: 'Failed',
    Statistic: 'Sum',
    Period: 60,
    ComparisonOperator: 'GreaterThanThreshold',
    Threshold: 0,
    EvaluationPeriods: 1,
    TreatMissingData: 'notBreaching',
  },
});

/** An alarm that a pause of a worker silences. */
export const silentAlarm = 'dev-marketplace-end-to-end-latency';

/** Creates a stage on the embedded AWS, and runs commands against it. */
export const startStage = async () => {
  const clients = createClients();
  const localStateDirectory = mkdtempSync(join(tmpdir(), 'operators-'));
  let control: ControlPlane | undefined;
  const [
    ordersTableName,
    download,
    processing,
    syncRunsTableName,
    operationsTableName,
    artifactsBucketName,
    rawBucketName,
    workflows,
    logs,
    controlPlane,
    cloudWatch,
  ] = await Promise.all([
    createOrdersTable(clients),
    createQueuePair(clients, 'download', 5),
    createQueuePair(clients, 'processing', 5),
    createSyncRunsTable(clients),
    createOperationsTable(clients),
    createBucket(clients, 'artifacts'),
    createBucket(clients, 'raw'),
    startWorkflows(join(localStateDirectory, 'executions')),
    startLogs(),
    startControlPlane(() => control),
    startCloudWatch(() => undefined),
  ]);
  const overrides = openOverrides(join(localStateDirectory, 'switches.json'));
  const nightly = {
    Type: 'AWS::Events::Rule',
    Properties: { Name: 'nightly', Targets: [{ Arn: workflows.stateMachineArn }] },
  };
  cloudWatch.load(applicationOf({ Failed: alarm('dev-marketplace-orders-failed'), Other: alarm('other') }), overrides);
  control = {
    ruleActions: createRuleActions(applicationOf({ nightly }), overrides),
    scheduler: startScheduler(join(localStateDirectory, 'schedules.json'), createUniversalTargets(noEndpoints)),
  };
  const queues = { download, processing };
  const repository = createOrderRepository(clients.documents, ordersTableName);
  const { dynamodb, sqs, s3 } = readEndpoints();
  const outputs = {
    'dev-Data': {
      OrdersTableName: ordersTableName,
      RawBucketName: rawBucketName,
      SyncRunsTableName: syncRunsTableName,
      OperationsTableName: operationsTableName,
      ActionsLogGroupName: logs.actionsLogGroupName,
      ArtifactsBucketName: artifactsBucketName,
    },
    'dev-OrderPipeline': {
      DownloadQueueUrl: download.url,
      DownloadDeadLetterQueueUrl: download.deadLetterUrl,
      ProcessingQueueUrl: processing.url,
      ProcessingDeadLetterQueueUrl: processing.deadLetterUrl,
    },
    'dev-SyncJobs': { StateMachineArn: workflows.stateMachineArn },
    'dev-Observability': {
      ResumeRoleArn: 'arn:aws:iam::000000000000:role/resume',
      AlarmsSilentWhileDownloadPaused: silentAlarm,
      AlarmsSilentWhileProcessingPaused: silentAlarm,
      AlarmsSilentWhileSyncPaused: 'none',
    },
  };
  const announce = (running: object): void =>
    writeFileSync(join(localStateDirectory, 'endpoints.json'), JSON.stringify(running));
  const endpoints = {
    dynamodb,
    sqs,
    s3,
    sfn: workflows.url,
    logs: logs.url,
    sts: controlPlane.url,
    cloudwatch: cloudWatch.url,
    events: controlPlane.url,
  };
  const running = { pid: process.pid, apiUrl: 'http://127.0.0.1:1', endpoints, outputs };
  announce(running);

  return {
    ordersTableName,
    operationsTableName,
    outputs,
    endpoints,
    queues,
    repository,
    localStateDirectory,
    workflows,
    logs,
    cloudWatch,
    artifactsBucketName,
    rawBucketName,
    runs: createRunRepository(clients.documents, syncRunsTableName, operationsTableName),
    openFolder: createRunFolders(clients.s3, artifactsBucketName),
    /** Changes the file in which a running embedded AWS describes itself. */
    announce: (changes: object): void => announce({ ...running, ...changes }),

    operate: (args: readonly string[], options: OperateOptions = {}): Promise<Outcome> =>
      operate([...args, '--local'], { localStateDirectory, ...options }),

    addNotified: async (id: string, notifiedAtMs = hoursAgo(1)) => {
      const orderId = id as OrderId;
      const round = roundOfArrival(notifiedAtMs);
      const start = { orderId, round, requestId: requestId(), notificationType: 'order.created', notifiedAtMs };
      await repository.startRound(start);
      return { orderId, round, requestId: start.requestId };
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
        message: 'The order does not exist in Qualia',
        stage: 'download',
        issueId: '00000000',
        ...failure,
        receiveCount: 1,
        failedAtMs,
      });
      return { orderId, round };
    },

    /** Writes an item of failed orders' index that this version cannot read. */
    addUnreadableFailure: async (id: string, failedAtMs: number): Promise<void> => {
      const keys = { failed_shard: failedOrdersIndex.shards[0], failed_at: new Date(failedAtMs).toISOString() };
      const Item = { order_id: id, status: 'POSTPONED', ...keys };
      await clients.documents.send(new PutCommand({ TableName: ordersTableName, Item }));
    },

    /** Sends a message to a dead-letter queue. */
    addDeadLetter: async (queue: 'download' | 'processing', body: object | string): Promise<void> => {
      const MessageBody = typeof body === 'string' ? body : JSON.stringify(downloadMessage(body));
      await clients.sqs.send(new SendMessageCommand({ QueueUrl: queues[queue].deadLetterUrl, MessageBody }));
    },

    /** Receives up to 10 messages from a queue, which stay hidden. */
    receive: async (url: string): Promise<DownloadMessage[]> => {
      const { Messages = [] } = await clients.sqs.send(
        new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10, VisibilityTimeout: 600 }),
      );
      return Messages.map(({ Body = '' }) => downloadMessageSchema.parse(JSON.parse(Body)));
    },

    /** The text of an object in the artifacts bucket. */
    readArtifact: async (Key: string): Promise<string> => {
      const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket: artifactsBucketName, Key }));
      return (await Body?.transformToString()) ?? '';
    },

    stop: async (): Promise<void> => {
      await Promise.all([workflows.stop(), logs.stop(), controlPlane.stop(), cloudWatch.stop()]);
      clients.destroy();
      rmSync(localStateDirectory, { recursive: true });
    },
  };
};

export type TestStage = Awaited<ReturnType<typeof startStage>>;
