import { IncomingMessage, validateHeaderName, validateHeaderValue } from 'node:http';
import { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { toEvent, toPayload } from '../../../emulator/http-api/event';
import { gatewayResponse, type HttpResponse, toHttpResponse } from '../../../emulator/http-api/response';
import { createAuthenticator, type WebhookSecret } from '../../../lambdas/webhook/authenticate';
import { createHandler } from '../../../lambdas/webhook/handler';
import { createLogger } from '../../../shared/observability/logger';
import type { RoundStart } from '../../../shared/orders/repository';
import { createRoundStarter } from '../../../shared/orders/start-round';
import { lambdaContext } from '../../support/lambda-context';
import { recordMetrics } from '../../support/metrics';
import { secretOf } from '../../support/secrets';
import { activity, basicAuthorization, notification } from '../../support/webhook-calls';
import { type Bytes, hostileBytes, largeCorpus, toBuffer } from '../bytes';
import type { FuzzTarget } from '../engine';
import { hostileTexts } from '../hostile-values';
import { leaksOf } from '../leaks';

const username = 'qualia-user-7f3a';
const password = 'pa55-hunter2-9b1c';
const signingSecret = `whsec_${Buffer.from('0123456789abcdef01234567').toString('base64')}`;
const secret: WebhookSecret = { basic: [{ username, password }], signing_secrets: [signingSecret] };
const description = 'call Zebedee Quillfeather before noon';

interface Input {
  readonly method: string;
  readonly url: string;
  /** Names and values, alternating. */
  readonly headers: readonly string[];
  readonly credentials: 'basic' | 'signature' | 'svix' | 'none';
  readonly body: Bytes;
  /** The expected status, if only one is possible. */
  readonly status?: number;
  /** Overrides of the event, for events that no gateway creates. */
  readonly overrides?: { readonly body: string | undefined; readonly isBase64Encoded: boolean } | undefined;
}

interface Outcome {
  readonly response: HttpResponse;
  readonly started: readonly RoundStart[];
}

const started: RoundStart[] = [];
const socket = new Socket();
const handler = createHandler({
  authenticate: createAuthenticator(secretOf(secret)),
  startRound: createRoundStarter({
    repository: {
      startRound: async (start) => {
        started.push(start);
        return { applied: true };
      },
    },
    downloadQueue: { send: async () => undefined },
    now: Date.now,
  }),
  keepRefused: async () => 'refused-1',
  logger: createLogger({ STAGE: 'dev', SERVICE_VERSION: '1' }),
  metrics: recordMetrics().recorder,
  health: { version: '1', commit: 'abc', stage: 'dev' },
  newRequestId: () => 'request-1',
  monotonicNow: () => performance.now(),
});

/** Does not sign bodies above the size limit: they are refused anyway, and signing them is slow. */
const signatureOver = (body: Buffer, prefix: string): readonly string[] => {
  if (body.length > 300_000) return [];
  const now = new Date();
  const signature = new Webhook(signingSecret).sign('msg_1', now, body.toString());
  const timestamp = String(Math.floor(now.getTime() / 1_000));
  return [`${prefix}-id`, 'msg_1', `${prefix}-timestamp`, timestamp, `${prefix}-signature`, signature];
};

const requestOf = ({ method, url, headers, credentials }: Input, body: Buffer): IncomingMessage => {
  const signed = {
    basic: () => ['Authorization', basicAuthorization(username, password)],
    signature: () => signatureOver(body, 'webhook'),
    svix: () => signatureOver(body, 'svix'),
    none: () => [],
  }[credentials]();
  return Object.assign(new IncomingMessage(socket), {
    method,
    url,
    httpVersion: '1.1',
    rawHeaders: ['Host', 'api.example', ...headers, ...signed],
  });
};

const headerName = fc.constantFrom(
  ...[
    'content-type',
    'content-type',
    'authorization',
    'webhook-id',
    'webhook-timestamp',
    'webhook-signature',
    'svix-id',
    'svix-signature',
    'cookie',
  ],
  ...['content-encoding', 'x-forwarded-for', 'x-amzn-trace-id', 'x-request-id', 'host', '__proto__', 'constructor'],
);
const headerValue = fc.oneof(
  fc.constantFrom(
    ...[
      'application/json',
      'application/json; charset=utf-8',
      'APPLICATION/JSON',
      'application/a+json',
      'text/validCall',
    ],
    ...[
      'Basic',
      'Basic Og==',
      'Basic ====',
      'Basic //////',
      `Bearer ${password}`,
      'v1,',
      'v1',
      'v1,a v1,b',
      'v1,BAD,v1,a',
      'gzip',
    ],
    ...[
      'identity',
      'application/json,application/json',
      'application/json; a="b,c"',
      'application/json, text/validCall',
    ],
    ...[`application/${'+'.repeat(8_000)}json`, `Basic ${'A'.repeat(8_000)}!`, '1e999', '-1', '99999999999999999999'],
  ),
  fc.constantFrom(...hostileTexts),
  fc.string({ unit: 'binary', maxLength: 20 }),
);

const overrides = fc.record({
  body: fc.oneof(
    fc.constant(undefined),
    fc.constantFrom(...hostileTexts, '====', '!!!!', 'e30', 'e30=', 'eyJ9\n', 'data:application/json;base64,e30='),
    fc.base64String(),
  ),
  isBase64Encoded: fc.boolean(),
});

const bodies = [
  notification(),
  notification({ notification_type: 'order.updated', timestamp: '2026-01-01T00:00+02:00', extra: { a: [1] } }),
  notification({ timestamp: '2026-11-26 05:00:00,100900 -0500' }),
  activity({ description }),
  activity({ type: 'message', message_id: 'm1', description }),
];

const validCall: Input = {
  method: 'POST',
  url: '/webhooks/qualia',
  headers: ['Content-Type', 'application/json'],
  credentials: 'basic',
  body: Buffer.from(JSON.stringify(notification())),
};

/** Valid timestamps, and one of a day that does not exist. */
const timestamps = [
  '2026-11-26T10:00:00+0000',
  '2026-11-26T05:00:00-05',
  '2026-11-26T10:00:00,5Z',
  '2026-11-26t10:00:00z',
  '2026-11-26T10:00:00.100100Z',
  '2026-11-26T10:00:00.100900Z',
  `2026-11-26T10:00:00.${'0'.repeat(200_000)}1Z`,
  '2026-02-30T10:00:00Z',
];

const possibleStatuses = [200, 400, 401, 404, 405, 413, 415, 422];
/** Statuses that an unauthenticated caller can get. `/health` is public. */
const publicStatuses = [401, 404, 405, 413, 415];
const orderId = /^[A-Za-z0-9_-]{1,128}$/;
const round = /^\d{15}-[0-9a-f]{12}$/;
const secretTexts = [password, signingSecret, signingSecret.slice(6), description, 'Zebedee'];

const headerFaults = (headers: HttpResponse['headers']): readonly string[] =>
  Object.entries(headers).flatMap(([name, value]) => {
    try {
      validateHeaderName(name);
      for (const one of [value].flat()) validateHeaderValue(name, one);
      return [];
    } catch {
      return [`the header ${name} is invalid`];
    }
  });

/** A call of the webhook. Request and response are converted like in the HTTP API. */
export const webhook: FuzzTarget<Input, Outcome> = {
  name: 'webhook',
  corpus: {
    'a valid call': validCall,
    ...largeCorpus(bodies[1], (body) => ({ ...validCall, body })),
    ...largeCorpus(bodies[0], (body) => ({ ...validCall, credentials: 'none', body }), 'the body without credentials'),
    ...largeCorpus(bodies[0], (body) => ({ ...validCall, headers: [], body }), 'the body without headers'),
    'invalid base64': { ...validCall, overrides: { body: '!'.repeat(300_000), isBase64Encoded: true } },
    'no body, in base64': { ...validCall, overrides: { body: undefined, isBase64Encoded: true } },
    'headers named like properties of every object': {
      ...validCall,
      headers: ['__proto__', 'x', 'constructor', 'x', 'toString', 'x', 'hasOwnProperty', 'x'],
    },
    ...Object.fromEntries(
      timestamps.map((timestamp) => [
        `the time ${timestamp.slice(0, 40)}`,
        { ...validCall, body: Buffer.from(JSON.stringify(notification({ timestamp }))) },
      ]),
    ),
    'the earliest time': {
      ...validCall,
      body: Buffer.from(JSON.stringify(notification({ timestamp: '0001-01-01T00:00:00Z' }))),
    },
    'two signatures, the wrong one first': {
      ...validCall,
      credentials: 'signature',
      headers: [...validCall.headers, 'webhook-signature', 'v1,BAD'],
      status: 200,
    },
    'a signature in the headers of Svix': { ...validCall, credentials: 'svix', status: 200 },
    'two equal content types': { ...validCall, headers: [...validCall.headers, ...validCall.headers], status: 200 },
    'two Authorization headers': {
      ...validCall,
      headers: [...validCall.headers, 'Authorization', basicAuthorization(username, password)],
      status: 401,
    },
    'a compressed body': {
      ...validCall,
      headers: [...validCall.headers, 'Content-Encoding', 'gzip'],
      body: gzipSync(JSON.stringify(bodies[0])),
      status: 415,
    },
    'a compressed body with a signature': {
      ...validCall,
      credentials: 'signature',
      headers: [...validCall.headers, 'Content-Encoding', 'gzip'],
      body: gzipSync(JSON.stringify(bodies[0])),
      status: 415,
    },
    'HEAD /health': { ...validCall, method: 'HEAD', url: '/health', credentials: 'none', status: 200 },
    'the latest time': {
      ...validCall,
      body: Buffer.from(JSON.stringify(notification({ timestamp: '9999-12-31T23:59:59.999Z' }))),
    },
  },
  arbitrary: fc.record({
    method: fc.oneof(
      { weight: 30, arbitrary: fc.constant('POST') },
      { weight: 1, arbitrary: fc.constantFrom('GET', 'PUT', 'HEAD', 'OPTIONS', 'post', '', '__proto__') },
    ),
    url: fc.oneof(
      { weight: 30, arbitrary: fc.constant('/webhooks/qualia') },
      { weight: 1, arbitrary: fc.constantFrom('/health', '/webhooks/qualia?__proto__=1&__proto__=2', '/?%', '*', '') },
      { weight: 1, arbitrary: fc.constantFrom(...hostileTexts).map((text) => `/${text}`) },
    ),
    headers: fc.oneof(
      { weight: 4, arbitrary: fc.constant(validCall.headers) },
      { weight: 1, arbitrary: fc.array(fc.tuple(headerName, headerValue), { maxLength: 3 }).map((all) => all.flat()) },
    ),
    credentials: fc.oneof(
      { weight: 12, arbitrary: fc.constant('basic' as const) },
      { weight: 1, arbitrary: fc.constantFrom('signature' as const, 'svix' as const) },
      { weight: 2, arbitrary: fc.constant('none' as const) },
    ),
    body: hostileBytes(bodies),
    overrides: fc.oneof({ weight: 12, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: overrides }),
  }),
  run: async (input) => {
    started.length = 0;
    const body = toBuffer(input.body);
    const route = { apiId: 'api', routeKey: '$default', pathParameters: undefined };
    const event = { ...toEvent(requestOf(input, body), body, route), ...input.overrides };
    // The gateway and the Lambda exchange the event and the response as JSON.
    const payload = toPayload(event);
    if (payload === undefined) return { response: gatewayResponse(413, 'Request Entity Too Large'), started: [] };
    const response = await handler(JSON.parse(payload), lambdaContext());
    return { response: toHttpResponse({ payload: JSON.stringify(response) }), started: [...started] };
  },
  check: ({ response: { statusCode, headers, body }, started }, { credentials, url, status = statusCode }) => {
    const text = body.toString();
    const [first, ...others] = started;
    const isPublic = publicStatuses.includes(statusCode) || (statusCode === 200 && url === '/health');
    return [
      ...(credentials === 'none' && (started.length > 0 || !isPublic)
        ? [`an unauthenticated caller got ${statusCode}`]
        : []),
      ...(statusCode === status ? [] : [`it responded with ${statusCode} instead of ${status}`]),
      ...(possibleStatuses.includes(statusCode) ? [] : [`it responded with ${statusCode}`]),
      ...(headers['x-request-id'] === 'request-1' || statusCode === 413
        ? []
        : ['the response is not from the handler']),
      ...(body.length > 2_000 ? [`the response has ${body.length} bytes`] : []),
      ...headerFaults(headers),
      ...leaksOf(text + JSON.stringify(headers), secretTexts),
      ...((first !== undefined) === (statusCode === 200 && text.includes('order_id'))
        ? []
        : ['the response and the started rounds do not match']),
      ...(others.length > 0 ? ['several rounds were started'] : []),
      ...(first && !orderId.test(first.orderId) ? ['the order id is not a valid key segment'] : []),
      ...(first && !round.test(first.round) ? ['the round is invalid'] : []),
    ];
  },
  secretTexts,
};
