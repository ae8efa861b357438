import { readNotice } from '../../lambdas/webhook/notice';
import { accepted, failed, type Refusal, refused, respond } from '../../lambdas/webhook/responses';
import { version } from '../../package.json';
import type { RoundOutcome } from '../../shared/orders/start-round';
import type { JsonSchema } from './json-schema';
import { type BodyName, bodySchemas } from './webhook-bodies';

const requestId = '0d5a9c1e-6f0b-4a57-9d3c-2f1f6f2f7b11';

const requestExamples = {
  notification: {
    summary: 'A notification',
    value: { order_id: 'QO-123456', notification_type: 'order.created', timestamp: '2026-01-01T12:00:00.000Z' },
  },
  activity: {
    summary: 'An activity of Qualia Marketplace',
    value: { type: 'order_request', order_id: 'bK8bg5tajNkDpDk25', description: 'A new order request' },
  },
};

/** An example of a response, and the schema of its body. */
interface Example {
  readonly body: BodyName;
  readonly value: unknown;
}

const ours = (body: BodyName, response: ReturnType<typeof respond>): Example => ({
  body,
  value: JSON.parse(response.body ?? ''),
});
const gateway = (message: string): Example => ({ body: 'GatewayError', value: { message } });
const refusal = (body: BodyName, reason: Refusal): Example => ours(body, refused(requestId, reason));
const acceptance = (outcome: RoundOutcome): Example =>
  ours('Accepted', accepted(requestId, 'QO-123456', outcome, 12.3));

const read = readNotice({ order_id: '123456', notification_type: 'order.deleted' });
const faults = 'faults' in read ? read.faults : [];

const refusals = {
  invalid_json: refusal('InvalidJson', { reason: 'invalid_json' }),
  unauthorized: refusal('Unauthorized', { reason: 'unauthorized' }),
  not_found: refusal('NotFound', { reason: 'not_found' }),
  method_not_allowed: refusal('MethodNotAllowed', { reason: 'method_not_allowed', allow: 'POST' }),
  payload_too_large: refusal('PayloadTooLarge', { reason: 'payload_too_large' }),
  unsupported_media_type: refusal('UnsupportedMediaType', { reason: 'unsupported_media_type' }),
  validation_failed: refusal('ValidationFailed', { reason: 'validation_failed', details: faults }),
} satisfies Record<Refusal['reason'], Example>;

const health = ours(
  'Health',
  respond(200, requestId, {
    status: 'ok',
    service: 'marketplace-event-pipeline',
    version,
    commit: '4f2a9c1',
    stage: 'prod',
  }),
);

const header = (description: string): JsonSchema => ({ description, required: true, schema: { type: 'string' } });

const response = (
  description: string,
  examples: Readonly<Record<string, Example>>,
  headers: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema => {
  const all = Object.entries(examples);
  const schemas = [...new Set(all.map(([, { body }]) => body))].map((name) => ({
    $ref: `#/components/schemas/${name}`,
  }));
  const ofGateway = all.filter(([, { body }]) => body === 'GatewayError').length;
  const requestIdHeader = ofGateway > 0 ? 'RequestIdOfWebhook' : 'RequestId';
  return {
    description,
    headers: {
      ...(ofGateway < all.length && { 'x-request-id': { $ref: `#/components/headers/${requestIdHeader}` } }),
      ...headers,
    },
    content: {
      'application/json': {
        schema: schemas.length === 1 ? schemas[0] : { anyOf: schemas },
        examples: Object.fromEntries(all.map(([name, { value }]) => [name, { value }])),
      },
    },
  };
};

const allow = (methods: string) => ({ allow: header(`\`${methods}\``) });
const unhealthy = {
  429: response('Too many calls: API Gateway refused this one.', { gateway: gateway('Too Many Requests') }),
  '5XX': response('API Gateway could not call the webhook.', {
    crashed: gateway('Internal Server Error'),
    unavailable: gateway('Service Unavailable'),
  }),
};

const receiveWebhook = {
  operationId: 'receiveWebhook',
  summary: 'Receives a webhook of Qualia',
  description:
    'Responds 200 once the order and its download are recorded. The sender repeats a call after a 5xx or a 429, and not ' +
    'after any other 4xx. To repeat a call is always safe.',
  security: [
    { basic: [] },
    { webhookId: [], webhookTimestamp: [], webhookSignature: [] },
    { svixId: [], svixTimestamp: [], svixSignature: [] },
  ],
  requestBody: {
    required: true,
    description: 'At most 256 KiB, without a content encoding. `application/*+json` is accepted, too.',
    content: {
      'application/json': {
        schema: { oneOf: ['Notification', 'Activity'].map((name) => ({ $ref: `#/components/schemas/${name}` })) },
        examples: requestExamples,
      },
    },
  },
  responses: {
    200: response('Accepted. The sender has nothing else to do, whatever `status` says.', {
      queued: acceptance('queued'),
      duplicate: acceptance('duplicate'),
      stale: acceptance('stale'),
    }),
    400: response('The body is not JSON.', { invalid_json: refusals.invalid_json }),
    401: response(
      'No credential, or an invalid one. The body does not say which.',
      { unauthorized: refusals.unauthorized },
      { 'www-authenticate': header('`Basic realm="qualia"`') },
    ),
    404: response('Another path than those of this document.', { not_found: refusals.not_found }),
    405: response('Another method at this path.', { method_not_allowed: refusals.method_not_allowed }, allow('POST')),
    413: response('The body exceeds 256 KiB. Above 10 MB, and for some bodies above 4 MB, API Gateway responds.', {
      payload_too_large: refusals.payload_too_large,
      gateway: gateway('Request Entity Too Large'),
    }),
    415: response('The content type is not JSON, or the body has a content encoding.', {
      unsupported_media_type: refusals.unsupported_media_type,
    }),
    422: response('The body has faults. `details` lists all of them.', {
      validation_failed: refusals.validation_failed,
    }),
    ...unhealthy,
    500: response('A fault of ours, or a secret that we cannot read. Repeat the call.', {
      internal_error: ours('InternalError', failed(requestId)),
      gateway: gateway('Internal Server Error'),
    }),
  },
};

const healthResponses = {
  405: response(
    'Another method at this path.',
    { method_not_allowed: refusals.method_not_allowed },
    allow('GET, HEAD'),
  ),
  ...unhealthy,
};

const apiKey = (name: string, description: string): JsonSchema => ({ type: 'apiKey', in: 'header', name, description });
const signature = (prefix: 'webhook' | 'svix') => ({
  [`${prefix}Id`]: apiKey(`${prefix}-id`, 'Id of the message.'),
  [`${prefix}Timestamp`]: apiKey(
    `${prefix}-timestamp`,
    'Seconds since the epoch, at most five minutes from our clock.',
  ),
  [`${prefix}Signature`]: apiKey(
    `${prefix}-signature`,
    '`v1,` and the base64 HMAC-SHA256 of `<id>.<timestamp>.<body>`, over the bytes as sent. Several are separated by spaces.',
  ),
});

/** The OpenAPI 3.1 description of the webhook (docs/contracts/qualia.md, section 1). */
export const createWebhookDescription = (): JsonSchema => ({
  openapi: '3.1.1',
  info: {
    title: 'Marketplace Event Pipeline: webhook',
    version,
    description: 'Generated by `npm run docs`. The contract in words is docs/contracts/qualia.md, section 1.',
  },
  servers: [
    {
      url: '{apiUrl}',
      description: 'The output `ApiUrl` of the stack `<stage>-OrderPipeline`; `npm start` prints it for a local run.',
      variables: { apiUrl: { default: 'https://example.execute-api.us-east-1.amazonaws.com' } },
    },
  ],
  paths: {
    '/webhooks/qualia': { post: receiveWebhook },
    '/health': {
      get: {
        operationId: 'readHealth',
        summary: 'Says which release is deployed',
        security: [],
        responses: { 200: response('The webhook responds. AWS is not called.', { health }), ...healthResponses },
      },
      head: {
        operationId: 'checkHealth',
        summary: 'As GET, without a body',
        security: [],
        responses: {
          200: {
            description: 'The webhook responds.',
            headers: { 'x-request-id': { $ref: '#/components/headers/RequestId' } },
          },
        },
      },
    },
  },
  components: {
    schemas: bodySchemas,
    headers: {
      RequestId: header('Id of this request. Name it when you report a problem.'),
      RequestIdOfWebhook: {
        ...header('Id of this request. Absent if API Gateway wrote the response.'),
        required: false,
      },
    },
    securitySchemes: {
      basic: { type: 'http', scheme: 'basic', description: "A username and password of the webhook's secret." },
      ...signature('webhook'),
      ...signature('svix'),
    },
  },
});
