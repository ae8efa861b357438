import type { Logger } from '@aws-lambda-powertools/logger';
import type { CallRecord } from '../http/exchange';

/**
 * Writes a DEBUG line for each attempt of a call to an API. The duration is not named `response_time_ms`, because the saved
 * queries on that field would count the call twice.
 */
export const logCalls =
  (logger: Logger) =>
  ({ api, method, path, attempt, statusCode, errorCode, durationMs, about }: CallRecord): void =>
    logger.debug('api called', {
      ...about,
      api,
      method,
      path,
      attempt,
      status_code: statusCode,
      error_code: errorCode,
      duration_ms: Math.round(durationMs * 10) / 10,
    });
