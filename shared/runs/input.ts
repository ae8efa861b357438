import * as z from 'zod';
import { describeIssues } from '../config';
import { exactly, flag, list, oneOf, text, wholeNumber } from '../input-rules';
import { type NetlifeInput, netlifeInputSchema } from '../netlife/input';
import type { Portals } from '../netlife/portals';
import { NamedFailure } from './step';

/** Letters, digits, `-` and `_`: a run's id names a folder. */
export const runIdSchema = z
  .string('must be a string')
  .regex(/^[A-Za-z0-9_-]{1,80}$/, 'must be 1 to 80 letters, digits, "-" or "_"');

export const iterableInputSchema = exactly({
  mode: oneOf(['single', 'bulk']).default('bulk'),
  use_jwt: flag(false),
  plan: oneOf(['free', 'basic', 'pro', 'enterprise']).default('pro'),
  pages: list(text(64)).min(1, 'is empty').default(['pricing', 'settings']),
  days: wholeNumber(1, 3650).default(7),
  /** At most so many users; 0 is no limit. */
  limit: wholeNumber(0, 1_000_000_000).default(0),
});

/** Looked for by itself, so that it is told even when something else is wrong as well. */
const jwtInBulk = z.object({
  iterable: z.object({ use_jwt: z.literal(true), mode: z.literal('bulk').default('bulk') }),
});

/** What one run shall do, checked and complete. A job that is absent does not run. */
export interface RunInput {
  readonly run_id: string;
  readonly dry_run: boolean;
  readonly netlife?: NetlifeInput | undefined;
  readonly iterable?: z.output<typeof iterableInputSchema> | undefined;
}

export type IterableInput = NonNullable<RunInput['iterable']>;

const mostFaults = 50;
const mostCharacters = 500;

/** Faults quote the input, and Step Functions keeps 32,768 characters of a cause: few and short, and fit for a terminal. */
const tellable = (faults: readonly string[]): readonly string[] => {
  const told = faults
    .slice(0, mostFaults)
    .map((fault) => fault.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, mostCharacters));
  return faults.length > mostFaults ? [...told, `and ${faults.length - mostFaults} more`] : told;
};

/** The input is refused: nothing was called. The execution fails with this name as its error. */
export class InvalidInput extends NamedFailure {
  override readonly name = 'InvalidInput';
  override readonly code = 'INVALID_INPUT';

  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    const told = tellable(faults);
    super(`The input of the run is not valid: ${told.join('; ')}`);
    this.faults = told;
  }
}

/**
 * Reads the input of an execution (docs/contracts/sync-jobs.md). Every key is optional; when neither job is named, both run.
 *
 * @param executionName taken as the run's id when the input has none
 * @throws {InvalidInput} with every fault at once
 */
export const readRunInput = (input: unknown, executionName: string, portals: Portals): RunInput => {
  const schema = exactly({
    run_id: runIdSchema.default(executionName).pipe(runIdSchema),
    dry_run: flag(false),
    netlife: netlifeInputSchema(portals).optional(),
    iterable: iterableInputSchema.optional(),
  });
  const parsed = schema.safeParse(input);
  const faults = describeIssues(parsed.error?.issues ?? []).map(
    ({ path, message }) => `${path || 'the input'} ${message}`,
  );
  if (jwtInBulk.safeParse(input).success) {
    faults.push('iterable.use_jwt cannot be used with mode "bulk": a JWT key may not use the bulk calls');
  }
  if (!parsed.success || faults.length > 0) throw new InvalidInput(faults);
  const { run_id, dry_run, netlife, iterable } = parsed.data;
  if (netlife ?? iterable) return { run_id, dry_run, ...(netlife && { netlife }), ...(iterable && { iterable }) };
  return { run_id, dry_run, netlife: netlifeInputSchema(portals).parse({}), iterable: iterableInputSchema.parse({}) };
};
