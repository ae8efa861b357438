import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel';
import { type ApiName, PipelineError, toPipelineError } from '../errors';

export interface CircuitBreakerOptions {
  readonly api: ApiName;
  /** Retryable failures in a row that open the circuit. */
  readonly failures: number;
  /** How long it stays open before one call may probe. */
  readonly openMs: number;
  /** An answer that asks for a longer wait than this opens it at once, for as long as it asks. */
  readonly longestWaitMs: number;
  readonly now: () => number;
  readonly onOpen: (api: ApiName) => void;
}

/** However long an API asks to be left alone, it is asked again after half a day. */
export const longestOpenMs = 12 * 3_600_000;

/**
 * Runs a call unless the circuit is open. `before` is awaited when the circuit lets calls pass, immediately before the
 * call. What it throws says nothing about the API: it counts neither as a failure nor as a success.
 */
export type CircuitBreaker = <T>(run: () => Promise<T>, before?: () => Promise<void>) => Promise<T>;

/**
 * Guards an API: after so many retryable failures in a row no call is made for a while; then one probes, and whoever
 * comes during the probe is sent away at once too. A long `Retry-After` is meant for every call, not for one alone.
 *
 * @throws {PipelineError} `CIRCUIT_OPEN`, with the time until the next call as `retryAfterMs`, or what `run` threw
 */
export const createCircuitBreaker = (options: CircuitBreakerOptions): CircuitBreaker => {
  const { api, failures, openMs, longestWaitMs, now, onOpen } = options;
  const policy = circuitBreaker(handleAll, { breaker: new ConsecutiveBreaker(failures), halfOpenAfter: openMs });
  /** While it stays open, and somebody comes, it is told as often as a probe would. */
  let toldAtMs = Number.NEGATIVE_INFINITY;
  const tell = (): void => {
    if (now() - toldAtMs < openMs) return;
    toldAtMs = now();
    onOpen(api);
  };

  let openUntilMs = 0;
  policy.onBreak(() => {
    openUntilMs = now() + openMs;
    tell();
  });

  let silentUntilMs = 0;
  const keepSilence = (askedMs: number): void => {
    if (askedMs <= longestWaitMs) return;
    silentUntilMs = Math.max(silentUntilMs, now() + Math.min(askedMs, longestOpenMs));
    tell();
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
      tell();
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
          // A permanent refusal is an answer like any other: the API works.
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
