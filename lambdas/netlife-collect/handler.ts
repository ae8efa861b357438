import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { PipelineError } from '../../shared/errors';
import type { NetlifeClient, NetlifeClientOptions } from '../../shared/netlife/client';
import { netlifePlanSchema, portalSchema } from '../../shared/netlife/input';
import type { KnownKeysOfPortal } from '../../shared/netlife/known-keys';
import { createPortalParts } from '../../shared/netlife/portal-parts';
import type { Portal, Portals } from '../../shared/netlife/portals';
import { reportRetry } from '../../shared/observability/report-retry';
import { faultsOf } from '../../shared/runs/faults';
import { attemptOf, executionSchema } from '../../shared/runs/plan';
import { createStep } from '../../shared/runs/step';
import { thenAlways } from '../../shared/runs/then-always';
import { startTurn, type WorkerDependencies } from '../../shared/runs/turn';
import { collectPortal } from './collect-portal';

export type ClientHooks = Required<Pick<NetlifeClientOptions, 'deadlineMs' | 'signal' | 'keepLeases' | 'onRetry'>>;

export interface NetlifeCollectDependencies extends WorkerDependencies {
  readonly portals: Portals;
  readonly openClient: (portal: Portal, hooks: ClientHooks) => Promise<NetlifeClient>;
  /** The access keys of a portal from earlier runs. */
  readonly openKnownKeys: (portal: string) => KnownKeysOfPortal;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** The turn before may have used up the calls of this second. */
const pauseMs = 1_000;

/** `CollectPortal`: collects the jobs of a portal that are not collected yet, until the time is up. */
export const createHandler = (dependencies: NetlifeCollectDependencies) => {
  const { portals, openClient, openKnownKeys, logger, metrics, sleep } = dependencies;
  const schema = z.object({
    run: netlifePlanSchema(portals),
    portal: portalSchema(portals),
    execution: executionSchema,
  });

  const run = async ({ run, portal, execution }: z.output<typeof schema>, context: Context) => {
    const fault = faultsOf(run).find(({ check }) => check === `netlife/${portal.name}`);
    if (fault !== undefined) {
      throw new PipelineError(fault.error_code, fault.message, { api: 'netlife', retryable: false });
    }
    const { budget, progress, folder } = await startTurn(dependencies, run, `netlife/${portal.name}`, context);
    const client = await openClient(portal, {
      deadlineMs: budget.deadlineMs,
      signal: progress.stopped,
      keepLeases: progress.keepLeases,
      onRetry: ({ error, attempt, waitMs }) =>
        reportRetry(logger, metrics, {}, { error, attempt, waitSeconds: waitMs / 1_000 }),
    });
    await sleep(pauseMs);
    const parts = createPortalParts(folder, portal.name);
    const attempt = attemptOf(execution, run);
    const end = async (): Promise<void> => {
      const statistics = { duration_seconds: client.getStatsSummary().duration_seconds };
      const left = client.takeStats();
      try {
        await parts.writeTurn(context.awsRequestId, {
          rejected: [...left.rejected],
          statistics: { ...left.statistics, ...statistics },
          calls_per_second: client.callsPerSecond,
        });
      } finally {
        await client.close();
      }
    };
    const knownKeys = openKnownKeys(portal.name);
    return thenAlways(() => collectPortal({ client, run, attempt, parts, knownKeys, progress, logger, metrics }), end);
  };

  return createStep({
    step: 'netlife_collect',
    schema,
    logger,
    metrics,
    keys: ({ run, portal }) => ({ run_id: run.run_id, portal: portal.name }),
    run,
  });
};
