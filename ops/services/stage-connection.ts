import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SchedulerClient } from '@aws-sdk/client-scheduler';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { STSClient } from '@aws-sdk/client-sts';
import * as z from 'zod';
import { createPortals, type Portals, portalVariables } from '../../shared/netlife/portals';
import { type ChangeGuard, createChangeGuard } from './change-guard';
import { ServiceFault } from './fault';
import { readLocalAws } from './local-aws';
import type { PausablePart } from './pause/parts';

export const stages = ['dev', 'staging', 'prod'] as const;
export type StageName = (typeof stages)[number];

/** The deployment to connect to. */
interface StageOptions {
  readonly stage: StageName;
  /** An AWS region; default: that of the operator's AWS configuration. Not used with the embedded AWS. */
  readonly region?: string | undefined;
  /** State folder of the embedded AWS, which is then used instead of AWS. */
  readonly localStateDirectory?: string | undefined;
}

/** Outputs of one stack: output name → value. */
type Outputs = Readonly<Record<string, unknown>>;

const output = z.string('is missing').min(1, 'is empty');
const dataOutputs = z.object({
  OrdersTableName: output,
  RawBucketName: output,
  SyncRunsTableName: output,
  OperationsTableName: output,
  ActionsLogGroupName: output,
  ArtifactsBucketName: output,
  WebhookSecretArn: output.optional(),
});
const orderPipelineOutputs = z.object({
  DownloadQueueUrl: output,
  DownloadDeadLetterQueueUrl: output,
  ProcessingQueueUrl: output,
  ProcessingDeadLetterQueueUrl: output,
  ReconcilerFunctionName: output.optional(),
  ApiUrl: output.optional(),
});
const syncJobsOutputs = z.object({
  StateMachineArn: output,
  IterableExtractFunctionName: output.optional(),
  /** Absent if the stage has no extra portals. */
  NetlifeExtraPortals: portalVariables.NETLIFE_EXTRA_PORTALS,
});

const names = output.transform((text) => (text === 'none' ? [] : text.split(',')));
const observabilityOutputs = z.object({
  ResumeRoleArn: output,
  AlarmsSilentWhileDownloadPaused: names,
  AlarmsSilentWhileProcessingPaused: names,
  AlarmsSilentWhileSyncPaused: names,
});

/** A connection to a stage: AWS clients, and the names of the deployed resources. */
export interface StageConnection {
  readonly name: StageName;
  /** Whether the stage runs in the embedded AWS on this machine. */
  readonly local: boolean;
  /** The state folder of that embedded AWS. */
  readonly localStateDirectory: string | undefined;
  readonly dynamodb: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly s3: S3Client;
  readonly sfn: SFNClient;
  readonly logs: CloudWatchLogsClient;
  readonly lambda: LambdaClient;
  readonly secretsManager: SecretsManagerClient;
  readonly sts: STSClient;
  readonly cloudWatch: CloudWatchClient;
  readonly eventBridge: EventBridgeClient;
  readonly scheduler: SchedulerClient;
  readonly ordersTableName: string;
  readonly rawBucketName: string;
  readonly downloadQueueUrl: string;
  readonly processingQueueUrl: string;
  readonly deadLetterQueueUrls: Readonly<Record<'download' | 'processing', string>>;
  readonly syncRunsTableName: string;
  readonly operationsTableName: string;
  /** The log group with the record of who changed what. */
  readonly actionsLogGroupName: string;
  readonly artifactsBucketName: string;
  readonly stateMachineArn: string;
  /** Absent if an earlier version deployed the stage. */
  readonly reconcilerFunctionName: string | undefined;
  /** Absent if an earlier version deployed the stage. */
  readonly webhook: { readonly apiUrl: string; readonly secretArn: string } | undefined;
  /** Looks up a customer in the database. Absent if an earlier version deployed the stage. */
  readonly iterableExtractFunctionName: string | undefined;
  /** The role with which EventBridge Scheduler ends a pause. */
  readonly resumeRoleArn: string;
  /** Names of the alarms that a pause of a part would raise. */
  readonly alarmsSilentWhilePaused: Readonly<Record<PausablePart, readonly string[]>>;
  /** The Netlife portals that the stage's syncs can call. */
  readonly portals: Portals;
  /** Until a change is recorded, every call that changes something throws. */
  readonly changes: Pick<ChangeGuard, 'check' | 'record' | 'open'>;
  /** Closes the connections. */
  close(): void;
}

/**
 * Connects to a stage with the operator's credentials. Reads the resource names from the outputs of the stacks
 * `<stage>-Data`, `<stage>-OrderPipeline`, `<stage>-SyncJobs` and `<stage>-Observability`.
 *
 * @throws {ServiceFault} `unreachable` if the stage does not exist or an output is missing
 */
export const connectToStage = async ({
  stage,
  region,
  localStateDirectory,
}: StageOptions): Promise<StageConnection> => {
  const local = localStateDirectory === undefined ? undefined : readLocalAws(localStateDirectory);
  const config = { ...(region !== undefined && { region }), ...local?.clientConfig };
  const stackOutputs = local
    ? async (stackName: string) => local.outputs[stackName] ?? noSuchStage(stackName, 'The embedded AWS')
    : describeStack(config);
  const [data, pipeline, syncJobs, observability] = await Promise.all([
    readOutputs(`${stage}-Data`, stackOutputs, dataOutputs),
    readOutputs(`${stage}-OrderPipeline`, stackOutputs, orderPipelineOutputs),
    readOutputs(`${stage}-SyncJobs`, stackOutputs, syncJobsOutputs),
    readOutputs(`${stage}-Observability`, stackOutputs, observabilityOutputs),
  ]);

  const configOf = (service: keyof ReturnType<typeof readLocalAws>['endpoints']) => ({
    ...config,
    ...(local && { endpoint: local.endpoints[service] ?? unusedEndpoint }),
  });
  const clients = {
    dynamodb: new DynamoDBClient(configOf('dynamodb')),
    sqs: new SQSClient(configOf('sqs')),
    s3: new S3Client(configOf('s3')),
    sfn: new SFNClient(configOf('sfn')),
    logs: new CloudWatchLogsClient(configOf('logs')),
    cloudWatch: new CloudWatchClient(configOf('cloudwatch')),
    lambda: new LambdaClient(configOf('lambda')),
    secretsManager: new SecretsManagerClient(configOf('secretsmanager')),
    sts: new STSClient(configOf('sts')),
    eventBridge: new EventBridgeClient(configOf('events')),
    scheduler: new SchedulerClient(configOf('scheduler')),
  };
  const guard = createChangeGuard();
  const isLookUp = (input: object) =>
    'FunctionName' in input && input.FunctionName === syncJobs.IterableExtractFunctionName;
  for (const client of Object.values(clients)) guard.watch(client, client === clients.lambda ? isLookUp : undefined);
  return {
    name: stage,
    local: local !== undefined,
    localStateDirectory,
    ...clients,
    ordersTableName: data.OrdersTableName,
    rawBucketName: data.RawBucketName,
    downloadQueueUrl: pipeline.DownloadQueueUrl,
    processingQueueUrl: pipeline.ProcessingQueueUrl,
    deadLetterQueueUrls: {
      download: pipeline.DownloadDeadLetterQueueUrl,
      processing: pipeline.ProcessingDeadLetterQueueUrl,
    },
    syncRunsTableName: data.SyncRunsTableName,
    operationsTableName: data.OperationsTableName,
    actionsLogGroupName: data.ActionsLogGroupName,
    artifactsBucketName: data.ArtifactsBucketName,
    stateMachineArn: syncJobs.StateMachineArn,
    reconcilerFunctionName: pipeline.ReconcilerFunctionName,
    webhook: webhookOf(pipeline.ApiUrl, data.WebhookSecretArn),
    iterableExtractFunctionName: syncJobs.IterableExtractFunctionName,
    resumeRoleArn: observability.ResumeRoleArn,
    alarmsSilentWhilePaused: {
      download: observability.AlarmsSilentWhileDownloadPaused,
      processing: observability.AlarmsSilentWhileProcessingPaused,
      sync: observability.AlarmsSilentWhileSyncPaused,
    },
    portals: createPortals({ NETLIFE_EXTRA_PORTALS: syncJobs.NetlifeExtraPortals }),
    changes: guard,
    close: () => {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
};

const webhookOf = (apiUrl: string | undefined, secretArn: string | undefined): StageConnection['webhook'] =>
  apiUrl === undefined || secretArn === undefined ? undefined : { apiUrl, secretArn };

/** Nothing listens here. Used for a service that the embedded AWS does not offer, so that real AWS is never called. */
const unusedEndpoint = 'http://127.0.0.1:1';

const noSuchStage = (stackName: string, where: string): never => {
  throw new ServiceFault('unreachable', `${where} has no stack ${stackName}.`);
};

const describeStack = (config: { readonly region?: string }) => async (stackName: string) => {
  const client = new CloudFormationClient(config);
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stackName }));
    return Object.fromEntries(
      (Stacks?.[0]?.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]),
    );
  } catch (error) {
    const missing = error instanceof Error && error.name === 'ValidationError' && /does not exist/.test(error.message);
    if (!missing) throw error;
    return noSuchStage(stackName, `This account, in region ${await client.config.region()},`);
  } finally {
    client.destroy();
  }
};

const readOutputs = async <T>(
  stackName: string,
  outputsOf: (stackName: string) => Promise<Outputs>,
  schema: z.ZodType<T>,
): Promise<T> => {
  const parsed = schema.safeParse(await outputsOf(stackName));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
  throw new ServiceFault(
    'unreachable',
    `The outputs of stack ${stackName} do not match this version: ${faults.join(', ')}.`,
  );
};
