import * as z from 'zod';
import { parseJson } from '../json';
import type { Statistics } from '../netlife/stats';

/** What a catcher of the state machine keeps of an error: its name, and Lambda's description of it as JSON. */
export const caughtSchema = z.object({ Error: z.string(), Cause: z.string().default('') });
type Caught = z.output<typeof caughtSchema>;

/** What `CollectPortal` ended with: all of its turns, or an error. */
export const collectedSchema = z.union([caughtSchema, z.object({ done: z.literal(true) })]);
export type Collected = z.output<typeof collectedSchema>;

const lambdaErrorSchema = z.object({ errorMessage: z.string() });

/** What an error says: Lambda describes one as JSON; any other cause is a text already. */
export const messageOf = ({ Error: name, Cause }: Caught): string => {
  const message = lambdaErrorSchema.safeParse(parseJson(Cause)).data?.errorMessage ?? Cause;
  return message === '' ? name : message;
};

/** What ended the collecting of a portal before all of its jobs were tried. */
export const faultOf = (collected: Collected): string | undefined =>
  'Error' in collected ? messageOf(collected) : undefined;

/** What a portal's branch ends with. */
export const portalOutcomeSchema = z.object({
  portal: z.string(),
  status: z.enum(['SUCCEEDED', 'FAILED']),
  /** One sentence. */
  message: z.string(),
  /** Keys in the artifacts bucket. */
  reports: z.array(z.string()),
});
export type PortalOutcome = z.output<typeof portalOutcomeSchema>;

/** A job of a portal that failed. */
export const failedJobSchema = z.object({ job_uuid: z.string(), error: z.string(), error_code: z.string() });
export type FailedJob = z.output<typeof failedJobSchema>;

/** `netlife/<portal>/stats.json`. */
export interface PortalReport extends Statistics {
  readonly portal: string;
  readonly failed_jobs: readonly FailedJob[];
  /** Of the run's `job_ids`, those that this portal does not sell. */
  readonly jobs_not_on_sale: readonly string[];
}

/** What the Iterable branch ends with. */
export const iterableOutcomeSchema = z.object({
  status: z.enum(['SUCCEEDED', 'FAILED']),
  message: z.string(),
  reports: z.array(z.string()),
  counts: z.record(z.string(), z.number()),
  duration_seconds: z.number(),
});
export type IterableOutcome = z.output<typeof iterableOutcomeSchema>;
