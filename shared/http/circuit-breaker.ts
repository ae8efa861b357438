import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import { type ApiName, PipelineError, toPipelineError } from '../errors';

export interface CircuitBreakerOptions {
  readonly api: ApiName;
  /** Number of consecutive retryable failures that open the circuit. */
  readonly failures: number;
  /** How long the circuit stays open before one call probes the API. */
  readonly openMs: number;
  /** A response with a longer `Retry-After` than this opens the circuit at once, for that time. */
  readonly maxWaitMs: number;
  readonly now: () => number;
  readonly onOpen: (api: ApiName) => void;
}

/** Maximum time for which a `Retry-After` keeps the circuit open: half a day. */
export const maxOpenMs = 12 * 3_600_000;

/**
 * Runs a call unless the circuit is open. `before` is awaited immediately before the call, once the circuit permits it.
 * An error of `before` counts neither as a failure of the API nor as a success.
 */
export type CircuitBreaker = <T>(run: () => Promise<T>, before?: () => Promise<void>) => Promise<T>;

/**
 * Creates a circuit breaker for one API. After `failures` consecutive retryable failures it rejects all calls for
 * `openMs`. Then one call probes the API, and others are still rejected until the probe ends. A long `Retry-After` applies
 * to every call, so it opens the circuit too.
 *
 * @throws {PipelineError} `CIRCUIT_OPEN`, with the time until the next call as `retryAfterMs`; errors of `run`
 */
export const createCircuitBreaker = (options: CircuitBreakerOptions): CircuitBreaker => {
  const { api, failures, openMs, maxWaitMs, now, onOpen } = options;
  const policy = circuitBreaker(handleAll, { breaker: new ConsecutiveBreaker(failures), halfOpenAfter: openMs });
  /** While the circuit is open, it is reported at most once per probe interval. */
  let reportedAtMs = Number.NEGATIVE_INFINITY;
  const report = (): void => {
    if (now() - reportedAtMs < openMs) return;
    reportedAtMs = now();
    onOpen(api);
  };

  let openUntilMs = 0;
  policy.onBreak(() => {
    openUntilMs = now() + openMs;
    report();
  });

  let silentUntilMs = 0;
  const keepSilence = (requestedMs: number): void => {
    if (requestedMs <= maxWaitMs) return;
    silentUntilMs = Math.max(silentUntilMs, now() + Math.min(requestedMs, maxOpenMs));
    report();
  };

  const open = (): PipelineError =>
    new PipelineError(
      'CIRCUIT_OPEN',
      `No call is made to the ${api} API for a while: it failed too often, or asked for that`,
      {
        api,
        retryable: true,
        retryAfterMs: Math.max(0, openUntilMs - now(), silentUntilMs - now()),
      },
    );

  const check = (): void => {
    if (now() < silentUntilMs) {
      report();
      throw open();
    }
    const isOpen = policy.state === CircuitState.Open && now() < openUntilMs;
    if (isOpen || policy.state === CircuitState.HalfOpen) throw open();
  };

  return async (run, before) => {
    check();
    if (before !== undefined) {
      await before();
      // Other calls may have opened the circuit meanwhile.
      check();
    }
    const outcome = await policy
      .execute(async () => {
        try {
          return { value: await run() };
        } catch (thrown) {
          // A permanent refusal shows that the API works, so it counts as a success.
          const error = toPipelineError(thrown);
          keepSilence(error.retryAfterMs ?? 0);
          if (error.retryable) throw error;
          return { error };
        }
      })
      .catch((error: unknown) => {
        throw error instanceof BrokenCircuitError ? open() : error;
      });
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  };
};
