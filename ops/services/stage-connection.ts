import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { createPortals, type Portals, portalVariables } from '../../shared/netlife/portals';
import { ServiceFault } from './fault';
import { readLocalAws } from './local-aws';

export const stages = ['dev', 'staging', 'prod'] as const;
export type StageName = (typeof stages)[number];

/** Which deployment to work on. */
export interface Target {
  readonly stage: StageName;
  /** An AWS region; without it the operator's own configuration says. The embedded AWS has only one. */
  readonly region?: string | undefined;
  /** Folder in which the embedded AWS keeps its state: works on that instead of AWS. */
  readonly localStateDirectory?: string | undefined;
}

/** Outputs of one stack: output name → value. */
type Outputs = Readonly<Record<string, unknown>>;

const given = z.string('is missing').min(1, 'is empty');
const dataOutputs = z.object({
  OrdersTableName: given,
  RawBucketName: given,
  SyncRunsTableName: given,
  ArtifactsBucketName: given,
});
const orderPipelineOutputs = z.object({
  DownloadQueueUrl: given,
  DownloadDeadLetterQueueUrl: given,
  ProcessingQueueUrl: given,
  ProcessingDeadLetterQueueUrl: given,
  ReconcilerFunctionName: given.optional(),
});
const syncJobsOutputs = z.object({
  StateMachineArn: given,
  /** Absent when there are none beside the known ones. */
  NetlifeExtraPortals: portalVariables.NETLIFE_EXTRA_PORTALS,
});

/** A stage that was found: its clients, and the names of what was deployed. */
export interface StageConnection {
  readonly name: StageName;
  /** Whether it runs on this machine. */
  readonly local: boolean;
  readonly dynamodb: DynamoDBClient;
  readonly sqs: SQSClient;
  readonly s3: S3Client;
  readonly sfn: SFNClient;
  readonly logs: CloudWatchLogsClient;
  readonly lambda: LambdaClient;
  readonly secretsManager: SecretsManagerClient;
  readonly ordersTableName: string;
  readonly rawBucketName: string;
  readonly downloadQueueUrl: string;
  readonly processingQueueUrl: string;
  readonly deadLetterQueueUrls: Readonly<Record<'download' | 'processing', string>>;
  readonly syncRunsTableName: string;
  readonly artifactsBucketName: string;
  readonly stateMachineArn: string;
  /** Absent in a stage that an earlier version deployed. */
  readonly reconcilerFunctionName: string | undefined;
  /** The portals of Netlife that its syncs may call. */
  readonly portals: Portals;
  /** Closes the connections. */
  close(): void;
}

/**
 * Finds a stage: its names are the outputs of its stacks `<stage>-Data`, `<stage>-OrderPipeline` and
 * `<stage>-SyncJobs`, its credentials those of the operator.
 *
 * @throws {ServiceFault} `unreachable` when there is no such stage, or it lacks an output.
 */
export const connectToStage = async ({ stage, region, localStateDirectory }: Target): Promise<StageConnection> => {
  const local = localStateDirectory === undefined ? undefined : readLocalAws(localStateDirectory);
  const config = { ...(region !== undefined && { region }), ...local?.clientConfig };
  const stackOutputs = local
    ? async (stackName: string) => local.outputs[stackName] ?? noSuchStage(stackName, 'The embedded AWS')
    : describeStack(config);
  const [data, pipeline, syncJobs] = await Promise.all([
    readOutputs(`${stage}-Data`, stackOutputs, dataOutputs),
    readOutputs(`${stage}-OrderPipeline`, stackOutputs, orderPipelineOutputs),
    readOutputs(`${stage}-SyncJobs`, stackOutputs, syncJobsOutputs),
  ]);

  const configOf = (service: keyof ReturnType<typeof readLocalAws>['endpoints']) => ({
    ...config,
    ...(local && { endpoint: local.endpoints[service] ?? nobody }),
  });
  const clients = {
    dynamodb: new DynamoDBClient(configOf('dynamodb')),
    sqs: new SQSClient(configOf('sqs')),
    s3: new S3Client(configOf('s3')),
    sfn: new SFNClient(configOf('sfn')),
    logs: new CloudWatchLogsClient(configOf('logs')),
    lambda: new LambdaClient(configOf('lambda')),
    secretsManager: new SecretsManagerClient(configOf('secretsmanager')),
  };
  return {
    name: stage,
    local: local !== undefined,
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
    artifactsBucketName: data.ArtifactsBucketName,
    stateMachineArn: syncJobs.StateMachineArn,
    reconcilerFunctionName: pipeline.ReconcilerFunctionName,
    portals: createPortals({ NETLIFE_EXTRA_PORTALS: syncJobs.NetlifeExtraPortals }),
    close: () => {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
};

/** Nothing listens there: where a service is not announced, AWS itself must not be called instead. */
const nobody = 'http://127.0.0.1:1';

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
    `The outputs of stack ${stackName} are not those of this version: ${faults.join(', ')}.`,
  );
};
