import * as z from 'zod';
import { parseJson } from '../json';

/** An error as a catcher of the state machine keeps it: its name, and Lambda's description of it as JSON. */
export const caughtSchema = z.object({ Error: z.string(), Cause: z.string().default('') });
type Caught = z.output<typeof caughtSchema>;

/** A branch, or a portal's part of one, that an error ended. */
export const caughtOutcomeSchema = z.object({ error: caughtSchema });

/** What a job, or one portal of a job, ends with unless an error ended its branch. */
export const outcomeSchema = z.object({
  status: z.enum(['SUCCEEDED', 'FAILED']),
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
