import { addAbortListener } from 'node:events';
import { setTimeout as sleepFor } from 'node:timers/promises';
import { type ApiName, PipelineError, toPipelineError } from '../errors';
import type { CircuitBreaker } from './circuit-breaker';
import { type ApiResponse, createExchange, type ExchangeOptions, type ExchangeRequest, isSuccess } from './exchange';
import type { Pace } from './pace';
import { readRetryAfterMs } from './retry-after';

export type { ApiResponse } from './exchange';

/** A try that failed and will be made again within the same call. */
export interface FailedAttempt {
  readonly error: PipelineError;
  readonly attempt: number;
  readonly waitMs: number;
}

export interface ApiClientOptions extends ExchangeOptions {
  /** A try's whole time; `attempt` counts from 1. */
  readonly timeoutMs: (attempt: number) => number;
  /** The wait after the n-th failed try. A `Retry-After` of at least a second takes precedence. */
  readonly waitMs: (attempt: number) => number;
  /** A longer wait than this is left to the caller: the time of a Lambda is paid for. */
  readonly maxWaitMs: number;
  /** Held before each try, where the API has a rate limit. */
  readonly pace?: Pace;
  readonly breaker?: CircuitBreaker;
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** What a call is made within. */
export interface CallContext {
  /** Epoch ms. No try goes on beyond it, and none is waited for, by pace or by backoff, that would begin too late. */
  readonly deadlineMs: number;
  /** Aborted, it is as if the deadline had come: what is on the wire ends, nothing else begins. */
  readonly signal?: AbortSignal;
  readonly onRetry: (failed: FailedAttempt) => void;
}

export interface Call<T> extends ExchangeRequest {
  /** Reads the answer, and throws a {@link PipelineError} that says whether another try makes sense. */
  readonly read: (answer: ApiResponse) => T;
  readonly context: CallContext;
  /** In place of the client's own. */
  readonly timeoutMs?: (attempt: number) => number;
  /** In place of the client's own. */
  readonly pace?: Pace;
  /**
   * Awaited immediately before every try, after the pace and the circuit check. What it throws ends the call as it is:
   * it is not retried, is no failure of the API for the circuit breaker, and is not an answer.
   */
  readonly beforeAttempt?: () => Promise<void>;
  /** Told of each try as it is sent. */
  readonly onAttempt?: () => void;
  /** Asked before another try: what the failed one may have done all the same. If something, that is the call's value. */
  readonly findCompleted?: () => Promise<T | undefined>;
}

/** Carries what `beforeTry` threw past the handling of the API's failures. */
class CallStopped {
  constructor(readonly thrown: unknown) {}
}

/** With less time left than this, a try is not worth its start. */
const minTryMs = 1_000;
const longestTimerMs = 2 ** 31 - 1;

/**
 * The deadline or the signal came before the call had had all of its tries: with more time there would have been
 * another. It carries what the newest try came to, where there was one, else `TIMEOUT`.
 */
export class OutOfTimeError extends PipelineError {
  constructor(
    api: ApiName,
    /** How long to wait before the next try. */
    readonly waitMs: number,
    /** Absent when no try was made. */
    readonly lastAttempt?: PipelineError,
  ) {
    super(lastAttempt?.code ?? 'TIMEOUT', lastAttempt?.message ?? `There was no time left to call the ${api} API`, {
      api,
      retryable: true,
      statusCode: lastAttempt?.statusCode,
      retryAfterMs: lastAttempt?.retryAfterMs,
      cause: lastAttempt,
    });
  }
}

/**
 * Judges an answer by its status alone: 2xx passes; 408, 425, 429 and 5xx are retryable; all else is permanent. A
 * `Retry-After` above `longestRetryAfterMs` counts as that much.
 *
 * @throws {PipelineError} `RATE_LIMITED`, `API_UNAVAILABLE` (retryable) or `API_REFUSED` (permanent)
 */
export const expectSuccess = (
  { statusCode, headers }: ApiResponse,
  api: ApiName,
  nowMs: number,
  longestRetryAfterMs = Number.POSITIVE_INFINITY,
): void => {
  if (isSuccess(statusCode)) return;
  const retryable = [408, 425, 429].includes(statusCode) || statusCode >= 500;
  const code = statusCode === 429 ? 'RATE_LIMITED' : retryable ? 'API_UNAVAILABLE' : 'API_REFUSED';
  const retryAfterMs = retryable ? readRetryAfterMs(headers['retry-after'], nowMs) : undefined;
  throw new PipelineError(code, `The ${api} API answered ${statusCode}`, {
    api,
    retryable,
    statusCode,
    retryAfterMs: retryAfterMs === undefined ? undefined : Math.min(retryAfterMs, longestRetryAfterMs),
  });
};

const runAlways: CircuitBreaker = async (run, before) => {
  await before?.();
  return run();
};

/** One API: a pool of connections, tries with waits in between, and where asked for a pace and a circuit breaker. */
export const createApiClient = (options: ApiClientOptions) => {
  const { api, now, sleep = sleepFor, breaker = runAlways } = options;
  const exchange = createExchange(options);

  /** @throws {OutOfTimeError} when a try that began now could not end in time */
  const timeLeft = ({ deadlineMs, signal }: CallContext): number => {
    const leftMs = deadlineMs - now();
    if (leftMs < minTryMs || signal?.aborted) throw new OutOfTimeError(api, 0);
    return leftMs;
  };

  /** Less than the header's unit (0, or a date that is past, maybe by our clock alone) does not say how long to wait. */
  const waitAfter = ({ retryAfterMs = 0 }: PipelineError, attempt: number): number =>
    retryAfterMs >= 1_000 ? retryAfterMs : Math.max(retryAfterMs, options.waitMs(attempt));

  /** Waits, but not beyond the end of the call's time: however many wait, all of them end. */
  const waitInTime = async (done: Promise<unknown>, { deadlineMs, signal }: CallContext): Promise<void> => {
    const ended = Promise.withResolvers<void>();
    const timer = setTimeout(ended.resolve, Math.min(deadlineMs - now(), longestTimerMs));
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
    timeLeft(context);
    if (pace !== undefined) await waitInTime(pace(), context);
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
      return read(await exchange.send(call, Math.min(timeoutMs(attempt), leftMs), attempt));
    }, before);
  };

  let lastResponseAtMs: number | undefined;

  return {
    /** When the API last gave an answer that was not to be tried again, be it a refusal; epoch ms. */
    lastResponseAtMs: (): number | undefined => lastResponseAtMs,

    /**
     * @throws {OutOfTimeError} when the deadline or the signal came before the last try
     * @throws {PipelineError} of the last try; `CIRCUIT_OPEN` only when no try was made at all; and what
     * `beforeTry` or `look` throws
     */
    call: async <T>(call: Call<T>): Promise<T> => {
      let failedBefore: PipelineError | undefined;
      for (let attempt = 1; ; attempt++) {
        try {
          const value = await attemptOnce(call, attempt);
          lastResponseAtMs = now();
          return value;
        } catch (thrown) {
          if (thrown instanceof CallStopped) throw thrown.thrown;
          const error = toPipelineError(thrown);
          if (!error.retryable) lastResponseAtMs = now();
          if (error.code === 'CIRCUIT_OPEN') throw failedBefore ?? error;
          if (error instanceof OutOfTimeError || !error.retryable) throw error;
          const isLast = attempt >= options.maxAttempts;
          // The deadline may have cut the last try short, too.
          const waitMs = isLast ? 0 : waitAfter(error, attempt);
          if (waitMs > options.maxWaitMs) throw error;
          const { deadlineMs, signal, onRetry } = call.context;
          if (now() + waitMs + minTryMs > deadlineMs || signal?.aborted) throw new OutOfTimeError(api, waitMs, error);
          if (isLast) throw error;
          onRetry({ error, attempt, waitMs });
          failedBefore = error;
          await waitInTime(sleep(Math.min(waitMs, longestTimerMs)), call.context);
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
