import type { ApiName } from '../errors';
import { type ApiClient, type ApiClientOptions, createApiClient } from './api-client';
import { fullJitterMs, type Random } from './backoff';
import { createCircuitBreaker } from './circuit-breaker';
import { createPace } from './pace';

export interface OrderApiOptions extends Pick<ApiClientOptions, 'api' | 'now' | 'sleep' | 'onCall'> {
  readonly url: string;
  readonly onCircuitOpen: (api: ApiName) => void;
  /** This process's share of the budget of calls per second (docs/adr/0011). Default: no limit. */
  readonly callsPerSecond?: number | undefined;
  readonly random?: Random;
}

const baseWaitMs = 500;
/** The longest wait within an invocation; a longer one is the queue's business. */
export const maxWaitMs = 8_000;
/** The share of the budget that is used: the rest is room for calls that are held up on their way. */
const utilization = 0.96;
/** An order is some 5 kB. */
const maxResponseBytes = 4 * 1024 * 1024;

/**
 * How the order pipeline calls an API, Qualia's as well as the internal one (docs/contracts/qualia.md, section 2): 30 s a
 * request, 20 connections, 3 tries with full jitter, a circuit breaker that opens for 30 s after 5 failures in a row,
 * and for as long as a `Retry-After` asks that no invocation can wait for.
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
    maxResponseBytes,
    timeoutMs: () => 30_000,
    maxAttempts: 3,
    waitMs: (attempt) => fullJitterMs(attempt, baseWaitMs, maxWaitMs, random),
    maxWaitMs,
    breaker: createCircuitBreaker({
      api: options.api,
      failures: 5,
      openMs: 30_000,
      longestWaitMs: maxWaitMs,
      now: options.now,
      onOpen: onCircuitOpen,
    }),
  });

/** Path and query of a URL: what a request names below the origin. */
export const pathOf = (url: string): string => {
  const { pathname, search } = new URL(url);
  return pathname + search;
};
