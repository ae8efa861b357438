/**
 * Every `error_code` that a log line, an order or an answer may carry: a closed list, because saved queries, alarms and
 * people depend on it.
 */
export const errorCodes = [
  'API_REFUSED',
  'API_UNAVAILABLE',
  'AWS_FAULT',
  'BAD_ANSWER',
  'BAD_MESSAGE',
  'BAD_PAYLOAD',
  'CHECKSUM_MISMATCH',
  'CIRCUIT_OPEN',
  'CONFIG_INVALID',
  'CONNECTION_FAULT',
  'GRAPHQL_ERROR',
  'INTERNAL_FAULT',
  'INVALID_INPUT',
  'ORDER_NOT_FOUND',
  'PAYLOAD_MISSING',
  'RATE_LIMITED',
  'RETRIES_EXHAUSTED',
  'RUN_FAILED',
  'RUN_TAKEN_OVER',
  'SECRET_UNREADABLE',
  'TIMEOUT',
  'UNKNOWN_STATE',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** Which of the APIs that we call. */
export type ApiName = 'qualia' | 'internal' | 'netlife' | 'iterable';

export interface PipelineErrorOptions {
  /** Whether the same call may succeed later. Decided once, where the answer is read. */
  readonly retryable: boolean;
  /** The API that answered, or did not. */
  readonly api?: ApiName | undefined;
  readonly statusCode?: number | undefined;
  /** What `Retry-After` asked for. From a second on, it takes precedence over every computed wait. */
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/**
 * The one error of the pipeline. Its message is a sentence fit for a log: no secret, no personal data, no body.
 *
 * A `SyntaxError` of `JSON.parse` is never passed as `cause`: its message quotes the input.
 */
export class PipelineError extends Error {
  override readonly name = 'PipelineError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly api: ApiName | undefined;
  readonly statusCode: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: PipelineErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable;
    this.api = options.api;
    this.statusCode = options.statusCode;
    this.retryAfterMs = options.retryAfterMs;
  }
}

const isAwsServiceError = (error: unknown): error is Error =>
  error instanceof Error && '$metadata' in error && '$fault' in error;

/**
 * Gives a shape to whatever was thrown. What nobody judged before (a fault of AWS, a bug of ours) is retryable: the
 * order is kept, and runs out of receives visibly if it was a bug.
 */
export const toPipelineError = (thrown: unknown): PipelineError => {
  if (thrown instanceof PipelineError) return thrown;
  return isAwsServiceError(thrown)
    ? new PipelineError('AWS_FAULT', `AWS answered ${thrown.name}`, { retryable: true, cause: thrown })
    : new PipelineError('INTERNAL_FAULT', 'Unexpected fault in our own code', { retryable: true, cause: thrown });
};
