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
  ArtifactsBucketName: output,
});
const orderPipelineOutputs = z.object({
  DownloadQueueUrl: output,
  DownloadDeadLetterQueueUrl: output,
  ProcessingQueueUrl: output,
  ProcessingDeadLetterQueueUrl: output,
  ReconcilerFunctionName: output.optional(),
});
const syncJobsOutputs = z.object({
  StateMachineArn: output,
  /** Absent if the stage has no extra portals. */
  NetlifeExtraPortals: portalVariables.NETLIFE_EXTRA_PORTALS,
});

/** A connection to a stage: AWS clients, and the names of the deployed resources. */
export interface StageConnection {
  readonly name: StageName;
  /** Whether the stage runs in the embedded AWS on this machine. */
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
  /** Absent if an earlier version deployed the stage. */
  readonly reconcilerFunctionName: string | undefined;
  /** The Netlife portals that the stage's syncs can call. */
  readonly portals: Portals;
  /** Closes the connections. */
  close(): void;
}

/**
 * Connects to a stage with the operator's credentials. Reads the resource names from the outputs of the stacks
 * `<stage>-Data`, `<stage>-OrderPipeline` and `<stage>-SyncJobs`.
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
  const [data, pipeline, syncJobs] = await Promise.all([
    readOutputs(`${stage}-Data`, stackOutputs, dataOutputs),
    readOutputs(`${stage}-OrderPipeline`, stackOutputs, orderPipelineOutputs),
    readOutputs(`${stage}-SyncJobs`, stackOutputs, syncJobsOutputs),
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
