import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import type * as z from 'zod';
import { type ErrorCode, PipelineError, toPipelineError } from '../errors';
import type { MetricsRecorder } from '../observability/metrics';
import { describeIssues } from '../schema';

/** A failure with its own error name, which the state machine and people who look at the execution see. */
export abstract class NamedFailure extends Error {
  abstract override readonly name: string;
  abstract readonly code: ErrorCode;
}

export interface StepOptions<Event, Result> {
  /** Name in the log, such as `netlife_collect`. */
  readonly step: string;
  readonly schema: z.ZodType<Event>;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
  /** Fields of every log line of this invocation: `run_id`, `portal`. */
  readonly keys: (event: Event) => Readonly<Record<string, string>>;
  readonly run: (event: Event, context: Context) => Promise<Result>;
}

/**
 * The Lambda of one state of `SyncJobs`. Logs its start; `run` logs the end, with its counts. The catchers and retriers
 * of the state machine match the name of a thrown error. Its message is one sentence, safe to log.
 */
export const createStep = <Event, Result>(options: StepOptions<Event, Result>) => {
  const { step, schema, logger, metrics, keys, run } = options;
  const read = (event: unknown): Event => {
    const parsed = schema.safeParse(event);
    if (parsed.success) return parsed.data;
    const faults = describeIssues(parsed.error.issues).map(({ path, message }) => `${path} ${message}`);
    throw new PipelineError('BAD_MESSAGE', `The state is not what the step takes: ${faults.join('; ')}`, {
      retryable: false,
    });
  };

  return async (event: unknown, context: Context): Promise<Result> => {
    logger.addContext(context);
    try {
      const state = read(event);
      logger.appendKeys(keys(state));
      logger.info('sync step', { step, phase: 'started' });
      return await run(state, context);
    } catch (thrown) {
      const error = thrown instanceof NamedFailure ? thrown : toPipelineError(thrown);
      logger.error('sync step failed', { step, error: error.message, error_code: error.code, error_details: error });
      throw error;
    } finally {
      logger.resetKeys();
      metrics.flush();
    }
  };
};
