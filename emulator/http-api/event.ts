import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { newTraceRoot } from '../lambda/trace';
import { ACCOUNT_ID } from '../resource-types';

/** The types that an HTTP API hands on as text; every other body, and one without a type, arrives in base64. */
const TEXT_TYPES = /^(?:text\/.*|application\/(?:json|javascript|xml|vnd\.api\+json))$/;
/** Headers between two hops, which no API Gateway hands on. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade']);

/** What Lambda takes at most as the payload of a synchronous invocation. */
const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;

/** Where a request landed. */
export interface Route {
  readonly apiId: string;
  /** `POST /webhook`, or `$default` */
  readonly routeKey: string;
  readonly pathParameters: Readonly<Record<string, string>> | undefined;
}

/**
 * A request as an HTTP API tells a Lambda function of it: payload format 2.0.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function toEvent(request: IncomingMessage, body: Buffer, route: Route) {
  const method = request.method ?? 'GET';
  const [rawPath = '/', ...query] = (request.url ?? '/').split('?');
  const rawQueryString = query.join('?');
  const parameters = joinDuplicates([...new URLSearchParams(rawQueryString)]);
  const received = headersOf(request);
  const { cookie, ...headers } = received;
  const sourceIp = request.socket.remoteAddress ?? '127.0.0.1';
  const domainName = headers.host ?? 'localhost';
  const now = new Date();
  return {
    version: '2.0',
    routeKey: route.routeKey,
    rawPath,
    rawQueryString,
    ...(cookie && { cookies: cookie.split(';').map((one) => one.trim()) }),
    headers: {
      ...headers,
      'x-amzn-trace-id': headers['x-amzn-trace-id'] ?? newTraceRoot(now),
      'x-forwarded-for': [headers['x-forwarded-for'], sourceIp].filter(Boolean).join(', '),
      'x-forwarded-port': String(request.socket.localPort),
      'x-forwarded-proto': 'http',
    },
    ...(Object.keys(parameters).length > 0 && { queryStringParameters: parameters }),
    ...(route.pathParameters && { pathParameters: route.pathParameters }),
    requestContext: {
      accountId: ACCOUNT_ID,
      apiId: route.apiId,
      domainName,
      domainPrefix: domainName.split('.')[0],
      http: {
        method,
        path: rawPath,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey: route.routeKey,
      stage: '$default',
      time: commonLogTime(now),
      timeEpoch: now.getTime(),
    },
    ...encode(body, headers),
  };
}

/** An event as the payload of an invocation; nothing when it is more than Lambda takes. */
export function toPayload(event: ReturnType<typeof toEvent>): string | undefined {
  if ((event.body?.length ?? 0) > MAX_PAYLOAD_BYTES) {
    return undefined;
  }
  const payload = JSON.stringify(event);
  return Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES ? undefined : payload;
}

function encode(
  body: Buffer,
  headers: Readonly<Record<string, string>>,
): { body?: string | undefined; isBase64Encoded: boolean } {
  if (body.length === 0) {
    return { isBase64Encoded: false };
  }
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
  const isText = TEXT_TYPES.test(type) && headers['content-encoding'] === undefined;
  // Text that is none would lose bytes as text.
  return isText && isUtf8(body)
    ? { body: body.toString('utf8'), isBase64Encoded: false }
    : { body: body.toString('base64'), isBase64Encoded: true };
}

function headersOf(request: IncomingMessage): Record<string, string> {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index]?.toLowerCase() ?? '';
    if (!HOP_BY_HOP.has(name)) {
      pairs.push([name, request.rawHeaders[index + 1] ?? '']);
    }
  }
  return joinDuplicates(pairs);
}

function joinDuplicates(pairs: readonly [string, string][]): Record<string, string> {
  const joined = new Map<string, string>();
  for (const [name, value] of pairs) {
    const separator = name === 'cookie' ? '; ' : ',';
    const before = joined.get(name);
    joined.set(name, before === undefined ? value : `${before}${separator}${value}`);
  }
  return Object.fromEntries(joined);
}

/** `12/Mar/2026:19:03:58 +0000` */
function commonLogTime(now: Date): string {
  const [, day, month, year, time] = now.toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
}
