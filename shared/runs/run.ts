import * as z from 'zod';
import { PipelineError } from '../errors';
import { outcomeStatuses } from './outcome';

const counterSchema = z.object({
  done: z.number(),
  /** Absent while it is unknown. */
  total: z.number().optional(),
  rate_per_second: z.number().optional(),
  updated_at: z.string(),
});

/** Progress of a portal or of a step of a job, such as `netlife/nowandforeverphoto` or `iterable/push`. */
export type Counter = Omit<z.output<typeof counterSchema>, 'updated_at'>;

const runSchema = z.object({
  run_id: z.string(),
  /** `WAITING`: for another run. `SKIPPED`: not started, because of another run. */
  status: z.enum(['RUNNING', 'WAITING', 'STOPPED', 'SKIPPED', ...outcomeStatuses]),
  input: z.record(z.string(), z.unknown()),
  /** The newest execution that has worked on the run. */
  execution_arn: z.string(),
  started_at: z.string(),
  updated_at: z.string(),
  finished_at: z.string().optional(),
  counters: z.record(z.string(), counterSchema),
  /** The newest message, one sentence. */
  message: z.string().optional(),
  /** Keys of the run's reports in the artifacts bucket. */
  reports: z.array(z.string()).optional(),
  /** The vendors' limits that the run uses alone, such as `netlife/nowandgen`. Absent if an older release started it. */
  leases: z.array(z.string()).optional(),
  /** How often the run has taken its leases. */
  lease_generation: z.number().optional(),
  /** The leases hold until then, as long as the run is RUNNING. */
  leased_until: z.string().optional(),
  /** Since when the run has been waiting for another one. */
  waiting_since: z.string().optional(),
});

/** A run, as stored in the SyncRuns table. */
export type Run = z.output<typeof runSchema>;

/** @throws {PipelineError} `INTERNAL_FAULT`, permanent, if the item is not a run */
export const readRun = (item: unknown): Run => {
  const parsed = runSchema.safeParse(item);
  if (parsed.success) return parsed.data;
  throw new PipelineError('INTERNAL_FAULT', 'An item of the SyncRuns table cannot be read', { retryable: false });
};
