import * as z from 'zod';
import { preflightSchema } from './faults';
import { runIdSchema } from './run-id';

/** What `PlanRun` returns, without the inputs of the jobs: the state machine passes it from state to state. */
export const planSchema = z.object({
  run_id: runIdSchema,
  dry_run: z.boolean(),
  /** First start of the run, ISO 8601 UTC. It is part of the files' names and rows. */
  started_at: z.iso.datetime(),
  execution_arn: z.string(),
  /** The execution's redrive count when the jobs started. */
  redrive_count: z.number(),
  /** What was found before the jobs started. Absent if the checks could not be made. */
  preflight: preflightSchema.optional().catch(undefined),
});
export type RunPlan = z.output<typeof planSchema>;

/** What Step Functions provides about an execution (`$$.Execution`) when it enters a state. */
export const executionSchema = z.object({
  Id: z.string(),
  Name: z.string(),
  /** 0 before the first redrive. */
  RedriveCount: z.number().default(0),
});
export type Execution = z.output<typeof executionSchema>;

/**
 * Names one attempt of an execution at its jobs: what failed in an attempt is tried again only in the next one. Both
 * counters are needed. A redrive of a stopped execution resumes inside its branches, with the plan unchanged. If that
 * fails, `FinishRun` sends the run through its branches once more within the same redrive.
 */
export const attemptOf = (
  { Name, RedriveCount }: Pick<Execution, 'Name' | 'RedriveCount'>,
  { redrive_count }: Pick<RunPlan, 'redrive_count'>,
): string => `${Name}.${RedriveCount}.${redrive_count}`;
