import type { APIGatewayProxyEventV2 } from 'aws-lambda';

export interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Text or bytes are sent as they are, anything else as JSON. */
  readonly body?: unknown;
  readonly base64?: boolean;
}

const bytesOf = (body: unknown): Buffer => {
  if (body === undefined) return Buffer.alloc(0);
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
};

/** The event of a call: HTTP API payload format 2.0. */
export const webhookEvent = (call: Call = {}): APIGatewayProxyEventV2 => {
  const { method = 'POST', path = '/webhooks/qualia', base64 = false } = call;
  const bytes = bytesOf(call.body);
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: '',
    headers: { 'content-type': 'application/json', ...call.headers },
    requestContext: {
      accountId: '000000000000',
      apiId: 'api',
      domainName: 'api.example',
      domainPrefix: 'api',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '203.0.113.7', userAgent: 'Qualia' },
      requestId: 'gateway-request',
      routeKey: '$default',
      stage: '$default',
      time: '01/Jan/2026:00:00:00 +0000',
      timeEpoch: 1_767_225_600_000,
    },
    ...(bytes.byteLength > 0 && { body: bytes.toString(base64 ? 'base64' : 'utf8') }),
    isBase64Encoded: base64,
  };
};

export const notification = (fields: Readonly<Record<string, unknown>> = {}) => ({
  order_id: 'QO-123456',
  notification_type: 'order.created',
  timestamp: '2026-01-01T00:00:00Z',
  ...fields,
});

export const activity = (fields: Readonly<Record<string, unknown>> = {}) => ({
  type: 'order_request',
  order_id: 'bK8bg5tajNkDpDk25',
  description: 'A new order request',
  ...fields,
});

/** `Authorization` of HTTP Basic. */
export const basicAuthorization = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
