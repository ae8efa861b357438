import { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { createHandler as createFinishHandler } from '../../../lambdas/finish-run/handler';
import { createHandler as createExtractHandler } from '../../../lambdas/iterable-extract/handler';
import { createHandler as createPushHandler } from '../../../lambdas/iterable-push/handler';
import { createHandler as createReportHandler } from '../../../lambdas/iterable-report/handler';
import { createHandler as createCollectHandler } from '../../../lambdas/netlife-collect/handler';
import { createHandler as createMergeHandler } from '../../../lambdas/netlife-merge/handler';
import { createHandler as createPlanHandler } from '../../../lambdas/plan-run/handler';
import type { Fault } from '../../../local/simulators/faults';
import { createIterableClient } from '../../../shared/iterable/client';
import type { UserSource } from '../../../shared/iterable/source';
import { NetlifeClient } from '../../../shared/netlife/client';
import { createPortals } from '../../../shared/netlife/portals';
import { createRunFolders } from '../../../shared/runs/artifacts';
import type { JobInputs } from '../../../shared/runs/jobs';
import type { RunPlan } from '../../../shared/runs/plan';
import { createRunRepository } from '../../../shared/runs/repository';
import { lambdaContext } from '../../support/lambda-context';
import { recordMetrics } from '../../support/metrics';
import { secretOf } from '../../support/secrets';
import { unconfigured } from '../../support/unconfigured';
import { createClients, createLambdaClients } from '../support/clients';
import { type Death, dyingAt, runWithin } from '../support/outside';
import { createBucket, createSyncRunsTable } from '../support/resources';

export const credentials = {
  netlife: { username: 'netlife-user-7f3a', password: 'netlife-pa55-9b1c' },
  iterable: { api_key: 'iterable-key-5e8d', jwt_secret: 'iterable-jwt-2c4b' },
};

export interface SystemOptions {
  readonly netlifeUrl?: string;
  readonly iterableUrl?: string;
  readonly source?: UserSource;
  /** Default: silent. */
  readonly logger?: Logger;
}

export interface Turn {
  /** Remaining time of the Lambda. Default: 15 minutes. */
  readonly remainingMs?: number;
  /** Where the process dies. */
  readonly death?: Death;
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

let invocations = 0;

/** The Lambdas of the sync jobs, with their own table and bucket. Each invocation is like a new process. */
export const startSystem = async (options: SystemOptions) => {
  const { netlifeUrl = '', iterableUrl = '', source, logger = new Logger({ logLevel: 'SILENT' }) } = options;
  const operator = createClients();
  const clients = createLambdaClients();
  const metrics = recordMetrics();
  const [tableName, bucketName] = [await createSyncRunsTable(operator), await createBucket(operator, 'artifacts')];
  const portals = createPortals({ NETLIFE_BASE_URL: netlifeUrl || undefined });
  const runs = createRunRepository(clients.documents, tableName);
  const openFolder = createRunFolders(clients.s3, bucketName);

  const invoke = async <T>(
    create: (now: () => number) => (event: unknown, context: Context) => Promise<T>,
    event: unknown,
    { remainingMs = 900_000, death, clock = () => Date.now() }: Turn = {},
  ): Promise<T | 'died'> => {
    const context = { ...lambdaContext({ remainingMs }), awsRequestId: `invocation-${++invocations}` };
    // States exchange JSON.
    const run = () => create(clock)(JSON.parse(JSON.stringify(event)), context);
    if (death === undefined) return run();
    const deadly = dyingAt(death);
    return Promise.race([runWithin(deadly.outside, run), deadly.died]);
  };
  const sleep = async (): Promise<void> => undefined;
  const common = { openFolder, runs, logger, metrics: metrics.recorder };

  return {
    clients: operator,
    bucketName,
    metrics,
    runs: createRunRepository(operator.documents, tableName),
    folder: createRunFolders(operator.s3, bucketName),
    stop: (): void => {
      operator.destroy();
      clients.destroy();
    },

    plan: async (
      input: unknown,
      execution = { Id: 'arn:execution:one', Name: 'one' },
    ): Promise<RunPlan & JobInputs> => {
      const plan = await invoke((now) => createPlanHandler({ ...common, portals, now }), { input, execution });
      if (plan === 'died') throw new Error('It died without a configured death');
      return plan;
    },
    collect: (run: RunPlan, portal: string, turn?: Turn, redriveCount = run.redrive_count) =>
      invoke(
        (now) =>
          createCollectHandler({
            ...common,
            portals,
            now,
            sleep: turn?.pause ?? sleep,
            openClient: async (found, hooks) =>
              new NetlifeClient({
                ...hooks,
                portal: found,
                login: secretOf({ ...credentials.netlife, timeout_s: 30, rate_limit_per_sec: 8 }),
                rateLimitPerSecond: 100_000,
                timeoutMs: 30_000,
                random: () => 0,
              }),
          }),
        { run, portal, execution: executionOf(run, redriveCount) },
        turn,
      ),
    /** @param collected how the collecting ended, such as an error */
    merge: (
      run: RunPlan,
      portal: string,
      turn?: Turn,
      collected: object = { done: true },
      redriveCount = run.redrive_count,
    ) =>
      invoke(
        (now) => createMergeHandler({ ...common, portals, now }),
        { run, portal, collected, execution: executionOf(run, redriveCount) },
        turn,
      ),
    extract: (run: RunPlan, turn?: Turn) =>
      invoke(
        (now) => createExtractHandler({ ...common, now, openSource: async () => source ?? unconfigured('source')() }),
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
            openClient: (useJwt) =>
              createIterableClient({
                baseUrl: iterableUrl,
                credential: secretOf(credentials.iterable),
                useJwt,
                now: () => Date.now(),
                callsPerSecond: { updateUser: 1e5, updateUsers: 1e5, trackEvent: 1e5, trackEvents: 1e5 },
              }),
          }),
        { run },
        turn,
      ),
    /** @param fault the error that ended the extraction or the sending */
    report: (run: RunPlan, turn?: Turn, fault?: object) =>
      invoke((now) => createReportHandler({ ...common, now }), { run: { ...run, fault } }, turn),
    finish: (run: RunPlan, outcomes: object, execution: object = { Id: 'arn:execution:one', Name: 'one' }) =>
      invoke((now) => createFinishHandler({ ...common, now }), { run: { ...run, outcomes }, execution }),
  };
};

export type System = Awaited<ReturnType<typeof startSystem>>;
