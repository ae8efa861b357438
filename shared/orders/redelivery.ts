import type { PipelineError } from '../errors';
import { type Random, redeliveryDelaySeconds } from '../http/backoff';
import { maxWaitMs } from '../http/order-api';

/** What becomes of a message whose step failed (`docs/architecture.md`, "Failing well"). */
export type Decision =
  /** The order is FAILED and the message is done. */
  | { readonly action: 'fail' }
  /** The message comes back after the wait, and this receive counts. */
  | { readonly action: 'hide'; readonly seconds: number }
  /** A fresh copy with all of its receives replaces the message. */
  | { readonly action: 'copy'; readonly seconds: number }
  /** A fresh copy, unless the order needs none or has waited for too long. */
  | { readonly action: 'spare'; readonly seconds: number }
  /** The order is FAILED with `RETRIES_EXHAUSTED` and the message goes to the dead-letter queue. */
  | { readonly action: 'exhaust' };

export interface FailedDelivery {
  /** From 1. */
  readonly receiveCount: number;
  /** The last receive before the dead-letter queue. */
  readonly maxReceiveCount: number;
  /** Whether the API has answered another message since this one's first failure. */
  readonly apiWorks: boolean;
}

/** SQS counts its 12 hours from the receive and rejects a wait that would end later. */
export const maxVisibilitySeconds = 43_000;
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
  const askedMs = error.retryAfterMs ?? 0;
  if (error.code === 'CIRCUIT_OPEN') {
    return { action: 'copy', seconds: Math.ceil(askedMs / 1_000 + random() * circuitJitterSeconds) };
  }
  if (!error.retryable) return { action: 'fail' };
  // The client waited for a short Retry-After itself. As a visibility timeout it would use up the receives in seconds.
  const seconds =
    askedMs > maxWaitMs
      ? Math.min(maxVisibilitySeconds, Math.ceil(askedMs / 1_000))
      : redeliveryDelaySeconds(receiveCount, random);
  if (receiveCount < maxReceiveCount) return { action: 'hide', seconds };
  const isApiFault = error.api !== undefined && (!apiWorks || error.code === 'RATE_LIMITED');
  return isApiFault ? { action: 'spare', seconds } : { action: 'exhaust' };
};
