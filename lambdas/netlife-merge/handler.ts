import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { netlifePlanSchema, portalSchema } from '../../shared/netlife/input';
import { collectedSchema, faultOf, type PortalOutcome } from '../../shared/netlife/outcome';
import { createPortalParts } from '../../shared/netlife/portal-parts';
import type { Portals } from '../../shared/netlife/portals';
import { attemptOf, executionSchema } from '../../shared/runs/plan';
import { createStep } from '../../shared/runs/step';
import { startTurn, type WorkerDependencies } from '../../shared/runs/turn';
import { mergePortal } from './merge-portal';

export interface NetlifeMergeDependencies extends WorkerDependencies {
  readonly portals: Portals;
}

/** The portal's files are complete, or another turn must continue them. */
type MergeTurnResult = ({ readonly done: true } & PortalOutcome) | { readonly done: false };

/**
 * `MergePortal`: writes a portal's files from its parts, until the time is up. The portal has failed if over half of
 * its jobs failed, or if an error ended the collecting; the files then cover what was collected before it.
 */
export const createHandler = (dependencies: NetlifeMergeDependencies) => {
  const { portals, logger, metrics } = dependencies;
  const schema = z.object({
    run: netlifePlanSchema(portals),
    portal: portalSchema(portals),
    collected: collectedSchema,
    execution: executionSchema,
  });

  const run = async (
    { run, portal, collected, execution }: z.output<typeof schema>,
    context: Context,
  ): Promise<MergeTurnResult> => {
    const { progress, folder } = await startTurn(dependencies, run, `netlife/${portal.name}`, context);
    const parts = createPortalParts(folder, portal.name);
    const fault = faultOf(collected);
    const attempt = attemptOf(execution, run);
    const merged = await mergePortal({ portal, run, attempt, fault, folder, parts, progress });
    if (merged === undefined) return { done: false };

    const { report, paths, jobs } = merged;
    const { contacts_written, failed_jobs, jobs_not_on_sale } = report;
    const facts = [
      ...(fault === undefined ? [] : [fault]),
      `${contacts_written} contacts of ${jobs} jobs`,
      ...(failed_jobs.length > 0 ? [`${failed_jobs.length} jobs failed`] : []),
      ...(jobs_not_on_sale.length > 0 ? [`${jobs_not_on_sale.length} jobs not on sale`] : []),
    ];
    const message = `${portal.name}: ${facts.join(', ')}`;
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
