import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import * as z from 'zod';
import type { Application } from '../application';
import type { LambdaFunction } from '../lambda/functions';
import { BodyTooLargeError, type LoopbackServer, readBody, serveOnLoopback } from '../loopback-server';
import { toEvent, toPayload } from './event';
import { gatewayResponse, type HttpResponse, toHttpResponse } from './response';
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
type Target = Pick<LambdaFunction, 'invoke' | 'isThrottled'>;

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
}

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
  return api && { apiId: api.name, routes, ...readThrottles(application, routes) };
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
 */
export const startHttpApi = (
  apiOf: () => HttpApi | 'starting' | undefined,
  functionAt: (arn: string) => Target | undefined,
  preferredPort?: number,
): Promise<LoopbackServer> => {
  let serve: ((request: IncomingMessage) => Promise<HttpResponse>) | undefined;
  return serveOnLoopback(async (request, response) => {
    const api = apiOf();
    if (api !== 'starting') {
      serve ??= api ? createGateway(api, functionAt) : async () => gatewayResponse(404, 'Not Found');
    }
    const { statusCode, headers, body } = (await serve?.(request)) ?? unavailable;
    response.writeHead(statusCode, {
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat()])),
      'apigw-requestid': randomUUID(),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }, preferredPort);
};

const createGateway = (
  { apiId, routes, throttle, routeThrottles }: HttpApi,
  functionAt: (arn: string) => Target | undefined,
) => {
  const route = createRouter(routes);
  const admitAtStage = createThrottle(throttle);
  const admitAtRoute = new Map([...routeThrottles].map(([routeKey, own]) => [routeKey, createThrottle(own)]));
  return async (request: IncomingMessage): Promise<HttpResponse> => {
    const body = await readBody(request, maxBodyBytes).catch((error: unknown) => {
      if (error instanceof BodyTooLargeError) {
        return undefined;
      }
      throw error;
    });
    const match = route(request.method ?? 'GET', request.url?.split('?')[0] ?? '/');
    if (!match) {
      return gatewayResponse(404, 'Not Found');
    }
    const admit = admitAtRoute.get(match.routeKey) ?? admitAtStage;
    if (!admit()) {
      return gatewayResponse(429, 'Too Many Requests');
    }
    if (!body) {
      return gatewayResponse(413, 'Request Entity Too Large');
    }
    const event = toEvent(request, body, { apiId, ...match });
    const payload = toPayload(event);
    if (payload === undefined) {
      return gatewayResponse(413, 'Request Entity Too Large');
    }
    const target = functionAt(match.target.functionArn);
    if (!target) {
      return gatewayResponse(500, 'Internal Server Error');
    }
    if (target.isThrottled()) {
      return unavailable;
    }
    const result = target.invoke(payload, [event.headers['x-amzn-trace-id']]);
    return withTimeout(result.then(toHttpResponse), match.target.timeoutMs);
  };
};

const createThrottle = (throttle: Throttle | undefined): (() => boolean) =>
  throttle ? createTokenBucket(throttle.ratePerSecond, throttle.burst) : () => true;

const withTimeout = async (response: Promise<HttpResponse>, timeoutMs: number): Promise<HttpResponse> => {
  const { promise, resolve } = Promise.withResolvers<HttpResponse>();
  const timer = setTimeout(() => resolve(unavailable), timeoutMs);
  return Promise.race([response, promise]).finally(() => clearTimeout(timer));
};
