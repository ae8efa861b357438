import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import type { NetlifeClient, NetlifeClientOptions } from '../../shared/netlife/client';
import { netlifePlanSchema, portalSchema } from '../../shared/netlife/input';
import { createPortalParts } from '../../shared/netlife/portal-parts';
import type { Portal, Portals } from '../../shared/netlife/portals';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import { reportRetry } from '../../shared/observability/report-retry';
import type { OpenRunFolder } from '../../shared/runs/artifacts';
import { createBudget } from '../../shared/runs/budget';
import { attemptOf, executionSchema } from '../../shared/runs/plan';
import { createProgress } from '../../shared/runs/progress';
import type { RunRepository } from '../../shared/runs/repository';
import { createStep } from '../../shared/runs/step';
import { thenAlways } from '../../shared/runs/then-always';
import { collectPortal } from './collect-portal';

export interface NetlifeCollectDependencies {
  readonly portals: Portals;
  readonly openClient: (
    portal: Portal,
    hooks: Required<Pick<NetlifeClientOptions, 'deadlineMs' | 'signal' | 'onRetry'>>,
  ) => Promise<NetlifeClient>;
  readonly openFolder: OpenRunFolder;
  readonly runs: Pick<RunRepository, 'enter' | 'recordProgress'>;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** The turn before may have used up this second's calls. */
const pauseMs = 1_000;

/** `CollectPortal`: collects the jobs of a portal that nobody collected yet, as far as the time goes. */
export const createHandler = (dependencies: NetlifeCollectDependencies) => {
  const { portals, openClient, openFolder, runs, logger, metrics, now, sleep } = dependencies;
  const schema = z.object({
    run: netlifePlanSchema(portals),
    portal: portalSchema(portals),
    execution: executionSchema,
  });

  const run = async ({ run, portal, execution }: z.output<typeof schema>, context: Context) => {
    const budget = createBudget(context.getRemainingTimeInMillis(), now);
    const part = `netlife/${portal.name}`;
    const owner = await runs.enter(run, part, context.awsRequestId, now());
    const progress = createProgress({ runs, run: owner, part, budget, logger, now });
    const client = await openClient(portal, {
      deadlineMs: budget.deadlineMs,
      signal: progress.stopped,
      onRetry: ({ error, attempt, waitMs }) =>
        reportRetry(logger, metrics, {}, { error, attempt, waitSeconds: waitMs / 1_000 }),
    });
    await sleep(pauseMs);
    const parts = createPortalParts(openFolder(run.run_id), portal.name);
    const attempt = attemptOf(execution, run);
    const end = async (): Promise<void> => {
      const statistics = { duration_seconds: client.getStatsSummary().duration_seconds };
      const left = client.takeStats();
      try {
        await parts.writeTurn(context.awsRequestId, { ...left, statistics: { ...left.statistics, ...statistics } });
      } finally {
        await client.close();
      }
    };
    return thenAlways(() => collectPortal({ client, run, attempt, parts, progress, logger, metrics }), end);
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
