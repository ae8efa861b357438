import * as z from 'zod';
import { exactly, flag, list, oneOf, text, wholeNumber } from '../input-rules';
import { planSchema } from '../runs/plan';

/** The key `iterable` of a run's input, with its defaults (docs/contracts/sync-jobs.md). */
export const iterableInputSchema = exactly({
  mode: oneOf(['single', 'bulk']).default('bulk'),
  use_jwt: flag(false),
  plan: oneOf(['free', 'basic', 'pro', 'enterprise']).default('pro'),
  pages: list(text(64)).min(1, 'is empty').default(['pricing', 'settings']),
  days: wholeNumber(1, 3650).default(7),
  /** `rows` sends the rows of `iterable/rows.csv` in the run's folder instead of the query's. */
  source: oneOf(['query', 'rows']).default('query'),
  /** Maximum number of users; 0 means no limit. */
  limit: wholeNumber(0, 1_000_000_000).default(0),
  /** Number of sent users to read back and compare; 0: none. */
  confirm: wholeNumber(0, 100).default(20),
  /** Sends only users that differ from what Iterable acknowledged in an earlier run. */
  only_changed: flag(false),
  /** With `only_changed`: sends everyone, and remembers it. */
  full: flag(false),
  /** With `only_changed`: what happens to users who left the query. `clear` sets `recent_page_view` to false. */
  on_removed: oneOf(['ignore', 'clear']).default('ignore'),
});

const fullWithoutComparison = z.object({ full: z.literal(true), only_changed: z.literal(false).default(false) });
const clearWithoutComparison = z.object({
  on_removed: z.literal('clear'),
  only_changed: z.literal(false).default(false),
});
const comparedRows = z.object({ source: z.literal('rows'), only_changed: z.literal(true) });
const jwtInBulk = z.object({ use_jwt: z.literal(true), mode: z.literal('bulk').default('bulk') });

const conflicts: readonly (readonly [z.ZodType, fault: string])[] = [
  [jwtInBulk, 'use_jwt cannot be used with mode "bulk": a JWT key cannot make bulk calls'],
  [fullWithoutComparison, 'full needs only_changed: a run without it always sends everyone'],
  [comparedRows, 'only_changed cannot be used with source "rows": a file says nothing about the users that it lacks'],
  [clearWithoutComparison, 'on_removed needs only_changed: a run without it does not know who left the query'],
];

/** Faults of keys that are valid by themselves but not together. A refinement would not run beside other faults. */
export const findIterableConflicts = (given: unknown): readonly string[] =>
  conflicts.flatMap(([schema, fault]) => (schema.safeParse(given).success ? [fault] : []));

/** The plan of a run that includes the Iterable job. */
export const iterablePlanSchema = planSchema.extend({ iterable: iterableInputSchema });
export type IterablePlan = z.output<typeof iterablePlanSchema>;
