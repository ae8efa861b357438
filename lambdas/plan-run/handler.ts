import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '@aws-lambda-powertools/logger';
import * as z from 'zod';
import { parseJson } from '../../shared/json';
import type { Portals } from '../../shared/netlife/portals';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import type { OpenRunFolder } from '../../shared/runs/artifacts';
import { InvalidInput, type RunInput, readRunInput, runInputSchema } from '../../shared/runs/input';
import { type JobInputs, leasesOf } from '../../shared/runs/jobs';
import { AlreadyRunning } from '../../shared/runs/leases';
import { executionSchema, type RunPlan } from '../../shared/runs/plan';
import type { RunRepository, RunStart } from '../../shared/runs/repository';
import type { Run } from '../../shared/runs/run';
import { createStep } from '../../shared/runs/step';

export interface PlanRunDependencies {
  readonly portals: Portals;
  readonly openFolder: OpenRunFolder;
  readonly runs: Pick<RunRepository, 'read' | 'start' | 'stop' | 'refuse'>;
  /** Whether the execution has ended. */
  readonly hasEnded: (executionArn: string) => Promise<boolean>;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
  readonly now: () => number;
}

/** The run does not start now: the state machine tries again after the wait, or ends. */
type NotStarted =
  | { readonly waiting: { readonly seconds: number; readonly input: unknown } }
  | { readonly skipped: true; readonly run_id: string; readonly message: string };

const step = 'plan';
const waitSeconds = 60;
/** A run that waits longer fails. */
const maxWaitMs = 6 * 3_600_000;
const schema = z.object({ input: z.unknown(), execution: executionSchema });

/**
 * `PlanRun`: checks the input of an execution, and starts or resumes its run, which takes the leases of the vendors'
 * limits. If another run holds one of them, `after` in the input decides: the execution fails with `AlreadyRunning`, or
 * the run waits or is skipped.
 */
export const createHandler = ({ portals, openFolder, runs, hasEnded, logger, metrics, now }: PlanRunDependencies) => {
  /**
   * All parts of a run belong to one input. A run with another input would mix them. An input that an earlier release
   * stored lacks the keys that are new since: they have their defaults.
   */
  const keepInput = async (input: Omit<RunInput, 'after'>): Promise<void> => {
    const folder = openFolder(input.run_id);
    if (await folder.putOnce('input.json', `${JSON.stringify(input, undefined, 2)}\n`)) return;
    const stored = parseJson((await folder.readText('input.json')) ?? '');
    const { after: _, ...known } = runInputSchema(input.run_id, { portals }).safeParse(stored).data ?? {};
    if (isDeepStrictEqual(known, input)) return;
    throw new InvalidInput([`run_id is that of a run with another input: ${folder.keyOf('input.json')}`]);
  };

  /**
   * Marks a run as stopped whose execution ended without closing it: it was stopped in the console, or timed out. This
   * releases its leases. @returns whether it did
   */
  const closeEnded = async (runId: string): Promise<boolean> => {
    const holder = await runs.read(runId);
    if (holder?.status !== 'RUNNING' || !(await hasEnded(holder.execution_arn))) return false;
    await runs.stop(runId, now(), 'Its execution has ended');
    return true;
  };

  const start = async (run: RunStart): Promise<Run> => {
    const closed = new Set<string>();
    for (;;) {
      try {
        return await runs.start(run);
      } catch (error) {
        const isReleased =
          error instanceof AlreadyRunning && !closed.has(error.holder) && (await closeEnded(error.holder));
        if (!isReleased) throw error;
        closed.add(error.holder);
      }
    }
  };

  const run = async ({
    input: given,
    execution,
  }: z.output<typeof schema>): Promise<(RunPlan & JobInputs) | NotStarted> => {
    const { after, ...input } = readRunInput(given, execution.Name, { portals });
    logger.appendKeys({ run_id: input.run_id });
    await keepInput(input);
    const attempt = { input, executionArn: execution.Id, startedAtMs: now() };
    try {
      const { started_at } = await start({ ...attempt, leases: leasesOf({ ...input }) });
      logger.info('sync step', { step, phase: 'ended' });
      return { ...input, started_at, execution_arn: execution.Id, redrive_count: execution.RedriveCount };
    } catch (error) {
      if (!(error instanceof AlreadyRunning)) throw error;
      const { message } = error;
      if (after === 'wait') {
        const sinceMs = await runs.refuse({ ...attempt, status: 'WAITING', message });
        if (now() - sinceMs < maxWaitMs) {
          logger.info('sync step', { step, phase: 'ended', outcome: 'waiting', holder: error.holder });
          return { waiting: { seconds: waitSeconds, input: given } };
        }
      }
      const isSkipped = after === 'skip';
      await runs.refuse({ ...attempt, status: isSkipped ? 'SKIPPED' : 'FAILED', message });
      if (!isSkipped) throw error;
      logger.info('sync step', { step, phase: 'ended', outcome: 'skipped', holder: error.holder });
      return { skipped: true, run_id: input.run_id, message };
    }
  };

  // The default of `run_id`.
  return createStep({ step, schema, logger, metrics, keys: ({ execution }) => ({ run_id: execution.Name }), run });
};
