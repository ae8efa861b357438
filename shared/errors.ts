/**
 * Every `error_code` that a log line, an order or a response may have. The list is closed, because saved queries, alarms and
 * operators depend on it.
 */
export const errorCodes = [
  'ALREADY_RUNNING',
  'API_REFUSED',
  'API_UNAVAILABLE',
  'AWS_FAULT',
  'BAD_ANSWER',
  'BAD_MESSAGE',
  'BAD_PAYLOAD',
  'CHECKSUM_MISMATCH',
  'CIRCUIT_OPEN',
  'COLUMN_MISSING',
  'CONFIG_INVALID',
  'CONNECTION_FAULT',
  'GRAPHQL_ERROR',
  'INTERNAL_FAULT',
  'INVALID_INPUT',
  'ORDER_NOT_FOUND',
  'PAYLOAD_MISSING',
  'PREFLIGHT_FAILED',
  'RATE_LIMITED',
  'RETRIES_EXHAUSTED',
  'RUN_FAILED',
  'RUN_TAKEN_OVER',
  'SECRET_UNREADABLE',
  'TIMEOUT',
  'UNKNOWN_STATE',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** An API that we call. */
export type ApiName = 'qualia' | 'internal' | 'netlife' | 'iterable';

export interface PipelineErrorOptions {
  /** Whether the same call may succeed later. Decided once, where the response is read. */
  readonly retryable: boolean;
  /** The API that was called. */
  readonly api?: ApiName | undefined;
  readonly statusCode?: number | undefined;
  /** The wait in `Retry-After`. If it is at least one second, it takes precedence over every computed wait. */
  readonly retryAfterMs?: number | undefined;
  /**
   * Distinguishes causes with the same code: a field path or a code, from a closed list. Never a value, as it is stored
   * and logged.
   */
  readonly detail?: string | undefined;
  readonly cause?: unknown;
}

/**
 * The error type of the pipeline. Its message is a sentence for the log: no secret, no personal data, no body.
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
  readonly detail: string | undefined;
  /** Duration of the attempt that failed. Set by the client that made it. */
  attemptMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: PipelineErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable;
    this.api = options.api;
    this.statusCode = options.statusCode;
    this.retryAfterMs = options.retryAfterMs;
    this.detail = options.detail;
  }
}

const isAwsServiceError = (error: unknown): error is Error =>
  error instanceof Error && '$metadata' in error && '$fault' in error;

/**
 * Converts anything that was thrown. An error that is not classified yet (a fault of AWS, a bug of ours) is retryable: the
 * order is kept, and with a bug it visibly runs out of receives.
 */
export const toPipelineError = (thrown: unknown): PipelineError => {
  if (thrown instanceof PipelineError) return thrown;
  return isAwsServiceError(thrown)
    ? new PipelineError('AWS_FAULT', `AWS answered ${thrown.name}`, {
        retryable: true,
        detail: thrown.name,
        cause: thrown,
      })
    : new PipelineError('INTERNAL_FAULT', 'Unexpected fault in our own code', { retryable: true, cause: thrown });
};
