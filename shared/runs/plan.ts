import * as z from 'zod';
import { type NetlifeInput, netlifeInputSchema } from '../netlife/input';
import type { Portals } from '../netlife/portals';
import { type IterableInput, iterableInputSchema, runIdSchema } from './input';

/** What `PlanRun` decided: the state machine carries it from step to step. */
export interface RunPlan {
  readonly run_id: string;
  readonly dry_run: boolean;
  /** When the run was started first, ISO 8601 UTC: it stands in the names and rows of the files. */
  readonly started_at: string;
  readonly execution_arn: string;
  /** How often the execution had been redriven when its jobs were begun. */
  readonly redrive_count: number;
  readonly netlife?: NetlifeInput | undefined;
  readonly iterable?: IterableInput | undefined;
}

const common = {
  run_id: runIdSchema,
  dry_run: z.boolean(),
  started_at: z.iso.datetime(),
  execution_arn: z.string(),
  redrive_count: z.number(),
};

/** For `FinishRun`, which looks at neither job's input. */
export const anyPlanSchema = z.looseObject(common);

export const netlifePlanSchema = (portals: Portals) => z.object({ ...common, netlife: netlifeInputSchema(portals) });
export type NetlifePlan = z.output<ReturnType<typeof netlifePlanSchema>>;

/** A portal by its name. */
export const portalSchema = (portals: Portals) =>
  z.string().transform((name, context) => {
    const portal = portals.find(name);
    if (portal !== undefined) return portal;
    context.addIssue('is no portal that may be called');
    return z.NEVER;
  });

export const iterablePlanSchema = z.object({ ...common, iterable: iterableInputSchema });
export type IterablePlan = z.output<typeof iterablePlanSchema>;

/** What Step Functions says of an execution (`$$.Execution`), at the time when a state is entered. */
export const executionSchema = z.object({
  Id: z.string(),
  Name: z.string(),
  /** 0 before the first redrive. */
  RedriveCount: z.number().default(0),
});
export type Execution = z.output<typeof executionSchema>;

/**
 * Names one try of an execution at its jobs: what failed in it is not tried again before the next. Both counters tell
 * tries apart: a redrive of an execution that was stopped begins within its branches, with the plan as it was; if that
 * fails, `FinishRun` sends the run through its branches once more within the same redrive.
 */
export const attemptOf = (
  { Name, RedriveCount }: Pick<Execution, 'Name' | 'RedriveCount'>,
  { redrive_count }: Pick<RunPlan, 'redrive_count'>,
): string => `${Name}.${RedriveCount}.${redrive_count}`;
