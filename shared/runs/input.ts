import * as z from 'zod';
import { describeIssues } from '../config';

/** Letters, digits, `-` and `_`: a run's id names a folder. */
export const runIdSchema = z
  .string('must be a string')
  .regex(/^[A-Za-z0-9_-]{1,80}$/, 'must be 1 to 80 letters, digits, "-" or "_"');

const flag = (byDefault: boolean) => z.boolean('must be true or false').default(byDefault);

const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, `must be one of ${values.map((value) => `"${value}"`).join(', ')}`);

const text = (maxLength: number) => z.string('must be a string').min(1, 'is empty').max(maxLength, 'is too long');

const list = <T extends z.ZodType>(item: T) => z.array(item, 'must be a list');

const wholeNumber = (min: number, max: number) =>
  z
    .int(`must be a whole number from ${min} to ${max}`)
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`);

const netlifeSchema = (portals: readonly string[]) => {
  const portal = z
    .string('must be a string')
    .refine((name) => portals.includes(name), { error: ({ input }) => `there is no portal ${JSON.stringify(input)}` });
  return z.strictObject({
    portals: list(portal)
      .min(1, 'is empty')
      .transform((names) => [...new Set(names)])
      .default([...portals]),
    audience: oneOf(['buyers', 'non-buyers', 'both']).default('both'),
    contact_filter: oneOf(['phone-only', 'email-only', 'any']).default('any'),
    check_registered_users: flag(true),
    registered_only: flag(false),
    create_access_keys: flag(false),
    /** Only these jobs; none named, all. */
    job_ids: list(text(128)).default([]),
    /** Goes into both consent columns of the contacts. */
    consent: text(64).default('SUBSCRIBE'),
  });
};

const iterableSchema = z
  .strictObject({
    mode: oneOf(['single', 'bulk']).default('bulk'),
    use_jwt: flag(false),
    plan: oneOf(['free', 'basic', 'pro', 'enterprise']).default('pro'),
    pages: list(text(64)).min(1, 'is empty').default(['pricing', 'settings']),
    days: wholeNumber(1, 3650).default(7),
    /** At most so many users; 0 is no limit. */
    limit: wholeNumber(0, 1_000_000_000).default(0),
  })
  .refine(({ mode, use_jwt }) => !(use_jwt && mode === 'bulk'), {
    path: ['use_jwt'],
    error: 'cannot be used with mode "bulk": a JWT key may not use the bulk calls',
  });

/** What one run shall do, checked and complete. A job that is absent does not run. */
export interface RunInput {
  readonly run_id: string;
  readonly dry_run: boolean;
  readonly netlife?: z.output<ReturnType<typeof netlifeSchema>> | undefined;
  readonly iterable?: z.output<typeof iterableSchema> | undefined;
}

export type NetlifeInput = NonNullable<RunInput['netlife']>;
export type IterableInput = NonNullable<RunInput['iterable']>;

/** The input is refused: nothing was called. The execution fails with this name as its error. */
export class InvalidInput extends Error {
  override readonly name = 'InvalidInput';

  constructor(readonly faults: readonly string[]) {
    super(`The input of the run is not valid: ${faults.join('; ')}`);
  }
}

/**
 * Reads the input of an execution (contracts: sync-jobs.md). Every key is optional; when neither job is named, both run.
 *
 * @param executionName taken as the run's id when the input has none
 * @param portals names of the portals there are
 * @throws {InvalidInput} with every fault at once
 */
export const readRunInput = (input: unknown, executionName: string, portals: readonly string[]): RunInput => {
  const schema = z.strictObject(
    {
      run_id: runIdSchema.default(executionName).pipe(runIdSchema),
      dry_run: flag(false),
      netlife: netlifeSchema(portals).optional(),
      iterable: iterableSchema.optional(),
    },
    { error: (issue) => (issue.code === 'invalid_type' ? 'must be a JSON object' : undefined) },
  );
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    throw new InvalidInput(
      describeIssues(parsed.error.issues).map(({ path, message }) => (path === '' ? message : `${path} ${message}`)),
    );
  }
  const { run_id, dry_run, netlife, iterable } = parsed.data;
  if (netlife ?? iterable) return { run_id, dry_run, ...(netlife && { netlife }), ...(iterable && { iterable }) };
  return { run_id, dry_run, netlife: netlifeSchema(portals).parse({}), iterable: iterableSchema.parse({}) };
};
