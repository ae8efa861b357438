import type { Logger } from '@aws-lambda-powertools/logger';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { toPipelineError } from '../../shared/errors';
import { parseJson } from '../../shared/json';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import type { RequestId } from '../../shared/orders/order';
import type { StartRound } from '../../shared/orders/start-round';
import type { Authenticate } from './authenticate';
import type { KeepRefused } from './keep-refused';
import { readNotice } from './notice';
import { accepted, failed, type Refusal, refused, respond } from './responses';

export interface WebhookDependencies {
  readonly authenticate: Authenticate;
  readonly startRound: StartRound;
  readonly keepRefused: KeepRefused;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
  readonly health: { readonly version: string; readonly commit: string; readonly stage: string };
  readonly newRequestId: () => string;
  /** Milliseconds that only go forward, with fractions. */
  readonly monotonicNow: () => number;
}

const maxBodyBytes = 256 * 1024;
const webhookPath = '/webhooks/qualia';
const jsonMediaType = /^application\/([a-z0-9.+-]+\+)?json$/;

/** The values of a header. API Gateway joins repeated headers with commas. A quoted comma is not a separator. */
const listIn = (header: string): string[] =>
  header
    .replace(/"[^"]*"/g, '""')
    .toLowerCase()
    .split(',');

/** A body is JSON unless its content type says otherwise. */
const isJson = (contentType: string | undefined): boolean =>
  contentType === undefined ||
  listIn(contentType).every((value) => jsonMediaType.test((value.split(';')[0] ?? '').trim()));

const isEncoded = (contentEncoding = ''): boolean =>
  listIn(contentEncoding).some((coding) => !['', 'identity'].includes(coding.trim()));

const bodyOf = (event: APIGatewayProxyEventV2): Buffer =>
  Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');

/** Receives Qualia's webhooks (docs/contracts/qualia.md, section 1), and responds to `/health`. */
export const createHandler = (dependencies: WebhookDependencies) => {
  const { authenticate, startRound, keepRefused, logger, metrics, health, newRequestId, monotonicNow } = dependencies;

  const receive = async (
    event: APIGatewayProxyEventV2,
    requestId: RequestId,
    startedAtMs: number,
  ): Promise<APIGatewayProxyStructuredResultV2> => {
    const refuse = (refusal: Refusal, { refusedId }: { readonly refusedId?: string | undefined } = {}) => {
      logger.warn('webhook refused', {
        reason: refusal.reason,
        ...('details' in refusal && { details: refusal.details }),
        source_ip: event.requestContext.http.sourceIp,
        ...(refusedId !== undefined && { refused_id: refusedId }),
        // A scanner's call to another path, or with another method, is not a webhook.
        ...(event.rawPath === webhookPath &&
          method === 'POST' &&
          metrics.fields({
            WebhookRefused: 1,
            ...(refusal.reason === 'validation_failed' && refusedId === undefined && { WebhookRefusedNotKept: 1 }),
          })),
      });
      return refused(requestId, refusal);
    };

    const { method } = event.requestContext.http;
    if (event.rawPath === '/health') {
      const healthy = respond(200, requestId, { status: 'ok', service: 'marketplace-event-pipeline', ...health });
      if (method === 'GET') return healthy;
      if (method === 'HEAD') return { ...healthy, body: '' };
      return refuse({ reason: 'method_not_allowed', allow: 'GET, HEAD' });
    }
    if (event.rawPath !== webhookPath) return refuse({ reason: 'not_found' });
    if (method !== 'POST') return refuse({ reason: 'method_not_allowed', allow: 'POST' });

    const body = bodyOf(event);
    if (body.byteLength > maxBodyBytes) return refuse({ reason: 'payload_too_large' });
    // Before authentication: a signature could cover the encoded or the decoded body. The response is the same for
    // both.
    if (isEncoded(event.headers['content-encoding'])) {
      return refuse({ reason: 'unsupported_media_type', message: 'The body must not have a content encoding' });
    }
    if (!(await authenticate(event.headers, body))) return refuse({ reason: 'unauthorized' });
    if (!isJson(event.headers['content-type'])) return refuse({ reason: 'unsupported_media_type' });
    const json = parseJson(body);
    if (json === undefined) return refuse({ reason: 'invalid_json' });
    const read = readNotice(json);
    if ('faults' in read) {
      const details = read.faults;
      const refusedId = await keepRefused({ request_id: requestId, details, body: body.toString() });
      return refuse({ reason: 'validation_failed', details }, { refusedId });
    }

    const { orderId, notificationType } = read.notice;
    logger.appendKeys({ order_id: orderId });
    const { outcome, status, aheadMs } = await startRound({ ...read.notice, requestId });
    if (aheadMs !== undefined)
      logger.warn('event is ahead of our clock', { ahead_seconds: Math.round(aheadMs / 1_000) });
    const responseTimeMs = Math.round((monotonicNow() - startedAtMs) * 10) / 10;
    logger.info('webhook accepted', {
      status,
      notification_type: notificationType,
      outcome,
      response_time_ms: responseTimeMs,
      ...metrics.fields({ WebhookAccepted: 1, ...(outcome === 'duplicate' && { WebhookDuplicate: 1 }) }),
    });
    return accepted(requestId, orderId, outcome, responseTimeMs);
  };

  return async (event: APIGatewayProxyEventV2, context: Context): Promise<APIGatewayProxyStructuredResultV2> => {
    const startedAtMs = monotonicNow();
    const requestId = newRequestId() as RequestId;
    logger.addContext(context);
    logger.appendKeys({ request_id: requestId });
    try {
      return await receive(event, requestId, startedAtMs);
    } catch (thrown) {
      const error = toPipelineError(thrown);
      logger.error('webhook failed', {
        error: error.message,
        error_code: error.code,
        error_details: error,
      });
      return failed(requestId);
    } finally {
      logger.resetKeys();
    }
  };
};
