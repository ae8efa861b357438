import { addAbortListener } from 'node:events';
import { setTimeout as sleepFor } from 'node:timers/promises';
import { type ApiName, PipelineError, toPipelineError } from '../errors';
import type { BodyMemory } from './body';
import type { CircuitBreaker } from './circuit-breaker';
import { type ApiResponse, createExchange, type ExchangeOptions, type ExchangeRequest, isSuccess } from './exchange';
import type { Pace } from './pace';
import { readRetryAfterMs } from './retry-after';

export type { ApiResponse } from './exchange';

/** An attempt that failed and is followed by another one within the same call. */
export interface FailedAttempt {
  readonly error: PipelineError;
  readonly attempt: number;
  readonly waitMs: number;
}

export interface ApiClientOptions extends ExchangeOptions {
  /** Timeout of a whole attempt. `attempt` counts from 1. */
  readonly timeoutMs: (attempt: number) => number;
  /** The wait after a failed attempt. A `Retry-After` of at least one second takes precedence. */
  readonly waitMs: (attempt: number) => number;
  /** If the wait is longer, the call fails and the caller decides: waiting in a Lambda costs money. */
  readonly maxWaitMs: number;
  /** Awaited before each attempt. Default: no rate limit. */
  readonly pace?: Pace;
  readonly breaker?: CircuitBreaker;
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** The limits of a call. */
export interface CallContext {
  /** Epoch ms. Attempts are cut off here, and no wait (pace or backoff) extends beyond it. */
  readonly deadlineMs: number;
  /** An abort has the effect of the deadline, except that an attempt under way may finish. */
  readonly signal?: AbortSignal;
  /**
   * Awaited before every attempt, after the pace, unless it returns `undefined`; then the attempt waits for another slot
   * of the pace. An error that it throws ends the call like an error of the API.
   */
  readonly keepLeases?: () => Promise<void> | undefined;
  readonly onRetry: (failed: FailedAttempt) => void;
  /** For the bodies of responses. Default: unlimited. */
  readonly memory?: BodyMemory;
}

export interface Call<T> extends ExchangeRequest {
  /** Reads the response. Throws a {@link PipelineError} whose `retryable` decides about another attempt. */
  readonly read: (response: ApiResponse) => T;
  readonly context: CallContext;
  /** Default: the client's. */
  readonly timeoutMs?: (attempt: number) => number;
  /** Default: the client's. */
  readonly pace?: Pace;
  /**
   * Awaited immediately before every attempt, after the pace and the circuit check. An error that it throws ends the call
   * unchanged: it is not retried, and the circuit breaker counts it neither as a failure nor as a success.
   */
  readonly beforeAttempt?: () => Promise<void>;
  /** Called when an attempt is sent. */
  readonly onAttempt?: () => void;
  /** Called before another attempt, in case the failed one took effect. A result other than undefined ends the call. */
  readonly findCompleted?: () => Promise<T | undefined>;
}

/** Carries an error of `beforeAttempt` past the handling of the API's failures. */
class CallStopped {
  constructor(readonly thrown: unknown) {}
}

/** No attempt starts with less time left than this. */
const minAttemptMs = 1_000;
const maxTimerMs = 2 ** 31 - 1;

/**
 * The deadline or the signal ended the call before its last attempt. It has the code of the newest attempt's error, or
 * `TIMEOUT` if there was no attempt.
 */
export class OutOfTimeError extends PipelineError {
  constructor(
    api: ApiName,
    /** How long to wait before the next attempt. */
    readonly waitMs: number,
    /** Undefined if no attempt was made. */
    readonly lastAttempt?: PipelineError,
  ) {
    super(lastAttempt?.code ?? 'TIMEOUT', lastAttempt?.message ?? `There was no time left to call the ${api} API`, {
      api,
      retryable: true,
      statusCode: lastAttempt?.statusCode,
      retryAfterMs: lastAttempt?.retryAfterMs,
      detail: lastAttempt?.detail,
      cause: lastAttempt,
    });
  }
}

/**
 * Classifies a response by its status: 2xx passes; 408, 425, 429 and 5xx are retryable; anything else is permanent. A
 * `Retry-After` above `maxRetryAfterMs` is reduced to it.
 *
 * @throws {PipelineError} `RATE_LIMITED`, `API_UNAVAILABLE` (retryable) or `API_REFUSED` (permanent)
 */
export const expectSuccess = (
  { statusCode, headers }: ApiResponse,
  api: ApiName,
  nowMs: number,
  maxRetryAfterMs = Number.POSITIVE_INFINITY,
): void => {
  if (isSuccess(statusCode)) return;
  const retryable = [408, 425, 429].includes(statusCode) || statusCode >= 500;
  const code = statusCode === 429 ? 'RATE_LIMITED' : retryable ? 'API_UNAVAILABLE' : 'API_REFUSED';
  const retryAfterMs = retryable ? readRetryAfterMs(headers['retry-after'], nowMs) : undefined;
  throw new PipelineError(code, `The ${api} API answered ${statusCode}`, {
    api,
    retryable,
    statusCode,
    retryAfterMs: retryAfterMs === undefined ? undefined : Math.min(retryAfterMs, maxRetryAfterMs),
  });
};

const runAlways: CircuitBreaker = async (run, before) => {
  await before?.();
  return run();
};

/** A client for one API: a connection pool, retries with backoff, and optionally a pace and a circuit breaker. */
export const createApiClient = (options: ApiClientOptions) => {
  const { api, now, sleep = sleepFor, breaker = runAlways } = options;
  const exchange = createExchange(options);

  /** @throws {OutOfTimeError} when too little time is left for an attempt */
  const timeLeft = ({ deadlineMs, signal }: CallContext): number => {
    const leftMs = deadlineMs - now();
    if (leftMs < minAttemptMs || signal?.aborted) throw new OutOfTimeError(api, 0);
    return leftMs;
  };

  /** Below one second, the header (0, or a date in the past, maybe only by our clock) gives no usable wait. */
  const waitAfter = ({ retryAfterMs = 0 }: PipelineError, attempt: number): number =>
    retryAfterMs >= 1_000 ? retryAfterMs : Math.max(retryAfterMs, options.waitMs(attempt));

  /** Waits until `done`, the deadline or the signal, whichever is first. */
  const waitInTime = async (done: Promise<unknown>, { deadlineMs, signal }: CallContext): Promise<void> => {
    const ended = Promise.withResolvers<void>();
    const timer = setTimeout(ended.resolve, Math.min(deadlineMs - now(), maxTimerMs));
    const listening = signal && addAbortListener(signal, () => ended.resolve());
    try {
      await Promise.race([done, ended.promise]);
    } finally {
      clearTimeout(timer);
      listening?.[Symbol.dispose]();
    }
  };

  const attemptOnce = async <T>(call: Call<T>, attempt: number): Promise<T> => {
    const { read, context, timeoutMs = options.timeoutMs, pace = options.pace, beforeAttempt, onAttempt } = call;
    const waitForSlot = async (): Promise<void> => {
      timeLeft(context);
      if (pace !== undefined) await waitInTime(pace(), context);
    };
    await waitForSlot();
    const kept = context.keepLeases?.();
    if (kept !== undefined) {
      await kept;
      // The slot has passed: calls that waited for the same renewal must not all be sent at once. The renewed leases hold
      // much longer than this second wait.
      await waitForSlot();
    }
    let leftMs = timeLeft(context);
    const before = async (): Promise<void> => {
      if (beforeAttempt === undefined) return;
      const done = beforeAttempt().catch((thrown: unknown) => {
        throw new CallStopped(thrown);
      });
      await waitInTime(done, context);
      leftMs = timeLeft(context);
    };
    return breaker(async () => {
      onAttempt?.();
      return read(await exchange.send(call, Math.min(timeoutMs(attempt), leftMs), attempt, context.memory));
    }, before);
  };

  let lastResponseAtMs: number | undefined;

  return {
    /** Time of the API's last response that needed no retry, including refusals; epoch ms. */
    lastResponseAtMs: (): number | undefined => lastResponseAtMs,

    /**
     * @throws {OutOfTimeError} when the deadline or the signal ended the call before its last attempt
     * @throws {BodyPostponedError} when there is no memory for a response now
     * @throws {PipelineError} the error of the last attempt; `CIRCUIT_OPEN` only if no attempt was made; and errors of
     * `beforeAttempt` and `findCompleted`
     */
    call: async <T>(call: Call<T>): Promise<T> => {
      let failedBefore: PipelineError | undefined;
      for (let attempt = 1; ; attempt++) {
        const startedAtMs = now();
        try {
          const value = await attemptOnce(call, attempt);
          lastResponseAtMs = now();
          return value;
        } catch (thrown) {
          if (thrown instanceof CallStopped) throw thrown.thrown;
          const error = toPipelineError(thrown);
          error.attemptMs = now() - startedAtMs;
          if (!error.retryable) lastResponseAtMs = now();
          if (error.code === 'CIRCUIT_OPEN') throw failedBefore ?? error;
          if (error instanceof OutOfTimeError || !error.retryable) throw error;
          const isLast = attempt >= options.maxAttempts;
          // The deadline may also have cut off the last attempt.
          const waitMs = isLast ? 0 : waitAfter(error, attempt);
          if (waitMs > options.maxWaitMs) throw error;
          const { deadlineMs, signal, onRetry } = call.context;
          if (now() + waitMs + minAttemptMs > deadlineMs || signal?.aborted)
            throw new OutOfTimeError(api, waitMs, error);
          if (isLast) throw error;
          onRetry({ error, attempt, waitMs });
          failedBefore = error;
          await waitInTime(sleep(Math.min(waitMs, maxTimerMs)), call.context);
          timeLeft(call.context);
          const done = await call.findCompleted?.();
          if (done !== undefined) return done;
        }
      }
    },

    close: exchange.close,
  };
};

export type ApiClient = ReturnType<typeof createApiClient>;
