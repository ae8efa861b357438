import type { PipelineError } from '../errors';
import { type Random, redeliveryDelaySeconds } from '../http/backoff';
import { maxWaitMs } from '../http/order-api';
import { MemoryWaitError } from './order-memory';

/** What becomes of a message whose step failed (`docs/architecture.md`, "Failing well"). */
export type Decision =
  /** The order is FAILED and the message is done. */
  | { readonly action: 'fail' }
  /** The message comes back after the wait, and this receive counts. */
  | { readonly action: 'hide'; readonly seconds: number }
  /** A fresh copy with all of its receives replaces the message. */
  | { readonly action: 'copy'; readonly seconds: number }
  /** The same, if the round is still open and not too old. */
  | { readonly action: 'copyIfOpen'; readonly seconds: number }
  /** The order is FAILED with `RETRIES_EXHAUSTED` and the message goes to the dead-letter queue. */
  | { readonly action: 'exhaust' };

export interface FailedDelivery {
  /** From 1. */
  readonly receiveCount: number;
  /** The last receive before the dead-letter queue. */
  readonly maxReceiveCount: number;
  /** Whether the API has responded to another message since this one's first failure. */
  readonly apiWorks: boolean;
}

/** SQS counts its 12 hours from the receive and rejects a wait that would end later. */
export const maxVisibilitySeconds = 43_000;
/** The first failure of a message comes within this time of its first receive: longer than an invocation can take. */
export const firstFailureMs = 120_000;
/** A round that its API has failed for longer than this is given up. Shorter than SQS keeps a message. */
export const patienceMs = 4 * 86_400_000;
/** Spreads the copies that an open circuit sends back. */
const circuitJitterSeconds = 30;

/**
 * The one decision on what follows an error.
 *
 * The last receive is spent only on evidence against the message itself: an API that responds to no call, or asks for fewer
 * calls, fails no order (`docs/architecture.md`, "Back pressure").
 */
export const decide = (error: PipelineError, delivery: FailedDelivery, random: Random): Decision => {
  const { receiveCount, maxReceiveCount, apiWorks } = delivery;
  const { retryAfterMs = 0 } = error;
  if (error.code === 'CIRCUIT_OPEN') {
    return { action: 'copy', seconds: Math.ceil(retryAfterMs / 1_000 + random() * circuitJitterSeconds) };
  }
  if (!error.retryable) return { action: 'fail' };
  // The client waited for a short Retry-After itself. As a visibility timeout it would use up the receives in seconds.
  const seconds =
    retryAfterMs > maxWaitMs
      ? Math.min(maxVisibilitySeconds, Math.ceil(retryAfterMs / 1_000))
      : redeliveryDelaySeconds(receiveCount, random);
  if (receiveCount < maxReceiveCount) return { action: 'hide', seconds };
  const isApiFault = error.api !== undefined && (!apiWorks || error.code === 'RATE_LIMITED');
  return isApiFault || error instanceof MemoryWaitError ? { action: 'copyIfOpen', seconds } : { action: 'exhaust' };
};
