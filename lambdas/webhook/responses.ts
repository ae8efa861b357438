import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { RoundOutcome } from '../../shared/orders/start-round';
import type { Fault } from './notice';

/** Why a call is refused, and what the caller learns (docs/contracts/qualia.md, "What we answer"). */
export type Refusal =
  | { readonly reason: 'not_found' }
  | { readonly reason: 'method_not_allowed'; readonly allow: string }
  | { readonly reason: 'payload_too_large' }
  | { readonly reason: 'unauthorized' }
  | { readonly reason: 'unsupported_media_type'; readonly message?: string }
  | { readonly reason: 'invalid_json' }
  | { readonly reason: 'validation_failed'; readonly details: readonly Fault[] };

const refusals: Record<Refusal['reason'], { readonly statusCode: number; readonly message?: string }> = {
  not_found: { statusCode: 404, message: 'There is nothing at this path' },
  method_not_allowed: { statusCode: 405, message: 'This path does not take that method' },
  payload_too_large: { statusCode: 413, message: 'The body is larger than 256 KiB' },
  unauthorized: { statusCode: 401 },
  unsupported_media_type: { statusCode: 415, message: 'The content type must be application/json' },
  invalid_json: { statusCode: 400, message: 'The body is not JSON' },
  validation_failed: { statusCode: 422 },
};

type WebhookResponse = APIGatewayProxyStructuredResultV2 & { readonly statusCode: number };

/** A JSON response. Every response has `x-request-id`. */
export const respond = (
  statusCode: number,
  requestId: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): WebhookResponse => ({
  statusCode,
  headers: { 'content-type': 'application/json', 'x-request-id': requestId, ...headers },
  body: JSON.stringify(body),
});

export const accepted = (
  requestId: string,
  orderId: string,
  status: RoundOutcome,
  responseTimeMs: number,
): WebhookResponse =>
  respond(200, requestId, {
    message: 'Order received and queued for processing',
    order_id: orderId,
    request_id: requestId,
    status,
    response_time_ms: responseTimeMs,
  });

const refusalHeaders = (refusal: Refusal): Record<string, string> => {
  if (refusal.reason === 'unauthorized') return { 'www-authenticate': 'Basic realm="qualia"' };
  return refusal.reason === 'method_not_allowed' ? { allow: refusal.allow } : {};
};

export const refused = (requestId: string, refusal: Refusal): WebhookResponse => {
  const { statusCode, message } = { ...refusals[refusal.reason], ...('message' in refusal && refusal) };
  const body = {
    error: refusal.reason,
    ...(message !== undefined && { message }),
    request_id: requestId,
    ...(refusal.reason === 'validation_failed' && { details: refusal.details }),
  };
  return respond(statusCode, requestId, body, refusalHeaders(refusal));
};

/** A fault of ours. Only the log contains the stack. */
export const failed = (requestId: string): WebhookResponse =>
  respond(500, requestId, { error: 'internal_error', request_id: requestId });
