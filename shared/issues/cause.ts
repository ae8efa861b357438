import { createHash } from 'node:crypto';
import type { ErrorCode, PipelineError } from '../errors';
import type { WorkerName } from '../orders/order';

/** What failures of one issue have in common. Contains no value of an order. */
export interface FailureCause {
  readonly worker: WorkerName;
  readonly code: string;
  readonly statusCode?: number | undefined;
  /** A field path or a code: `properties.state`, `ZZ`, or the code of the error that exhausted the retries. */
  readonly detail?: string | undefined;
}

/**
 * The cause of a failure.
 *
 * @param code the order's error code
 * @param error what the worker caught; with `RETRIES_EXHAUSTED`, its code is part of the detail
 */
export const causeOf = (worker: WorkerName, code: ErrorCode, error: PipelineError): FailureCause => {
  const details = [code === error.code ? undefined : error.code, error.detail].filter((part) => part !== undefined);
  return {
    worker,
    code,
    statusCode: error.statusCode,
    detail: details.length === 0 ? undefined : details.join(' '),
  };
};

/** Eight hex digits: short enough to type, and the same for the same cause in every release. */
export const issueIdOf = ({ worker, code, statusCode = 0, detail = '' }: FailureCause): string =>
  createHash('sha256').update([worker, code, statusCode, detail].join('\n')).digest('hex').slice(0, 8);
