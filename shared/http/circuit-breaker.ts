import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import { type ApiName, PipelineError, toPipelineError } from '../errors';

export interface CircuitBreakerOptions {
  readonly api: ApiName;
  /** Retryable failures in a row that open the circuit. */
  readonly failures: number;
  /** How long it stays open before one call may probe. */
  readonly openMs: number;
  readonly now: () => number;
  readonly onOpen: (api: ApiName) => void;
}

/** Runs a call, unless too many before it failed. */
export type CircuitBreaker = <T>(run: () => Promise<T>) => Promise<T>;

/**
 * Guards an API: after so many retryable failures in a row no call is made for a while; then one probes, and whoever
 * comes during the probe is sent away at once too.
 *
 * @throws {PipelineError} `CIRCUIT_OPEN`, with the time until the next probe as `retryAfterMs`, or what `run` threw
 */
export const createCircuitBreaker = ({ api, failures, openMs, now, onOpen }: CircuitBreakerOptions): CircuitBreaker => {
  const policy = circuitBreaker(handleAll, { breaker: new ConsecutiveBreaker(failures), halfOpenAfter: openMs });
  let openUntilMs = 0;
  policy.onBreak(() => {
    openUntilMs = now() + openMs;
    onOpen(api);
  });

  const open = (): PipelineError =>
    new PipelineError('CIRCUIT_OPEN', `The ${api} API failed too often in a row: no call is made for a while`, {
      api,
      retryable: true,
      retryAfterMs: Math.max(0, openUntilMs - now()),
    });

  return async (run) => {
    if (policy.state === CircuitState.HalfOpen) throw open();
    const outcome = await policy
      .execute(async () => {
        try {
          return { value: await run() };
        } catch (thrown) {
          // A permanent refusal is an answer like any other: the API works.
          const error = toPipelineError(thrown);
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
