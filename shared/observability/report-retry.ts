import type { Logger } from '@aws-lambda-powertools/logger';
import type { PipelineError } from '../errors';
import type { MetricsRecorder } from './metrics';

export interface Retry {
  readonly error: PipelineError;
  /** The attempt within the call, from 1. Absent when the whole message failed. */
  readonly attempt?: number;
  readonly waitSeconds: number;
}

/** Logs and counts an attempt that failed and will be made again. `keys` identify what was attempted. */
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
