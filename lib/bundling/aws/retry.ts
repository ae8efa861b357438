/** Retries like the SDK's standard mode: the same classification, waits and quota. */

const throttling = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionInProgressException',
]);
const transient = new Set(['TimeoutError', 'RequestTimeout', 'RequestTimeoutException']);
const transientStatuses = [500, 502, 503, 504];
const lostConnection = new Set([
  ...['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT'],
  ...['EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'],
]);

/** What a failed attempt tells about the next. */
export interface AttemptError extends Error {
  readonly code?: unknown;
  $metadata?: {
    readonly httpStatusCode?: number | undefined;
    /** The clock was wrong, and the next attempt is signed with the right time. */
    readonly clockSkewCorrected?: boolean;
    attempts?: number;
    totalRetryDelay?: number;
  };
  /** When the server allows the next attempt, in ms from the response. */
  readonly retryAfterMs?: number | undefined;
}

/** @returns undefined if the same request would fail again */
export const retryReasonOf = (error: AttemptError): 'throttling' | 'transient' | undefined => {
  const { httpStatusCode = 0, clockSkewCorrected = false } = error.$metadata ?? {};
  if (httpStatusCode === 429 || throttling.has(error.name)) return 'throttling';
  const isTransient =
    clockSkewCorrected ||
    transient.has(error.name) ||
    lostConnection.has(String(error.code)) ||
    transientStatuses.includes(httpStatusCode) ||
    (error.name === 'InvalidSignatureException' && error.message.includes('Signature expired'));
  return isTransient ? 'transient' : undefined;
};

export interface RetryOptions {
  readonly maxAttempts: number;
  /** The longest wait before the second attempt. It doubles with every further one. */
  readonly baseDelayMs: number;
}

const throttlingDelayMs = 1_000;
const maxDelayMs = 20_000;
/** How much longer than its own wait a client waits because a server asks for it. */
const maxExtraMs = 5_000;
const quota = 500;
const costs = { throttling: 5, transient: 14 } as const;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Retries of one client. A quota limits them: an outage costs at most 35 retries in a row, and each success gives some back.
 *
 * @returns a function that makes attempts until one succeeds, or the error of the last one
 */
export const createRetries = ({ maxAttempts, baseDelayMs }: RetryOptions) => {
  let left = quota;

  return async <T>(makeAttempt: (attempt: number) => Promise<T>) => {
    let totalRetryDelay = 0;
    let cost = 0;
    for (let attempts = 1; ; attempts++) {
      try {
        const result = await makeAttempt(attempts);
        left = Math.min(quota, left + (cost || 1));
        return { result, attempts, totalRetryDelay };
      } catch (thrown) {
        if (typeof thrown !== 'object' || thrown === null) throw thrown;
        const error = thrown as AttemptError;
        const reason = retryReasonOf(error);
        if (reason === undefined || attempts >= maxAttempts || left < costs[reason]) {
          error.$metadata = { ...error.$metadata, attempts, totalRetryDelay };
          throw error;
        }
        cost = costs[reason];
        left -= cost;
        const base = reason === 'throttling' ? throttlingDelayMs : baseDelayMs;
        const ownMs = Math.floor(Math.random() * Math.min(base * 2 ** (attempts - 1), maxDelayMs));
        const delayMs = Math.max(ownMs, Math.min(error.retryAfterMs ?? 0, ownMs + maxExtraMs));
        totalRetryDelay += delayMs;
        await wait(delayMs);
      }
    }
  };
};
