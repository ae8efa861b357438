import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { newTraceRoot } from '../lambda/trace';
import { accountId } from '../resource-types';

/** Content types that an HTTP API passes on as text. Any other body, or one without a type, is encoded in base64. */
const textTypes = /^(?:text\/.*|application\/(?:json|javascript|xml|vnd\.api\+json))$/;
/** Hop-by-hop headers, which API Gateway does not pass on. */
const hopByHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade']);

/** Lambda's limit on the payload of a synchronous invocation. */
const maxPayloadBytes = 6 * 1024 * 1024;

/** The route that a request matched. */
export interface Route {
  readonly apiId: string;
  /** `POST /webhook`, or `$default` */
  readonly routeKey: string;
  readonly pathParameters: Readonly<Record<string, string>> | undefined;
}

/**
 * Converts a request to the event that an HTTP API sends to a Lambda function: payload format 2.0.
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export const toEvent = (request: IncomingMessage, body: Buffer, route: Route) => {
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
      accountId,
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
};

/** Serializes an event as the payload of an invocation; undefined if it exceeds Lambda's limit. */
export const toPayload = (event: ReturnType<typeof toEvent>): string | undefined => {
  if ((event.body?.length ?? 0) > maxPayloadBytes) {
    return undefined;
  }
  const payload = JSON.stringify(event);
  return Buffer.byteLength(payload) > maxPayloadBytes ? undefined : payload;
};

const encode = (
  body: Buffer,
  headers: Readonly<Record<string, string>>,
): { readonly body?: string | undefined; readonly isBase64Encoded: boolean } => {
  if (body.length === 0) {
    return { isBase64Encoded: false };
  }
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
  const isText = textTypes.test(type) && headers['content-encoding'] === undefined;
  // A body that is not valid UTF-8 would lose bytes as text.
  return isText && isUtf8(body)
    ? { body: body.toString('utf8'), isBase64Encoded: false }
    : { body: body.toString('base64'), isBase64Encoded: true };
};

const headersOf = (request: IncomingMessage): Record<string, string> => {
  const pairs: [string, string][] = [];
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index]?.toLowerCase() ?? '';
    if (!hopByHop.has(name)) {
      pairs.push([name, request.rawHeaders[index + 1] ?? '']);
    }
  }
  return joinDuplicates(pairs);
};

const joinDuplicates = (pairs: readonly [string, string][]): Record<string, string> => {
  const joined = new Map<string, string>();
  for (const [name, value] of pairs) {
    const separator = name === 'cookie' ? '; ' : ',';
    const before = joined.get(name);
    joined.set(name, before === undefined ? value : `${before}${separator}${value}`);
  }
  return Object.fromEntries(joined);
};

/** `12/Mar/2026:19:03:58 +0000` */
const commonLogTime = (now: Date): string => {
  const [, day, month, year, time] = now.toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
};
