import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { netlifePlanSchema, portalSchema } from '../../shared/netlife/input';
import { collectedSchema, faultOf, type PortalOutcome } from '../../shared/netlife/outcome';
import { createPortalParts } from '../../shared/netlife/portal-parts';
import type { Portals } from '../../shared/netlife/portals';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import type { OpenRunFolder } from '../../shared/runs/artifacts';
import { createBudget } from '../../shared/runs/budget';
import { attemptOf, executionSchema } from '../../shared/runs/plan';
import { createProgress } from '../../shared/runs/progress';
import type { RunRepository } from '../../shared/runs/repository';
import { createStep } from '../../shared/runs/step';
import { mergePortal } from './merge-portal';

export interface NetlifeMergeDependencies {
  readonly portals: Portals;
  readonly openFolder: OpenRunFolder;
  readonly runs: Pick<RunRepository, 'enter' | 'recordProgress'>;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
  readonly now: () => number;
}

/** The portal's files are there, or another turn is to go on with them. */
type MergeStanding = ({ readonly done: true } & PortalOutcome) | { readonly done: false };

/**
 * `MergePortal`: writes a portal's files from its parts, as far as the time goes. The portal has failed if over half of
 * its jobs did, or if an error ended the collecting: then the files tell of what was collected until then.
 */
export const createHandler = ({ portals, openFolder, runs, logger, metrics, now }: NetlifeMergeDependencies) => {
  const schema = z.object({
    run: netlifePlanSchema(portals),
    portal: portalSchema(portals),
    collected: collectedSchema,
    execution: executionSchema,
  });

  const run = async (
    { run, portal, collected, execution }: z.output<typeof schema>,
    context: Context,
  ): Promise<MergeStanding> => {
    const budget = createBudget(context.getRemainingTimeInMillis(), now);
    const counted = `netlife/${portal.name}`;
    const owner = await runs.enter(run, counted, context.awsRequestId, now());
    const progress = createProgress({ runs, run: owner, part: counted, budget, logger, now });
    const folder = openFolder(run.run_id);
    const parts = createPortalParts(folder, portal.name);
    const fault = faultOf(collected);
    const attempt = attemptOf(execution, run);
    const merged = await mergePortal({ portal, run, attempt, fault, folder, parts, progress });
    if (merged === undefined) return { done: false };

    const { report, paths, jobs } = merged;
    const { contacts_written, failed_jobs, jobs_not_on_sale } = report;
    const news = [
      ...(fault === undefined ? [] : [fault]),
      `${contacts_written} contacts of ${jobs} jobs`,
      ...(failed_jobs.length > 0 ? [`${failed_jobs.length} jobs failed`] : []),
      ...(jobs_not_on_sale.length > 0 ? [`${jobs_not_on_sale.length} jobs not on sale`] : []),
    ];
    const message = `${portal.name}: ${news.join(', ')}`;
    await progress.close('netlife_merge', { done: jobs, total: jobs, message });
    const failed = fault !== undefined || failed_jobs.length * 2 > jobs;
    const status = failed ? 'FAILED' : 'SUCCEEDED';
    return { done: true, portal: portal.name, status, message, reports: paths.map(folder.keyOf) };
  };

  return createStep({
    step: 'netlife_merge',
    schema,
    logger,
    metrics,
    keys: ({ run, portal }) => ({ run_id: run.run_id, portal: portal.name }),
    run,
  });
};
