import * as z from 'zod';
import { errorCodes } from '../errors';

/** What is wrong with something that a run needs. Safe to log and to store. */
export const faultSchema = z.object({
  /** What was checked: `netlife/<portal>`, `iterable/database` or `iterable/key`. */
  check: z.string(),
  error_code: z.enum(errorCodes),
  /** One sentence. */
  message: z.string(),
});
export type Fault = z.output<typeof faultSchema>;

/** What a check Lambda returns. */
const foundSchema = z.object({ faults: z.array(faultSchema) });
export type Found = z.output<typeof foundSchema>;

/** What the state `Preflight` ends with: the faults that each of its branches found. */
export const preflightSchema = z.object({ logins: foundSchema, database: foundSchema, key: foundSchema });

/** All faults that were found before the jobs started. */
export const faultsOf = ({
  preflight,
}: {
  readonly preflight?: z.output<typeof preflightSchema> | undefined;
}): Fault[] => Object.values(preflight ?? {}).flatMap(({ faults }) => faults);
