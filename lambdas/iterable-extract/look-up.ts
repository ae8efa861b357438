import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { toPipelineError } from '../../shared/errors';
import type { UserSource } from '../../shared/iterable/source';

/** The event with which `pipeline explain` asks why a customer is not sent. */
const schema = z.object({
  customer: z.object({ id: z.string().regex(/^\d{1,19}$/), pages: z.array(z.string()).min(1) }),
});

/** What the database has of a customer, without personal data; or the code of the error that prevented reading it. */
export type LookUpResult =
  | { readonly known: false }
  | { readonly known: true; readonly plan: string | null; readonly viewed_at: string | null }
  | { readonly error_code: string };

/**
 * Looks up the columns of one customer by which the query selects; any other event is for `extract`. An error is a
 * result, because no run depends on it.
 */
export const createLookUp =
  <Result>(
    extract: (event: unknown, context: Context) => Promise<Result>,
    { openSource }: { readonly openSource: () => Promise<UserSource> },
  ) =>
  async (event: unknown, context: Context): Promise<Result | LookUpResult> => {
    const { data } = schema.safeParse(event);
    if (data === undefined) return extract(event, context);
    const { id, pages } = data.customer;
    try {
      for await (const { plan_type, event_time } of (await openSource()).customer(id, pages)) {
        return { known: true, plan: plan_type, viewed_at: event_time };
      }
      return { known: false };
    } catch (thrown) {
      return { error_code: toPipelineError(thrown).code };
    }
  };
