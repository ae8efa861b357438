import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import type { MetricsRecorder } from '../observability/metrics';
import type { OpenRunFolder, RunFolder } from './artifacts';
import { type Budget, createBudget } from './budget';
import type { RunPlan } from './plan';
import { createProgress, type Progress } from './progress';
import type { RunRepository } from './repository';

/** Dependencies of every worker: of every state that may take several turns. */
export interface WorkerDependencies {
  readonly openFolder: OpenRunFolder;
  readonly runs: Pick<RunRepository, 'enter' | 'recordProgress'>;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
  /** Epoch ms. */
  readonly now: () => number;
}

/** One invocation of a worker. */
export interface Turn {
  readonly budget: Budget;
  readonly progress: Progress;
  readonly folder: RunFolder;
}

/**
 * Starts a turn of a worker. From now on, earlier turns at the same counter are refused.
 *
 * @param counterName the counter that the turn updates, such as `netlife/nowandforeverphoto`
 * @throws {PipelineError} `RUN_TAKEN_OVER`, permanent, if another execution works on the run
 */
export const startTurn = async (
  { openFolder, runs, logger, now }: WorkerDependencies,
  run: RunPlan,
  counterName: string,
  context: Context,
): Promise<Turn> => {
  const budget = createBudget(context.getRemainingTimeInMillis(), now);
  const owner = await runs.enter(run, counterName, context.awsRequestId, now());
  const progress = createProgress({ runs, run: owner, counterName, budget, logger, now });
  return { budget, progress, folder: openFolder(run.run_id) };
};
