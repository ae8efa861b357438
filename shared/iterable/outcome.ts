import * as z from 'zod';
import { caughtOutcomeSchema, caughtSchema, outcomeSchema } from '../runs/outcome';

const reportOutcomeSchema = outcomeSchema.extend({
  counts: z.record(z.string(), z.number()),
  duration_seconds: z.number(),
});
/** What `Report` returns. */
export type ReportOutcome = z.output<typeof reportOutcomeSchema>;

/** What the Iterable branch of the state machine ends with. */
export const iterableOutcomeSchema = z.union([
  /** The report failed; `fault` is the error that ended the extraction or the sending before it, if there was one. */
  caughtOutcomeSchema.extend({ fault: caughtSchema.optional() }),
  reportOutcomeSchema,
]);
