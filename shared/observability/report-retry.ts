import type { Logger } from '@aws-lambda-powertools/logger';
import type { PipelineError } from '../errors';
import type { MetricsRecorder } from './metrics';

export interface Retry {
  readonly error: PipelineError;
  /** The attempt within the call, from 1. Absent when the whole message failed. */
  readonly attempt?: number;
  readonly waitSeconds: number;
}

/** Logs and counts a failure that will be retried. `keys` identify the order or run. */
export const reportRetry = (
  logger: Logger,
  metrics: MetricsRecorder,
  keys: Readonly<Record<string, string | number>>,
  { error, attempt, waitSeconds }: Retry,
): void => {
  if (error.api !== undefined) metrics.addForApi('ApiRetry', error.api);
  logger.warn('a try failed, will retry', {
    ...keys,
    error: error.message,
    error_code: error.code,
    status_code: error.statusCode,
    api: error.api,
    attempt,
    wait_seconds: waitSeconds,
  });
};
