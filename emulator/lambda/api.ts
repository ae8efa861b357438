import { pathToFileURL } from 'node:url';
import { invalidToken, notServed, pageOf, ServiceError } from '../json-service';
import { type LoopbackServer, readBody, serveOnLoopback } from '../loopback-server';
import { actionOf } from './api-actions';
import type { Functions, LambdaFunction } from './functions';

/** A request to an action. */
interface LambdaRequest {
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

interface LambdaResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body?: string;
  /** Work that continues after the response. */
  readonly background?: Promise<unknown>;
}

/**
 * Serves Lambda's actions that list, describe and invoke functions, so that any SDK and the AWS CLI can invoke one.
 * A failed `Event` invocation is not retried.
 * @param functionsOf returns undefined until the application is resolved
 */
export const startLambdaApi = (
  functionsOf: () => Functions | undefined,
  preferredPort?: number,
): Promise<LoopbackServer> =>
  serveOnLoopback(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://lambda');
    const body = (await readBody(request)).toString();
    try {
      const { action, name } = actionOf(request.method ?? 'GET', url.pathname);
      const functions = functionsOf();
      if (!functions) {
        throw new ServiceError('ServiceUnavailable', 'The embedded AWS is still starting.');
      }
      const result = await act(functions, action, name, { query: url.searchParams, headers: request.headers, body });
      response.writeHead(result.status, { 'content-type': 'application/json', ...result.headers }).end(result.body);
      await result.background;
    } catch (error) {
      if (!(error instanceof ServiceError)) {
        throw error;
      }
      const name = error.name === invalidToken ? 'InvalidParameterValueException' : error.name;
      response
        .writeHead(httpStatuses[name] ?? 400, { 'content-type': 'application/json', 'x-amzn-errortype': name })
        .end(JSON.stringify({ Type: 'User', Message: error.message }));
    }
  }, preferredPort);

const httpStatuses: Readonly<Record<string, number>> = {
  ResourceNotFoundException: 404,
  UnknownOperationException: 404,
  ServiceUnavailable: 503,
  TooManyRequestsException: 429,
};

const act = async (
  functions: Functions,
  action: string,
  name: string | undefined,
  request: LambdaRequest,
): Promise<LambdaResponse> => {
  const found = (): LambdaFunction => {
    const lambda = functions.find(name ?? '');
    if (!lambda) {
      throw new ServiceError('ResourceNotFoundException', `Function not found: ${name}`);
    }
    return lambda;
  };
  switch (action) {
    case 'Invoke':
      return invoke(found(), request);
    case 'ListFunctions':
      return json(listFunctions(functions, request.query));
    case 'GetFunctionConfiguration':
      return json(found().configuration);
    case 'GetFunction': {
      const { configuration, definition } = found();
      const Location = pathToFileURL(definition.codeDirectory).href;
      return json({ Configuration: configuration, Code: { RepositoryType: 'S3', Location } });
    }
    default:
      throw new ServiceError('UnknownOperationException', notServed(action, 'Lambda'));
  }
};

const listFunctions = (functions: Functions, query: URLSearchParams) => {
  const size = Number(query.get('MaxItems') ?? 50);
  if (!Number.isInteger(size) || size < 1 || size > 10_000) {
    throw new ServiceError('InvalidParameterValueException', 'MaxItems must be a whole number from 1 to 10000.');
  }
  const configurations = functions.all
    .map(({ configuration }) => configuration)
    .toSorted((a, b) => (a.FunctionName < b.FunctionName ? -1 : 1));
  const { items, nextToken } = pageOf(configurations, Math.min(size, 50), query.get('Marker') ?? undefined);
  return { Functions: items, NextMarker: nextToken };
};

const invoke = async (lambda: LambdaFunction, { headers, body }: LambdaRequest): Promise<LambdaResponse> => {
  const cause = headers['x-amzn-trace-id']?.toString();
  if (lambda.stopsLoop(cause)) {
    const message = 'Lambda has detected your function being invoked in a recursive loop with other AWS resources';
    throw new ServiceError('RecursiveInvocationException', message);
  }
  const event = body || '{}';
  const causes = cause === undefined ? [] : [cause];
  switch (headers['x-amz-invocation-type']) {
    case 'DryRun':
      return { status: 204 };
    case 'Event':
      return { status: 202, background: lambda.invoke(event, causes) };
    default: {
      if (lambda.isThrottled()) {
        throw new ServiceError('TooManyRequestsException', 'Rate Exceeded.');
      }
      const { payload, functionError } = await lambda.invoke(event, causes);
      return {
        status: 200,
        headers: {
          'x-amz-executed-version': '$LATEST',
          ...(functionError && { 'x-amz-function-error': functionError }),
        },
        body: payload,
      };
    }
  }
};

const json = (body: unknown): LambdaResponse => ({ status: 200, body: JSON.stringify(body) });
