import * as z from 'zod';
import { caughtOutcomeSchema, caughtSchema, outcomeSchema } from '../runs/outcome';
import { confirmationSchema } from './confirmation';

const reportOutcomeSchema = outcomeSchema.extend({
  counts: z.record(z.string(), z.number()),
  duration_seconds: z.number(),
  authentication: z.enum(['api_key', 'jwt']).optional(),
  /** Sentences about what is unusual, although the run may have succeeded. */
  warnings: z.array(z.string()).optional(),
  /** Rejected rows and failed users by reason. */
  reasons: z
    .array(
      z.object({
        outcome: z.enum(['rejected', 'failed']),
        error_code: z.string().optional(),
        reason: z.string(),
        count: z.number(),
      }),
    )
    .optional(),
  /** Of a dry run: the calls that the users need at least, and the minutes that these take at the limits. */
  needed: z.object({ users_update: z.number(), events_track: z.number(), minutes: z.number() }).optional(),
  /** The users that were read back. */
  confirmation: confirmationSchema.optional(),
  /** Of a run that compares: names of the changed fields of the first changed users. */
  changed_fields: z.array(z.object({ id: z.string(), fields: z.array(z.string()) })).optional(),
});
/** What `Report` returns. */
export type ReportOutcome = z.output<typeof reportOutcomeSchema>;

/** What the Iterable branch of the state machine ends with. */
export const iterableOutcomeSchema = z.union([
  /** The report failed; `fault` is the error that ended the extraction or the sending before it, if there was one. */
  caughtOutcomeSchema.extend({ fault: caughtSchema.optional() }),
  reportOutcomeSchema,
]);
