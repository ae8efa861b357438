import * as z from 'zod';
import type { Secret } from '../aws/secret';
import { secretText } from '../config';
import { PipelineError } from '../errors';
import { type ApiResponse, type CallContext, expectSuccess } from '../http/api-client';
import { withCredential } from '../http/credential';
import { isSuccess } from '../http/exchange';
import { createOrderApi, type OrderApiOptions, pathOf } from '../http/order-api';
import type { RequestId, Round } from '../orders/order';
import type { InternalOrder } from './order';

/**
 * The secret with our token for the internal API. The token must be valid in a header, so it has no trailing line
 * break.
 */
export const internalApiCredentialSchema = z.object({
  token: secretText.check(z.regex(/^[\x21-\x7e]+$/, 'is not visible ASCII')),
});
export type InternalApiCredential = z.output<typeof internalApiCredentialSchema>;

export interface OrderPost {
  readonly order: InternalOrder;
  readonly round: Round;
  readonly requestId: RequestId;
  readonly idempotencyKey: string;
  /** Called immediately before every attempt; what it throws ends the call. */
  readonly beforeAttempt?: () => Promise<void>;
}

export interface PostOutcome {
  /** `already_known`: the API had seen the idempotency key before. */
  readonly outcome: 'posted' | 'already_known';
  readonly statusCode: number;
  readonly responseTimeMs: number;
}

/** The internal API refused the order permanently: `API_REFUSED`, with the response. */
export class OrderRefusedError extends PipelineError {
  constructor(
    cause: PipelineError,
    /** The first 2 KiB of the response, without our token. For the order's item, never for a log. */
    readonly response: string,
  ) {
    super(cause.code, cause.message, { api: cause.api, retryable: false, statusCode: cause.statusCode });
    Object.defineProperty(this, 'response', { enumerable: false });
  }
}

export interface InternalApiClientOptions extends Omit<OrderApiOptions, 'api'> {
  readonly credential: Secret<InternalApiCredential>;
}

const keptAnswerBytes = 2_048;
const alreadyKnown = 409;

/** The internal API (docs/contracts/internal-api.md). */
export const createInternalApiClient = (options: InternalApiClientOptions) => {
  const api = createOrderApi({ ...options, api: 'internal' });

  const judge = (answer: ApiResponse, token: string): PostOutcome => {
    const { statusCode, responseTimeMs } = answer;
    if (statusCode === alreadyKnown) return { outcome: 'already_known', statusCode, responseTimeMs };
    try {
      expectSuccess(answer, 'internal', options.now());
    } catch (error) {
      if (!(error instanceof PipelineError) || error.retryable) throw error;
      const said = answer.body.toString('utf8').replaceAll(token, '[token]');
      const kept = Buffer.from(said).subarray(0, keptAnswerBytes);
      // As a stream, a character that the cut left incomplete is dropped rather than replaced.
      throw new OrderRefusedError(error, new TextDecoder().decode(kept, { stream: true }));
    }
    return { outcome: 'posted', statusCode, responseTimeMs };
  };

  return {
    /**
     * Posts an order. Posts with the same idempotency key take effect once.
     *
     * @throws {PipelineError} permanent: {@link OrderRefusedError}; retryable: `RATE_LIMITED`, `API_UNAVAILABLE`,
     * `TIMEOUT`, `CONNECTION_FAULT`, `CIRCUIT_OPEN`
     */
    postOrder: (
      { order, round, requestId, idempotencyKey, beforeAttempt }: OrderPost,
      context: CallContext,
    ): Promise<PostOutcome> =>
      withCredential(options.credential, ({ token }) =>
        api.call({
          request: {
            method: 'POST',
            path: pathOf(options.url),
            headers: {
              authorization: `Bearer ${token}`,
              'content-type': 'application/json',
              'idempotency-key': idempotencyKey,
              'x-request-id': requestId,
              'x-order-round': round,
            },
            body: JSON.stringify(order),
          },
          context,
          ...(beforeAttempt && { beforeAttempt }),
          read: (answer) => judge(answer, token),
          about: { order_id: order.qualiaOrderId, request_id: requestId },
          // The status alone reports that the order was accepted.
          needsBody: (statusCode) => !isSuccess(statusCode) && statusCode !== alreadyKnown,
        }),
      ),

    lastResponseAtMs: api.lastResponseAtMs,
    close: api.close,
  };
};

export type InternalApiClient = ReturnType<typeof createInternalApiClient>;
