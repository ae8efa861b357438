import type { Logger } from '@aws-lambda-powertools/logger';
import * as z from 'zod';
import { PipelineError } from '../../shared/errors';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import type { OpenRunFolder } from '../../shared/runs/artifacts';
import { faultsOf } from '../../shared/runs/faults';
import { worstOf } from '../../shared/runs/outcome';
import { executionSchema, planSchema } from '../../shared/runs/plan';
import type { RunRepository } from '../../shared/runs/repository';
import { createStep, NamedFailure } from '../../shared/runs/step';
import { outcomesSchema, summarizeJobs } from './summary';

export interface FinishRunDependencies {
  readonly openFolder: OpenRunFolder;
  readonly runs: Pick<RunRepository, 'claimFinish' | 'finish'>;
  /** Whether the execution of a PARTIAL run fails. */
  readonly failPartial: boolean;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
  readonly now: () => number;
}

/** A job of the run failed, or is PARTIAL where the stage treats that as a failure. The execution fails with this name, and its cause has the outcome of every job. */
export class RunFailed extends NamedFailure {
  override readonly name = 'RunFailed';
  override readonly code = 'RUN_FAILED';
}

const step = 'finish';
const schema = z.object({
  run: z.looseObject(planSchema.shape).extend({ outcomes: outcomesSchema }),
  execution: executionSchema,
});

/**
 * `FinishRun`: closes the run with its summary, and throws if a job failed. A redrive of such an execution starts here,
 * with the failed outcomes; it then returns `again`, and the jobs resume where they stopped. An execution whose run was
 * taken over by another also fails, with `RUN_TAKEN_OVER`, even if all of its jobs succeeded.
 */
export const createHandler = ({ openFolder, runs, failPartial, logger, metrics, now }: FinishRunDependencies) => {
  const run = async ({ run: { outcomes, ...plan }, execution }: z.output<typeof schema>) => {
    const folder = openFolder(plan.run_id);
    const jobs = await summarizeJobs(outcomes, folder);
    const status = worstOf(Object.values(jobs).map((job) => job.status));
    const failed = status === 'FAILED' || (failPartial && status === 'PARTIAL');
    if (failed && execution.RedriveCount > plan.redrive_count) {
      logger.info('sync step', { step, phase: 'ended', again: true });
      return { ...plan, redrive_count: execution.RedriveCount, again: true };
    }

    const finishedAtMs = now();
    const ours = ['input.json', 'summary.json'].map(folder.keyOf);
    const reports = [...ours, ...Object.values(jobs).flatMap((job) => job.reports)];
    const message = Object.entries(jobs)
      .map(([name, job]) => `${name} ${job.status}: ${job.message}`)
      .join('\n');
    const faults = faultsOf(plan);
    const summary = {
      run_id: plan.run_id,
      status,
      dry_run: plan.dry_run,
      execution_arn: plan.execution_arn,
      started_at: plan.started_at,
      finished_at: new Date(finishedAtMs).toISOString(),
      duration_seconds: (finishedAtMs - Date.parse(plan.started_at)) / 1_000,
      ...(faults.length > 0 && { preflight: faults }),
      ...jobs,
      reports,
    };
    // If another execution took the run over, it writes the summary.
    const claimed = await runs.claimFinish(plan, finishedAtMs);
    if (claimed) {
      await folder.put('summary.json', `${JSON.stringify(summary, undefined, 2)}\n`);
      await runs.finish(plan, { status, message, reports, finishedAtMs });
      metrics.add('SyncRunPartial', status === 'PARTIAL' ? 1 : 0);
    }
    if (failed) throw new RunFailed(message);
    if (!claimed) {
      throw new PipelineError('RUN_TAKEN_OVER', 'Another execution works on this run', { retryable: false });
    }
    logger.info('sync step', { step, phase: 'ended', status });
    return { run_id: plan.run_id, status, again: false, summary: folder.keyOf('summary.json') };
  };

  return createStep({ step, schema, logger, metrics, keys: ({ run }) => ({ run_id: run.run_id }), run });
};
