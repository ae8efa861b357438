import * as z from 'zod/mini';
import type { Secret } from '../aws/secret';
import { secretText } from '../config';
import { PipelineError } from '../errors';
import { type ApiResponse, type CallContext, expectSuccess } from '../http/api-client';
import { withCredential } from '../http/credential';
import { isSuccess } from '../http/exchange';
import { createOrderApi, type OrderApiOptions, pathOf } from '../http/order-api';
import { parseJson } from '../json';
import type { RequestId, Round } from '../orders/order';
import { bodyFields } from './body';
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

/** A refusal that names fields. Its shape is not part of the contract, so that any other one is accepted too. */
const faultsSchema = z.array(z.object({ path: z.string() }));
const refusalSchema = z.pipe(
  z.union([z.object({ details: faultsSchema }), z.object({ errors: faultsSchema })]),
  z.transform((refusal) => ('details' in refusal ? refusal.details : refusal.errors)),
);

/** The first field of our body that a refusal names. Only its name: a path could contain anything. */
const refusedFieldOf = (refusal: unknown): string | undefined => {
  const paths = refusalSchema.safeParse(refusal).data?.map(({ path }) => path.split('.')[0]) ?? [];
  return bodyFields.find((field) => paths.includes(field));
};

/** The internal API refused the order permanently: `API_REFUSED`, with the response. */
export class OrderRefusedError extends PipelineError {
  constructor(
    cause: PipelineError,
    /** The first 2 KiB of the response, without our token. For the order's item, never for a log. */
    readonly response: string,
  ) {
    const { code, message, api, statusCode } = cause;
    super(code, message, { api, retryable: false, statusCode, detail: refusedFieldOf(parseJson(response)) });
    Object.defineProperty(this, 'response', { enumerable: false });
  }
}

export interface InternalApiClientOptions extends Omit<OrderApiOptions, 'api'> {
  readonly credential: Secret<InternalApiCredential>;
}

const keptResponseBytes = 2_048;
const alreadyKnown = 409;

/** The internal API (docs/contracts/internal-api.md). */
export const createInternalApiClient = (options: InternalApiClientOptions) => {
  const api = createOrderApi({ ...options, api: 'internal' });

  const readOutcome = (response: ApiResponse, token: string): PostOutcome => {
    const { statusCode, responseTimeMs } = response;
    if (statusCode === alreadyKnown) return { outcome: 'already_known', statusCode, responseTimeMs };
    try {
      expectSuccess(response, 'internal', options.now());
    } catch (error) {
      if (!(error instanceof PipelineError) || error.retryable) throw error;
      const text = response.body.toString('utf8').replaceAll(token, '[token]');
      const kept = Buffer.from(text).subarray(0, keptResponseBytes);
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
          read: (response) => readOutcome(response, token),
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
