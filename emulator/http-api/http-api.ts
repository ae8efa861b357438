import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import * as z from 'zod';
import type { Application } from '../application';
import type { LambdaFunction } from '../lambda/functions';
import { nameOfIdentifier } from '../logs/log-events';
import { BodyTooLargeError, type LoopbackServer, readBody, respond, serveOnLoopback } from '../loopback-server';
import type { Answer, AnsweredRequest } from './access-log';
import { toEvent, toPayload } from './event';
import { gatewayResponse, toHttpResponse } from './response';
import { createRouter, type RouteTarget } from './routes';
import { createTokenBucket } from './token-bucket';

const maxBodyBytes = 10 * 1024 * 1024;
const maxIntegrationMs = 30_000;

const apiSchema = z.object({ ProtocolType: z.literal('HTTP'), CorsConfiguration: z.never().optional() });
const routeSettingsSchema = z.object({
  ThrottlingBurstLimit: z.coerce.number().optional(),
  ThrottlingRateLimit: z.coerce.number().optional(),
});
const stageSchema = z.object({
  StageName: z.literal('$default'),
  DefaultRouteSettings: routeSettingsSchema.default({}),
  RouteSettings: z.record(z.string(), routeSettingsSchema).default({}),
  AccessLogSettings: z.object({ DestinationArn: z.string(), Format: z.string() }).optional(),
});
const routeSchema = z.object({
  RouteKey: z.string(),
  Target: z.templateLiteral(['integrations/', z.string()]),
  AuthorizationType: z.literal('NONE').optional(),
});
const integrationSchema = z.object({
  IntegrationType: z.literal('AWS_PROXY'),
  IntegrationUri: z.string(),
  PayloadFormatVersion: z.literal('2.0'),
  TimeoutInMillis: z.coerce.number().default(maxIntegrationMs),
});

/** The response during the start, and when a function exceeds its concurrency or its integration's timeout. */
const unavailable = gatewayResponse(503, 'Service Unavailable');

/** The function behind a route. */
type Target = Pick<LambdaFunction, 'invoke' | 'throttles'>;

interface Integration {
  readonly functionArn: string;
  readonly timeoutMs: number;
}

/** A limit on requests. */
interface Throttle {
  readonly ratePerSecond: number;
  /** Maximum number of requests at once. */
  readonly burst: number;
}

/** An HTTP API, as its template describes it. */
export interface HttpApi {
  readonly apiId: string;
  readonly routes: readonly RouteTarget<Integration>[];
  /** The stage's throttle, shared by the routes that have none of their own. */
  readonly throttle: Throttle | undefined;
  /** Route key → the throttle of that route alone. */
  readonly routeThrottles: ReadonlyMap<string, Throttle>;
  readonly accessLog?: AccessLog | undefined;
}

/** The access log of an API: the name of its log group, and the format of its lines. */
interface AccessLog {
  readonly logGroup: string;
  readonly format: string;
}

/** Reads where the application's HTTP API logs its requests. */
export const readAccessLog = (application: Application): AccessLog | undefined => {
  const settings = application.resources(['AWS::ApiGatewayV2::Stage'], stageSchema)[0]?.properties.AccessLogSettings;
  return settings && { logGroup: nameOfIdentifier(settings.DestinationArn), format: settings.Format };
};

/**
 * Reads the application's HTTP API, if it has one.
 * @throws {Error} if it has several, or one with an unsupported stage, authorizer or integration
 */
export const readHttpApi = (application: Application): HttpApi | undefined => {
  const [api, ...others] = application.resources(['AWS::ApiGatewayV2::Api'], apiSchema);
  if (others.length > 0) {
    throw new Error('The embedded AWS serves only one HTTP API, but the application has several.');
  }
  const integrations = new Map(
    application
      .resources(['AWS::ApiGatewayV2::Integration'], integrationSchema)
      .map(({ name, properties }) => [
        `integrations/${name}`,
        { functionArn: properties.IntegrationUri, timeoutMs: properties.TimeoutInMillis },
      ]),
  );
  const routes = application.resources(['AWS::ApiGatewayV2::Route'], routeSchema).map(({ properties }) => {
    const target = integrations.get(properties.Target);
    if (!target) {
      throw new Error(`The route ${properties.RouteKey} has no integration in the template.`);
    }
    return { routeKey: properties.RouteKey, target };
  });
  const accessLog = readAccessLog(application);
  return api && { apiId: api.name, routes, accessLog, ...readThrottles(application, routes) };
};

const readThrottles = (application: Application, routes: readonly { readonly routeKey: string }[]) => {
  const stage = application.resources(['AWS::ApiGatewayV2::Stage'], stageSchema)[0]?.properties;
  const routeThrottles = new Map<string, Throttle>();
  for (const [routeKey, settings] of Object.entries(stage?.RouteSettings ?? {})) {
    if (!routes.some((route) => route.routeKey === routeKey)) {
      throw new Error(`The API's stage has settings for ${routeKey}, which is not one of its routes.`);
    }
    const throttle = toThrottle({ ...stage?.DefaultRouteSettings, ...settings });
    if (throttle) {
      routeThrottles.set(routeKey, throttle);
    }
  }
  return { throttle: toThrottle(stage?.DefaultRouteSettings ?? {}), routeThrottles };
};

const toThrottle = ({
  ThrottlingRateLimit: ratePerSecond,
  ThrottlingBurstLimit: burst,
}: z.infer<typeof routeSettingsSchema>): Throttle | undefined =>
  ratePerSecond && burst ? { ratePerSecond, burst } : undefined;

/**
 * Serves an HTTP API with API Gateway's limits and responses.
 * @param apiOf returns `starting` until the application is resolved; the server listens before that
 * @param functionAt finds a function by its ARN
 * @param onAnswer receives each request and its response
 */
export const startHttpApi = (
  apiOf: () => HttpApi | 'starting' | undefined,
  functionAt: (arn: string) => Target | undefined,
  preferredPort?: number,
  onAnswer: (request: AnsweredRequest, api: HttpApi) => void = () => undefined,
): Promise<LoopbackServer> => {
  let serve: ((request: IncomingMessage) => Promise<Answer>) | undefined;
  return serveOnLoopback(async (request, response) => {
    const receivedAt = new Date();
    const startedAtMs = performance.now();
    const api = apiOf();
    if (api !== 'starting') {
      serve ??= api ? createGateway(api, functionAt) : async () => byGateway(404, 'Not Found');
    }
    const answer = (await serve?.(request)) ?? { response: unavailable, isIntegrated: false };
    const { statusCode, headers, body } = answer.response;
    const requestId = randomUUID();
    const ownHeaders = Object.entries(headers).map(([name, value]) => [name, [value].flat()]);
    respond(response, statusCode, { ...Object.fromEntries(ownHeaders), 'apigw-requestid': requestId }, body);
    if (api === 'starting' || api === undefined) return;
    const answered = {
      ...answer,
      requestId,
      receivedAt,
      latencyMs: performance.now() - startedAtMs,
      method: request.method ?? 'GET',
      path: pathOf(request),
      sourceIp: request.socket.remoteAddress ?? '127.0.0.1',
    };
    onAnswer(answered, api);
  }, preferredPort);
};

const createGateway = (
  { apiId, routes, throttle, routeThrottles }: HttpApi,
  functionAt: (arn: string) => Target | undefined,
) => {
  const route = createRouter(routes);
  const admitAtStage = createThrottle(throttle);
  const admitAtRoute = new Map([...routeThrottles].map(([routeKey, own]) => [routeKey, createThrottle(own)]));
  return async (request: IncomingMessage): Promise<Answer> => {
    const body = await readBody(request, maxBodyBytes).catch((error: unknown) => {
      if (error instanceof BodyTooLargeError) {
        return undefined;
      }
      throw error;
    });
    const match = route(request.method ?? 'GET', pathOf(request));
    if (!match) {
      return byGateway(404, 'Not Found');
    }
    const { routeKey } = match;
    const admit = admitAtRoute.get(routeKey) ?? admitAtStage;
    if (!admit()) {
      return { ...byGateway(429, 'Too Many Requests'), routeKey };
    }
    if (!body) {
      return { ...byGateway(413, 'Request Entity Too Large'), routeKey };
    }
    const event = toEvent(request, body, { apiId, ...match });
    const payload = toPayload(event);
    if (payload === undefined) {
      return { ...byGateway(413, 'Request Entity Too Large'), routeKey };
    }
    const target = functionAt(match.target.functionArn);
    if (!target) {
      return { ...byGateway(500, 'Internal Server Error'), routeKey, integrationError: 'The function does not exist.' };
    }
    if (target.throttles()) {
      return { response: unavailable, routeKey, isIntegrated: false, integrationError: 'Rate Exceeded.' };
    }
    const { timeoutMs } = match.target;
    const startedAtMs = performance.now();
    const invoked = target.invoke(payload, [event.headers['x-amzn-trace-id']]).then((result): Answer => {
      const integrationLatencyMs = performance.now() - startedAtMs;
      const answered = { response: toHttpResponse(result), routeKey, isIntegrated: true, integrationLatencyMs };
      return result.functionError === undefined ? answered : { ...answered, integrationError: 'The function failed.' };
    });
    const integrationError = 'The function did not respond in time.';
    return withTimeout(invoked, timeoutMs, { response: unavailable, routeKey, isIntegrated: false, integrationError });
  };
};

const pathOf = ({ url }: IncomingMessage): string => url?.split('?')[0] ?? '/';

/** A response of API Gateway itself. */
const byGateway = (statusCode: number, message: string): Answer => ({
  response: gatewayResponse(statusCode, message),
  isIntegrated: false,
});

const createThrottle = (throttle: Throttle | undefined): (() => boolean) =>
  throttle ? createTokenBucket(throttle.ratePerSecond, throttle.burst) : () => true;

const withTimeout = async (answer: Promise<Answer>, timeoutMs: number, late: Answer): Promise<Answer> => {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const timer = setTimeout(() => resolve(late), timeoutMs);
  return Promise.race([answer, promise]).finally(() => clearTimeout(timer));
};
