import { Logger } from '@aws-lambda-powertools/logger';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { createHandler as createFinishHandler } from '../../../lambdas/finish-run/handler';
import { createHandler as createExtractHandler } from '../../../lambdas/iterable-extract/handler';
import { createSourceCheck } from '../../../lambdas/iterable-extract/preflight';
import { createHandler as createPushHandler } from '../../../lambdas/iterable-push/handler';
import { createKeyCheck } from '../../../lambdas/iterable-push/preflight';
import { createHandler as createReportHandler } from '../../../lambdas/iterable-report/handler';
import { type ClientHooks, createHandler as createCollectHandler } from '../../../lambdas/netlife-collect/handler';
import { createLoginCheck } from '../../../lambdas/netlife-collect/preflight';
import { createHandler as createMergeHandler } from '../../../lambdas/netlife-merge/handler';
import { createHandler as createPlanHandler } from '../../../lambdas/plan-run/handler';
import type { Fault } from '../../../local/simulators/faults';
import { createIterableClient } from '../../../shared/iterable/client';
import { createDigests } from '../../../shared/iterable/digests';
import { createSentIndex } from '../../../shared/iterable/sent-index';
import type { UserSource } from '../../../shared/iterable/source';
import { NetlifeClient } from '../../../shared/netlife/client';
import { createKnownKeys } from '../../../shared/netlife/known-keys';
import { createPortals, type Portal } from '../../../shared/netlife/portals';
import { listOperations } from '../../../shared/operations/list';
import { createRunFolders } from '../../../shared/runs/artifacts';
import type { Found } from '../../../shared/runs/faults';
import type { JobInputs } from '../../../shared/runs/jobs';
import type { RunPlan } from '../../../shared/runs/plan';
import { createRunRepository } from '../../../shared/runs/repository';
import { createUsual } from '../../../shared/runs/usual';
import { lambdaContext } from '../../support/lambda-context';
import { recordMetrics } from '../../support/metrics';
import { secretOf } from '../../support/secrets';
import { unconfigured } from '../../support/unconfigured';
import { createClients, createLambdaClients } from '../support/clients';
import { type Crash, crashAt, runIntercepted } from '../support/interceptor';
import { createBucket, createOperationsTable, createSyncRunsTable } from '../support/resources';

export const credentials = {
  netlife: { username: 'netlife-user-7f3a', password: 'netlife-pa55-9b1c' },
  iterable: { api_key: 'iterable-key-5e8d', jwt_secret: 'iterable-jwt-2c4b' },
};

export interface SystemOptions {
  readonly netlifeUrl?: string;
  /** Rate at which a worker calls a portal. Default: no limit. */
  readonly netlifeCallsPerSecond?: number;
  readonly iterableUrl?: string;
  readonly source?: UserSource;
  /** Whether an execution has ended. Default: no. */
  readonly hasEnded?: (executionArn: string) => Promise<boolean>;
  /** Default: no. */
  readonly failPartial?: boolean;
  /** Default: silent. */
  readonly logger?: Logger;
}

export interface Turn {
  /** Remaining time of the Lambda. Default: 15 minutes. */
  readonly remainingMs?: number;
  /** The point at which the process crashes. */
  readonly crash?: Crash;
  /** Replaces the clock of the invocation. Default: the real one. */
  readonly clock?: () => number;
  /** Replaces a worker's pause before the first call. Default: no pause. */
  readonly pause?: () => Promise<unknown>;
}

const requestSchema = z.object({
  path: z.string(),
  body: z.string(),
  facts: z.record(z.string(), z.string()).default(() => ({})),
});
const requestsSchema = z.object({ requests: z.array(requestSchema) });

const control = async (url: string, method = 'GET', body?: unknown): Promise<unknown> =>
  (await fetch(url, { method, ...(body !== undefined && { body: JSON.stringify(body) }) })).json();

export const setFaults = (controlUrl: string, ...faults: readonly Fault[]) =>
  control(`${controlUrl}/faults`, 'PUT', faults);

/** Returns and clears the newest 1,000 requests of a simulator. */
export const takeRequests = async (controlUrl: string) => {
  const { requests } = requestsSchema.parse(await control(`${controlUrl}/requests`));
  await control(`${controlUrl}/requests`, 'DELETE');
  return requests;
};

/** The execution that works on a run, as Step Functions provides it. */
const executionOf = ({ execution_arn: Id }: RunPlan, RedriveCount: number) => ({
  Id,
  Name: Id.replace(/^.*:/, ''),
  RedriveCount,
});

/** Reads no users back, unless the input says so. */
const withoutConfirmation = (input: unknown): unknown => {
  const { data } = z.looseObject({ iterable: z.looseObject({}) }).safeParse(input);
  return data === undefined ? input : { ...data, iterable: { confirm: 0, ...data.iterable } };
};

let invocations = 0;

/** Creates the Lambdas of the sync jobs, with their own table and bucket. Each invocation is like a new process. */
export const startSystem = async (options: SystemOptions) => {
  const {
    netlifeUrl = '',
    iterableUrl = '',
    source,
    hasEnded = async () => false,
    logger = new Logger({ logLevel: 'SILENT' }),
  } = options;
  const operator = createClients();
  const clients = createLambdaClients();
  const metrics = recordMetrics();
  const [tableName, operationsTableName, bucketName] = await Promise.all([
    createSyncRunsTable(operator),
    createOperationsTable(operator),
    createBucket(operator, 'artifacts'),
  ]);
  const portals = createPortals({ NETLIFE_BASE_URL: netlifeUrl || undefined });
  const runs = createRunRepository(clients.documents, tableName, operationsTableName, async () => undefined);
  const openFolder = createRunFolders(clients.s3, bucketName);

  const invoke = async <T>(
    create: (now: () => number) => (event: unknown, context: Context) => Promise<T>,
    event: unknown,
    { remainingMs = 900_000, crash, clock = () => Date.now() }: Turn = {},
  ): Promise<T | 'crashed'> => {
    const context = { ...lambdaContext({ remainingMs }), awsRequestId: `invocation-${++invocations}` };
    // States exchange JSON.
    const run = () => create(clock)(JSON.parse(JSON.stringify(event)), context);
    if (crash === undefined) return run();
    const { interceptor, crashed } = crashAt(crash);
    return Promise.race([runIntercepted(interceptor, run), crashed]);
  };
  const sleep = async (): Promise<void> => undefined;
  const sentIndex = createSentIndex(clients.s3, bucketName);
  const common = { openFolder, runs, logger, metrics: metrics.recorder, sentIndex };

  const openNetlife = async (portal: Portal, hooks: ClientHooks) =>
    new NetlifeClient({
      ...hooks,
      portal,
      login: secretOf({ ...credentials.netlife, timeout_s: 30, rate_limit_per_sec: 8 }),
      rateLimitPerSecond: options.netlifeCallsPerSecond ?? 100_000,
      timeoutMs: 30_000,
      random: () => 0,
    });
  const openIterable = (useJwt: boolean) =>
    createIterableClient({
      baseUrl: iterableUrl,
      credential: secretOf(credentials.iterable),
      useJwt,
      now: () => Date.now(),
      callsPerSecond: { updateUser: 1e5, updateUsers: 1e5, trackEvent: 1e5, trackEvents: 1e5, readProfile: 1e5 },
    });
  const openSource = async () => source ?? unconfigured('source')();

  const tryPlan = (given: unknown, execution = { Id: 'arn:execution:one', Name: 'one' }, turn?: Turn) => {
    const input = withoutConfirmation(given);
    return invoke((now) => createPlanHandler({ ...common, portals, hasEnded, now }), { input, execution }, turn);
  };

  /** As if no other run existed. Most tests plan several runs and end none. */
  const forgetLeases = async (): Promise<void> => {
    for await (const item of listOperations(operator.documents, operationsTableName, 'LEASE', 0)) {
      const { kind, id } = z.object({ kind: z.string(), id: z.string() }).parse(item);
      await operator.documents.send(new DeleteCommand({ TableName: operationsTableName, Key: { kind, id } }));
    }
  };

  return {
    clients: operator,
    bucketName,
    metrics,
    runs: createRunRepository(operator.documents, tableName, operationsTableName),
    folder: createRunFolders(operator.s3, bucketName),
    stop: (): void => {
      operator.destroy();
      clients.destroy();
    },

    /** Plans a run, which other runs can prevent. */
    tryPlan,
    /** Plans a run, whatever other runs hold. */
    plan: async (input: unknown, execution?: { Id: string; Name: string }): Promise<RunPlan & JobInputs> => {
      await forgetLeases();
      const plan = await tryPlan(input, execution);
      if (plan === 'crashed' || !('started_at' in plan)) throw new Error('The run was not started');
      return plan;
    },
    /** What `Preflight` adds to the plan of a run of both jobs. */
    preflight: async (run: RunPlan) => {
      const check = async (create: (now: () => number) => ReturnType<typeof createKeyCheck>): Promise<Found> => {
        const found = await invoke(create, { run });
        if (found === 'crashed') throw new Error('The check crashed without a configured crash');
        return found;
      };
      return {
        logins: await check((now) => createLoginCheck({ ...common, portals, now, openClient: openNetlife })),
        database: await check((now) => createSourceCheck({ ...common, now, openSource })),
        key: await check((now) => createKeyCheck({ ...common, now, openClient: openIterable })),
      };
    },
    collect: (run: RunPlan, portal: string, turn?: Turn, redriveCount = run.redrive_count) =>
      invoke(
        (now) =>
          createCollectHandler({
            ...common,
            portals,
            now,
            sleep: turn?.pause ?? sleep,
            openKnownKeys: (name) => createKnownKeys(clients.s3, bucketName, name),
            openClient: openNetlife,
          }),
        { run, portal, execution: executionOf(run, redriveCount) },
        turn,
      ),
    /** @param collected the result of the collection, or its error */
    merge: (
      run: RunPlan,
      portal: string,
      turn?: Turn,
      collected: object = { done: true },
      redriveCount = run.redrive_count,
    ) =>
      invoke(
        (now) =>
          createMergeHandler({
            ...common,
            portals,
            now,
            openUsual: (name) => createUsual(clients.s3, bucketName, `netlife/${name}`),
          }),
        { run, portal, collected, execution: executionOf(run, redriveCount) },
        turn,
      ),
    extract: (run: RunPlan, turn?: Turn) =>
      invoke(
        (now) =>
          createExtractHandler({
            ...common,
            now,
            openSource,
            usual: createUsual(clients.s3, bucketName, 'iterable'),
            openDigests: async () => createDigests(credentials.iterable.api_key),
          }),
        { run },
        turn,
      ),
    push: (run: RunPlan, turn?: Turn) =>
      invoke(
        (now) =>
          createPushHandler({
            ...common,
            now,
            sleep: turn?.pause ?? sleep,
            openClient: openIterable,
          }),
        { run },
        turn,
      ),
    /** @param fault the error of the extraction or the push */
    report: (run: RunPlan, turn?: Turn, fault?: object) =>
      invoke(
        (now) => createReportHandler({ ...common, toleratedFailedPercent: 1, now }),
        { run: { ...run, fault } },
        turn,
      ),
    finish: (run: RunPlan, outcomes: object, execution: object = { Id: 'arn:execution:one', Name: 'one' }) =>
      invoke((now) => createFinishHandler({ ...common, failPartial: options.failPartial ?? false, now }), {
        run: { ...run, outcomes },
        execution,
      }),
  };
};

export type System = Awaited<ReturnType<typeof startSystem>>;
