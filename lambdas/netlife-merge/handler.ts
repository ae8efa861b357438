import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { netlifePlanSchema, portalSchema } from '../../shared/netlife/input';
import { collectedSchema, faultOf, type PortalOutcome } from '../../shared/netlife/outcome';
import { createPortalParts } from '../../shared/netlife/portal-parts';
import type { Portals } from '../../shared/netlife/portals';
import { statusIf } from '../../shared/runs/outcome';
import { attemptOf, executionSchema } from '../../shared/runs/plan';
import { createStep } from '../../shared/runs/step';
import { startTurn, type WorkerDependencies } from '../../shared/runs/turn';
import type { Usual } from '../../shared/runs/usual';
import { mergePortal } from './merge-portal';

export interface NetlifeMergeDependencies extends WorkerDependencies {
  readonly portals: Portals;
  /** The numbers of contacts of the last runs of a portal. */
  readonly openUsual: (portal: string) => Usual;
}

/** The portal's files are complete, or another turn must continue them. */
type MergeTurnResult = ({ readonly done: true } & PortalOutcome) | { readonly done: false };

/**
 * `MergePortal`: writes a portal's files from its parts, until the time is up. The portal is PARTIAL if a job failed. It
 * has failed if over half of its jobs failed, or if an error ended the collecting; the files then cover what was collected before it.
 */
export const createHandler = (dependencies: NetlifeMergeDependencies) => {
  const { portals, openUsual, logger, metrics } = dependencies;
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
    // Only whole runs with the same filters have comparable numbers.
    const compareWithUsual = async (value: number): Promise<number | undefined> => {
      const { audience, contact_filter, registered_only, job_ids } = run.netlife;
      if (fault !== undefined || job_ids.length > 0) return undefined;
      const kind = [audience, contact_filter, ...(registered_only ? ['registered'] : [])].join('/');
      return openUsual(portal.name).compare({ kind, runId: run.run_id, value });
    };
    const merged = await mergePortal({ portal, run, attempt, fault, folder, parts, progress, compareWithUsual });
    if (merged === undefined) return { done: false };

    const { report, paths, jobs } = merged;
    const { contacts_written, failed_jobs, jobs_not_on_sale, warnings, needed } = report;
    for (const warning of warnings) logger.warn('sync warning', { error: `${portal.name}: ${warning}` });
    const facts = [
      ...(fault === undefined ? [] : [fault]),
      `${contacts_written} contacts of ${jobs} jobs`,
      ...(failed_jobs.length > 0 ? [`${failed_jobs.length} jobs failed`] : []),
      ...(needed === undefined ? [] : [`a run would need about ${needed.calls} calls and ${needed.minutes} minutes`]),
      ...(jobs_not_on_sale.length > 0 ? [`${jobs_not_on_sale.length} jobs not on sale`] : []),
    ];
    const message = `${portal.name}: ${facts.join(', ')}`;
    await progress.close('netlife_merge', { done: jobs, total: jobs, message });
    const status = statusIf({
      failed: fault !== undefined || failed_jobs.length * 2 > jobs,
      incomplete: failed_jobs.length > 0,
    });
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
