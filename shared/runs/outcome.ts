import * as z from 'zod';
import { parseJson } from '../json';

/** An error as a catcher of the state machine keeps it: its name, and Lambda's description of it as JSON. */
export const caughtSchema = z.object({ Error: z.string(), Cause: z.string().default('') });
type Caught = z.output<typeof caughtSchema>;

/** A branch, or a portal's part of one, that an error ended. */
export const caughtOutcomeSchema = z.object({ error: caughtSchema });

/**
 * From the best to the worst. `PARTIAL`: something that was to be collected or sent is missing, but less than makes it
 * FAILED (docs/contracts/sync-jobs.md).
 */
export const outcomeStatuses = ['SUCCEEDED', 'PARTIAL', 'FAILED'] as const;
export type OutcomeStatus = (typeof outcomeStatuses)[number];

/** The status of a whole, from those of its parts. */
export const worstOf = (statuses: readonly OutcomeStatus[]): OutcomeStatus =>
  outcomeStatuses.findLast((status) => statuses.includes(status)) ?? 'SUCCEEDED';

/** The status of a job or portal that has failed, or whose result is not complete. */
export const statusIf = ({ failed, incomplete }: Readonly<Record<'failed' | 'incomplete', boolean>>): OutcomeStatus => {
  if (failed) return 'FAILED';
  return incomplete ? 'PARTIAL' : 'SUCCEEDED';
};

/** What a job, or one portal of a job, ends with unless an error ended its branch. */
export const outcomeSchema = z.object({
  status: z.enum(outcomeStatuses),
  /** One sentence. */
  message: z.string(),
  /** Keys in the artifacts bucket. */
  reports: z.array(z.string()),
});

const lambdaErrorSchema = z.object({ errorMessage: z.string() });

/** The message of a caught error. Lambda describes an error as JSON; any other cause is plain text. */
export const messageOf = ({ Error: name, Cause }: Caught): string => {
  const message = lambdaErrorSchema.safeParse(parseJson(Cause)).data?.errorMessage ?? Cause;
  return message === '' ? name : message;
};
