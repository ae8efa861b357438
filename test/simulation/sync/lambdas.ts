import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Context } from 'aws-lambda';
import { createHandler as createFinish } from '../../../lambdas/finish-run/handler';
import { createHandler as createExtract } from '../../../lambdas/iterable-extract/handler';
import { createSourceCheck } from '../../../lambdas/iterable-extract/preflight';
import { createHandler as createPush } from '../../../lambdas/iterable-push/handler';
import { createKeyCheck } from '../../../lambdas/iterable-push/preflight';
import { createHandler as createReport } from '../../../lambdas/iterable-report/handler';
import { type ClientHooks, createHandler as createCollect } from '../../../lambdas/netlife-collect/handler';
import { createLoginCheck } from '../../../lambdas/netlife-collect/preflight';
import { createHandler as createMerge } from '../../../lambdas/netlife-merge/handler';
import { createHandler as createPlan } from '../../../lambdas/plan-run/handler';
import { createSecret } from '../../../shared/aws/secret';
import { iterableCredentialSchema } from '../../../shared/iterable/auth';
import { createIterableClient } from '../../../shared/iterable/client';
import { createDigests } from '../../../shared/iterable/digests';
import { createSentIndex } from '../../../shared/iterable/sent-index';
import { NetlifeClient } from '../../../shared/netlife/client';
import { loginOf, netlifeSecretSchema } from '../../../shared/netlife/credential';
import { createKnownKeys } from '../../../shared/netlife/known-keys';
import { createPortals, type Portal } from '../../../shared/netlife/portals';
import { createLogger } from '../../../shared/observability/logger';
import type { MetricsRecorder } from '../../../shared/observability/metrics';
import { createRunFolders } from '../../../shared/runs/artifacts';
import { withPreflight } from '../../../shared/runs/preflight';
import { createRunRepository } from '../../../shared/runs/repository';
import { createUsual } from '../../../shared/runs/usual';
import { type CallOptions, createAwsClient } from '../aws-calls';
import { createConnection } from '../connection';
import type { LambdaProcess } from '../lambda-process';
import { asSdkClient } from '../models/client';
import type { ModelClient } from '../world';
import type { Database } from './database';
import type { Iterable } from './iterable';
import type { Netlife } from './netlife';

export const resources = { runs: 'runs', operations: 'operations', artifacts: 'artifacts' } as const;

/** The secrets, by id. */
export const secrets = {
  netlife: { username: 'us', password: 'a-long-password' },
  iterable: { api_key: 'a-long-key' },
} as const;

/** What the sync Lambdas call. */
export interface SyncServices {
  readonly dynamodb: ModelClient;
  readonly s3: ModelClient;
  readonly secrets: ModelClient;
  readonly netlife: Netlife;
  readonly iterable: Iterable;
  readonly database: Database;
  /** Whether an execution has ended. */
  readonly hasEnded: (executionArn: string) => boolean;
  readonly onVendorCall: (call: VendorCall) => void;
  /** Called right after an object is written. */
  readonly onStored: (key: string, process: LambdaProcess) => void;
}

/** A request to Netlife or Iterable. */
export interface VendorCall {
  readonly runId: string;
  readonly process: LambdaProcess;
  /** `iterable`, or the name of a portal. */
  readonly vendor: string;
  /** The users that it sends. */
  readonly emails: readonly string[];
  /** The job of Netlife that it is about. */
  readonly job?: string | undefined;
}

export type SyncHandler = (event: unknown, context: Context) => Promise<unknown>;

const logger = createLogger({ STAGE: 'dev', SERVICE_VERSION: '1' });
logger.setLogLevel('SILENT');
const metrics: MetricsRecorder = { add: () => undefined, fields: () => ({}), flush: () => undefined };
const portals = createPortals({ NETLIFE_BASE_URL: 'https://{portal}.example/api/v1' });
/** The S3 clients have no timeout of a call, only one of silence. */
const silence = { requestHandler: { requestTimeout: 10_000 } } as const;

/** The run repository of a process. */
export const runsOf = (options: CallOptions, dynamodb: ModelClient) =>
  createRunRepository(
    asSdkClient(DynamoDBDocumentClient, createAwsClient(options, 'dynamodb', dynamodb)),
    resources.runs,
    resources.operations,
    sleepOf(options),
  );

const sleepOf =
  ({ scheduler, process }: CallOptions) =>
  async (ms: number): Promise<void> => {
    await scheduler.sleep(ms);
    await process.canRun();
  };

/** The composition roots, as in `index.ts` of each Lambda, over models. @param runId the run that the invocation is for */
export const createSyncHandlers = (
  options: CallOptions,
  services: SyncServices,
  runId: string,
): Readonly<Record<string, () => SyncHandler>> => {
  const { process } = options;
  const { now } = process;
  const sleep = sleepOf(options);
  const stored: ModelClient = {
    send: async (command) => {
      const response = await services.s3.send(command);
      if (command instanceof PutObjectCommand) services.onStored(command.input.Key ?? '', process);
      return response;
    },
  };
  const s3 = asSdkClient(S3Client, createAwsClient(options, 's3', stored, silence));
  const manager = asSdkClient(SecretsManagerClient, createAwsClient(options, 'secrets', services.secrets));
  const common = {
    portals,
    openFolder: createRunFolders(s3, resources.artifacts),
    sentIndex: createSentIndex(s3, resources.artifacts),
    runs: runsOf(options, services.dynamodb),
    logger,
    metrics,
    now,
    sleep,
  };

  const logins = createSecret({ client: manager, secretId: 'netlife', schema: netlifeSecretSchema, now });
  const openNetlife = async (portal: Portal, hooks: ClientHooks) => {
    const login = loginOf(logins, portal.name);
    const { rate_limit_per_sec, timeout_s } = await login.get();
    const model = services.netlife.get(portal.name);
    if (model === undefined) throw new Error(`There is no model of ${portal.name}`);
    const { server, jobOf } = model;
    const onSent = ({ path }: { readonly path: string }): void => {
      services.onVendorCall({ runId, process, vendor: portal.name, emails: [], job: jobOf(path) });
      server.onSent();
    };
    return new NetlifeClient({
      ...hooks,
      portal,
      login,
      rateLimitPerSecond: rate_limit_per_sec,
      timeoutMs: timeout_s * 1_000,
      connection: createConnection(options, 'netlife', { ...server, onSent }),
      now,
      sleep,
    });
  };

  const credential = createSecret({ client: manager, secretId: 'iterable', schema: iterableCredentialSchema, now });
  const openIterable = (useJwt: boolean) =>
    createIterableClient({
      baseUrl: 'https://iterable.example',
      credential,
      useJwt,
      connection: createConnection(
        options,
        'iterable',
        services.iterable.serverFor((emails) => services.onVendorCall({ runId, process, vendor: 'iterable', emails })),
      ),
      now,
      sleep,
    });

  const netlife = {
    ...common,
    openClient: openNetlife,
    openKnownKeys: (portal: string) => createKnownKeys(s3, resources.artifacts, portal),
  };
  const extract = {
    ...common,
    openSource: async () => services.database.sourceFor(options),
    openDigests: async () => createDigests((await credential.get()).api_key),
    usual: createUsual(s3, resources.artifacts, 'iterable'),
  };
  const push = { ...common, openClient: openIterable };
  return {
    'plan-run': () =>
      createPlan({
        ...common,
        hasEnded: async (arn) => {
          await sleep(20);
          return services.hasEnded(arn);
        },
      }),
    'netlife-collect': () => withPreflight(createLoginCheck(netlife), createCollect(netlife)),
    'netlife-merge': () =>
      createMerge({ ...common, openUsual: (portal) => createUsual(s3, resources.artifacts, `netlife/${portal}`) }),
    'iterable-extract': () => withPreflight(createSourceCheck(extract), createExtract(extract)),
    'iterable-push': () => withPreflight(createKeyCheck(push), createPush(push)),
    'iterable-report': () => createReport({ ...common, toleratedFailedPercent: 1 }),
    'finish-run': () => createFinish({ ...common, failPartial: false }),
  };
};
