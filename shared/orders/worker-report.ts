import type { Logger } from '@aws-lambda-powertools/logger';
import { type PipelineError, toPipelineError } from '../errors';
import type { MetricsRecorder } from '../observability/metrics';
import { type Retry, reportRetry } from '../observability/report-retry';
import type { Delivery } from './delivery';
import { type DownloadMessage, identify } from './message';
import type { WorkerName } from './order';

export interface WorkerReportOptions {
  readonly worker: WorkerName;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
  readonly now: () => number;
}

/** A failure of an order. Read from the order's item, it has no receive and no cause. */
export interface ReportedFailure {
  readonly code: string;
  readonly message: string;
  /** Absent in an order that an earlier release failed. */
  readonly issueId?: string | undefined;
  readonly receive?: number | undefined;
  readonly cause?: PipelineError;
}

const secondsSince = (ms: number, nowMs: number): number => Math.round((nowMs - ms) / 1_000);

/** The log lines and metrics of a worker, besides those of its step (docs/contracts/logs.md). */
export const createWorkerReport = ({ worker, logger, metrics, now }: WorkerReportOptions) => ({
  orderFailed: (message: DownloadMessage, { code, message: error, issueId, receive, cause }: ReportedFailure): void => {
    logger.error('order failed for good', {
      ...identify(message),
      status: 'FAILED',
      error,
      error_code: code,
      issue_id: issueId,
      status_code: cause?.statusCode,
      attempt_ms: cause?.attemptMs,
      stage_failed: worker,
      receive,
      error_details: cause,
      ...metrics.fields({ OrderFailed: 1 }),
    });
  },

  superseded: (message: DownloadMessage): void =>
    logger.info('message superseded', { ...identify(message), outcome: 'superseded' }),

  willRetry: ({ message, receiveCount, waitingSinceMs }: Delivery<DownloadMessage>, retry: Retry): void =>
    reportRetry(
      logger,
      metrics,
      { ...identify(message), receive: receiveCount },
      // The message waits only once the whole call has failed.
      { ...retry, ...(retry.attempt === undefined && { ageSeconds: secondsSince(waitingSinceMs, now()) }) },
    ),

  /** No call was made, because the circuit was open. Operators see from this line when the order is tried next. */
  deferred: (
    { message, receiveCount, waitingSinceMs }: Delivery<DownloadMessage>,
    { error, waitSeconds }: Retry,
  ): void =>
    logger.info('order waits for an API', {
      ...identify(message),
      error_code: error.code,
      api: error.api,
      receive: receiveCount,
      wait_seconds: waitSeconds,
      ...metrics.fields({ DeferredOrderAge: secondsSince(waitingSinceMs, now()) }, error.api),
    }),

  unreadable: (error: PipelineError): void =>
    logger.error('message cannot be read', { error: error.message, error_code: error.code }),

  /** @param thrown what prevented the decision on `error` from being executed */
  unsettled: (message: DownloadMessage, error: PipelineError, thrown: unknown): void =>
    logger.error('message could not be settled', {
      ...identify(message),
      error: error.message,
      error_code: error.code,
      error_details: toPipelineError(thrown),
    }),
});

export type WorkerReport = ReturnType<typeof createWorkerReport>;
