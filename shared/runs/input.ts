import * as z from 'zod';
import { exactly, flag, oneOf } from '../input-rules';
import { describeIssues } from '../schema';
import { inputSchemas, type JobInputs, type JobSettings, syncJobNames, syncJobs } from './jobs';
import { runIdSchema } from './run-id';
import { NamedFailure } from './step';

/** The validated input of a run, with defaults filled in. A job without a key does not run. */
export interface RunInput extends JobInputs {
  readonly run_id: string;
  readonly dry_run: boolean;
  readonly after: After;
}

/** What a run does if another run is using a limit that it needs: end with an error, wait for it, or end quietly. */
const afters = ['fail', 'wait', 'skip'] as const;
type After = (typeof afters)[number];

const maxFaults = 50;
const maxFaultLength = 500;

/**
 * Faults quote the input, and Step Functions keeps 32,768 characters of a cause. Limits their number and length, and
 * replaces characters that would control a terminal.
 */
const printable = (faults: readonly string[]): readonly string[] => {
  const first = faults
    .slice(0, maxFaults)
    .map((fault) => fault.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, maxFaultLength));
  return faults.length > maxFaults ? [...first, `and ${faults.length - maxFaults} more`] : first;
};

/** The input is refused before anything is called. The execution fails with this name as its error. */
export class InvalidInput extends NamedFailure {
  override readonly name = 'InvalidInput';
  override readonly code = 'INVALID_INPUT';

  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    const reported = printable(faults);
    super(`The input of the run is not valid: ${reported.join('; ')}`);
    this.faults = reported;
  }
}

const anyObject = z.record(z.string(), z.unknown());

/** Conflicts within the jobs' inputs, found even when the schema reports other faults. */
const findConflicts = (input: unknown): string[] => {
  const given = anyObject.safeParse(input).data ?? {};
  return syncJobNames.flatMap((name) => syncJobs[name].findConflicts(given[name]).map((fault) => `${name}.${fault}`));
};

/**
 * The schema of a run's input, without the conflicts between keys.
 *
 * @param executionName the run's id if the input has none
 */
export const runInputSchema = (executionName: string, settings: JobSettings) =>
  exactly({
    run_id: runIdSchema.default(executionName).pipe(runIdSchema),
    dry_run: flag(false),
    after: oneOf(afters).default('fail'),
    ...inputSchemas(settings),
  });

/**
 * Reads the input of an execution (docs/contracts/sync-jobs.md). Every key is optional. If the input names no job, all
 * of them run.
 *
 * @param executionName the run's id if the input has none
 * @throws {InvalidInput} with every fault at once
 */
export const readRunInput = (input: unknown, executionName: string, settings: JobSettings): RunInput => {
  const schema = runInputSchema(executionName, settings);
  const parsed = schema.safeParse(input);
  const faults = [
    ...describeIssues(parsed.error?.issues ?? []).map(({ path, message }) => `${path || 'the input'} ${message}`),
    ...findConflicts(input),
  ];
  if (!parsed.success || faults.length > 0) throw new InvalidInput(faults);
  const { run_id, dry_run, after, ...jobs } = parsed.data;
  if (syncJobNames.some((name) => jobs[name] !== undefined)) return { run_id, dry_run, after, ...jobs };
  return schema.parse({ run_id, dry_run, after, ...Object.fromEntries(syncJobNames.map((name) => [name, {}])) });
};
