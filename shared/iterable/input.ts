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
  /** Maximum number of users; 0 means no limit. */
  limit: wholeNumber(0, 1_000_000_000).default(0),
});

const jwtInBulk = z.object({ use_jwt: z.literal(true), mode: z.literal('bulk').default('bulk') });

/** Faults of keys that are valid by themselves but not together. A refinement would not run beside other faults. */
export const findIterableConflicts = (given: unknown): readonly string[] =>
  jwtInBulk.safeParse(given).success
    ? ['use_jwt cannot be used with mode "bulk": a JWT key cannot make bulk calls']
    : [];

/** The plan of a run that includes the Iterable job. */
export const iterablePlanSchema = planSchema.extend({ iterable: iterableInputSchema });
export type IterablePlan = z.output<typeof iterablePlanSchema>;
