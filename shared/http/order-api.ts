import type { ApiName } from '../errors';
import { type ApiClient, type ApiClientOptions, createApiClient } from './api-client';
import { fullJitterMs, type Random } from './backoff';
import { createCircuitBreaker } from './circuit-breaker';
import { createPace } from './pace';

export interface OrderApiOptions extends Pick<ApiClientOptions, 'api' | 'now' | 'sleep' | 'connection' | 'onCall'> {
  readonly url: string;
  readonly onCircuitOpen: (api: ApiName) => void;
  /** This process's share of the budget of calls per second (docs/adr/0011). Default: no limit. */
  readonly callsPerSecond?: number | undefined;
  readonly random?: Random;
}

const baseWaitMs = 500;
/** Maximum wait within an invocation. For a longer wait, the message goes back to its queue. */
export const maxWaitMs = 8_000;
/** The share of the budget that is used. The rest allows for calls that are delayed on the network. */
const utilization = 0.96;
/** The largest order. A typical one has 5 kB. */
export const maxOrderBytes = 4 * 1024 * 1024;
/** Of a failure, only its first 2 KiB are kept. */
const maxFailureBytes = 64 * 1024;

/**
 * Creates the client with which the order pipeline calls Qualia or the internal API (docs/contracts/qualia.md, section 2):
 * a timeout of 30 s, 20 connections, 3 attempts with full jitter, and a circuit breaker. The circuit opens for 30 s after
 * 5 consecutive failures, or for the time of a `Retry-After` above `maxWaitMs`.
 */
export const createOrderApi = ({
  url,
  onCircuitOpen,
  callsPerSecond,
  random = Math.random,
  ...options
}: OrderApiOptions): ApiClient =>
  createApiClient({
    ...options,
    ...(callsPerSecond !== undefined && { pace: createPace({ callsPerSecond, utilization }) }),
    origin: new URL(url).origin,
    connections: 20,
    maxResponseBytes: maxOrderBytes,
    maxFailureBytes,
    timeoutMs: () => 30_000,
    maxAttempts: 3,
    waitMs: (attempt) => fullJitterMs(attempt, baseWaitMs, maxWaitMs, random),
    maxWaitMs,
    breaker: createCircuitBreaker({
      api: options.api,
      failures: 5,
      openMs: 30_000,
      maxWaitMs,
      now: options.now,
      onOpen: onCircuitOpen,
    }),
  });

/** Path and query of a URL. */
export const pathOf = (url: string): string => {
  const { pathname, search } = new URL(url);
  return pathname + search;
};
