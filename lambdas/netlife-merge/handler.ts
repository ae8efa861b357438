import type { Logger } from '@aws-lambda-powertools/logger';
import * as z from 'zod';
import type { Portals } from '../../shared/netlife/portals';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import type { OpenRunFolder } from '../../shared/runs/artifacts';
import type { PortalOutcome } from '../../shared/runs/outcome';
import { netlifePlanSchema, portalSchema } from '../../shared/runs/plan';
import { createPortalParts } from '../../shared/runs/portal-parts';
import { createProgress } from '../../shared/runs/progress';
import type { RunRepository } from '../../shared/runs/repository';
import { createStep } from '../../shared/runs/step';
import { mergePortal } from './merge-portal';

export interface NetlifeMergeDependencies {
  readonly portals: Portals;
  readonly openFolder: OpenRunFolder;
  readonly runs: Pick<RunRepository, 'recordProgress'>;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
  readonly now: () => number;
}

/** `MergePortal`: writes a portal's files from its parts. The portal has failed if over half of its jobs did. */
export const createHandler = ({ portals, openFolder, runs, logger, metrics, now }: NetlifeMergeDependencies) => {
  const schema = z.object({ run: netlifePlanSchema(portals), portal: portalSchema(portals) });

  const run = async ({ run, portal }: z.output<typeof schema>): Promise<PortalOutcome> => {
    const progress = createProgress({ runs, run, part: `netlife/${portal.name}`, logger, now });
    const folder = openFolder(run.run_id);
    const parts = createPortalParts(folder, portal.name);
    const { report, paths, jobs } = await mergePortal({ portal, run, folder, parts });
    const { contacts_written, rows_rejected, failed_jobs } = report;
    metrics.add('SyncContactsWritten', contacts_written);
    metrics.add('SyncRejectedRows', rows_rejected);
    const failed = failed_jobs.length * 2 > jobs;
    const message =
      `${portal.name}: ${contacts_written} contacts of ${jobs} jobs` +
      (failed_jobs.length > 0 ? `, ${failed_jobs.length} jobs failed` : '');
    await progress.close('netlife_merge', { done: jobs, total: jobs, message });
    return { portal: portal.name, status: failed ? 'FAILED' : 'SUCCEEDED', message, reports: paths.map(folder.keyOf) };
  };

  return createStep({
    schema,
    logger,
    metrics,
    keys: ({ run, portal }) => ({ run_id: run.run_id, portal: portal.name }),
    run,
  });
};
