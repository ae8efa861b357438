import type { Logger } from '@aws-lambda-powertools/logger';
import type { PipelineError } from '../errors';
import type { MetricsRecorder } from './metrics';

export interface Retry {
  readonly error: PipelineError;
  /** The attempt within the call, from 1. Absent when the whole message failed. */
  readonly attempt?: number;
  readonly waitSeconds: number;
  /** How long the order has waited for this worker. Absent in a sync run. */
  readonly ageSeconds?: number;
}

/** Logs and counts a failure that will be retried. `keys` identify the order or run. */
export const reportRetry = (
  logger: Logger,
  metrics: MetricsRecorder,
  keys: Readonly<Record<string, string | number>>,
  { error, attempt, waitSeconds, ageSeconds }: Retry,
): void => {
  logger.warn('a try failed, will retry', {
    ...keys,
    error: error.message,
    error_code: error.code,
    status_code: error.statusCode,
    api: error.api,
    attempt,
    attempt_ms: error.attemptMs,
    wait_seconds: waitSeconds,
    ...(error.api !== undefined && metrics.fields({ ApiRetry: 1, DeferredOrderAge: ageSeconds }, error.api)),
  });
};
