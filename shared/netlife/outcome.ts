import * as z from 'zod';
import { caughtOutcomeSchema, caughtSchema, messageOf, outcomeSchema } from '../runs/outcome';
import type { Statistics } from './stats';

/** How collecting a portal ended: with all of its turns done, or with an error. */
export const collectedSchema = z.union([caughtSchema, z.object({ done: z.literal(true) })]);
export type Collected = z.output<typeof collectedSchema>;

/** The error that ended the collecting of a portal before all of its jobs were tried. */
export const faultOf = (collected: Collected): string | undefined =>
  'Error' in collected ? messageOf(collected) : undefined;

const portalOutcomeSchema = outcomeSchema.extend({ portal: z.string() });
/** What `MergePortal` returns for a portal. */
export type PortalOutcome = z.output<typeof portalOutcomeSchema>;

/** A portal whose files could not be written. */
const portalFailedSchema = caughtOutcomeSchema.extend({ portal: z.string(), collected: collectedSchema });

/** What the Netlife branch of the state machine ends with. */
export const netlifeOutcomeSchema = z.union([
  caughtOutcomeSchema,
  z.object({ portals: z.array(z.union([portalOutcomeSchema, portalFailedSchema])) }),
]);

/** A photo job of a portal that failed. */
export const failedJobSchema = z.object({ job_uuid: z.string(), error: z.string(), error_code: z.string() });
export type FailedJob = z.output<typeof failedJobSchema>;

/** How many rows, contacts or jobs are missing in the result of a portal, and why. */
export interface MissingReason {
  readonly outcome: 'rejected' | 'left out' | 'failed';
  readonly error_code?: string | undefined;
  /** Without personal data. */
  readonly reason: string;
  readonly count: number;
}

/** What a run would need that collects the same as a dry run, at the portal's limit. */
export const neededSchema = z.object({ jobs: z.number(), calls: z.number(), minutes: z.number() });
export type Needed = z.output<typeof neededSchema>;

/** `netlife/<portal>/stats.json`. */
export interface PortalReport extends Statistics {
  readonly portal: string;
  readonly failed_jobs: readonly FailedJob[];
  /** The ids of the run's `job_ids` that this portal does not sell. */
  readonly jobs_not_on_sale: readonly string[];
  /** Jobs that failed or have rejected rows, for the `job_ids` of another run; at most 1,000. */
  readonly jobs_to_repeat: readonly string[];
  /** The most frequent first. */
  readonly reasons: readonly MissingReason[];
  /** Median of the contacts of the seven runs before; absent if there are fewer than three. */
  readonly usual_contacts?: number | undefined;
  readonly warnings: readonly string[];
  /** Of a dry run. */
  readonly needed?: Needed | undefined;
}
