import * as z from 'zod';
import type { Statistics } from '../netlife/stats';

/** What a catcher of the state machine keeps of an error: its name, and Lambda's description of it as JSON. */
export const caughtSchema = z.object({ Error: z.string(), Cause: z.string().default('') });

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
export interface FailedJob {
  readonly job_uuid: string;
  readonly error: string;
  readonly error_code: string;
}

/** `netlife/<portal>/stats.json`. */
export interface PortalReport extends Statistics {
  readonly portal: string;
  readonly failed_jobs: readonly FailedJob[];
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
