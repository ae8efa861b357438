import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import { invalidToken, pageOf, ServiceError } from '../json-service';
import { type LoopbackServer, readBody, serveOnLoopback } from '../loopback-server';
import type { MappingSwitch } from '../mapping-switches';
import { notServed } from '../not-served';
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

/** A mapping with its template's values and its present state. */
const describeMapping = ({ mapping, state }: MappingSwitch, functions: Functions) => ({
  UUID: mapping.UUID,
  EventSourceArn: mapping.EventSourceArn,
  FunctionArn: functions.find(mapping.FunctionName)?.configuration.FunctionArn,
  BatchSize: mapping.BatchSize,
  MaximumBatchingWindowInSeconds: mapping.MaximumBatchingWindowInSeconds,
  FunctionResponseTypes: mapping.FunctionResponseTypes,
  ScalingConfig: mapping.ScalingConfig,
  State: state(),
});

const updateSchema = z.strictObject({ Enabled: z.boolean() });

/** Serves the actions on event source mappings. Of a mapping, only `Enabled` can be updated. */
const actOnMappings = (
  switches: readonly MappingSwitch[],
  functions: Functions,
  action: MappingAction,
  uuid: string | undefined,
  { query, body }: LambdaRequest,
): LambdaResponse => {
  if (action === 'ListEventSourceMappings') {
    const wanted = query.get('FunctionName');
    const arn = wanted === null ? undefined : functions.find(wanted)?.configuration.FunctionArn;
    const listed = switches
      .map((one) => describeMapping(one, functions))
      .filter(({ FunctionArn }) => wanted === null || FunctionArn === arn);
    const { items, nextToken } = pageOf(listed, 100, query.get('Marker') ?? undefined);
    return json({ EventSourceMappings: items, NextMarker: nextToken });
  }
  const found = switches.find(({ mapping }) => mapping.UUID === uuid);
  if (!found) throw new ServiceError('ResourceNotFoundException', 'The resource you requested does not exist.');
  if (action === 'GetEventSourceMapping') return json(describeMapping(found, functions));
  const update = updateSchema.safeParse(JSON.parse(body));
  if (!update.success) {
    throw new ServiceError(
      'InvalidParameterValueException',
      notServed('any parameter but Enabled', `Lambda ${action}`),
    );
  }
  found.setEnabled(update.data.Enabled);
  return { ...json(describeMapping(found, functions)), status: 202 };
};

const mappingActions = ['ListEventSourceMappings', 'GetEventSourceMapping', 'UpdateEventSourceMapping'] as const;
type MappingAction = (typeof mappingActions)[number];

/**
 * Serves Lambda's actions that list, describe and invoke functions, change their reserved concurrency, and list, disable
 * and enable event source mappings, so that any SDK and the AWS CLI can call it.
 * A failed `Event` invocation is not retried. A changed reserved concurrency is valid until the next start.
 * @param functionsOf returns undefined until the application is resolved
 */
export const startLambdaApi = (
  functionsOf: () => Functions | undefined,
  preferredPort?: number,
  mappingsOf: () => readonly MappingSwitch[] = () => [],
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
      const call = { query: url.searchParams, headers: request.headers, body };
      const mappingAction = mappingActions.find((one) => one === action);
      const result = mappingAction
        ? actOnMappings(mappingsOf(), functions, mappingAction, name, call)
        : await act(functions, action, name, call);
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
  ResourceInUseException: 400,
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
    case 'GetFunctionConcurrency':
      return json({ ReservedConcurrentExecutions: found().reserved() });
    case 'PutFunctionConcurrency': {
      const reservation = reservationSchema.safeParse(parseJson(request.body));
      if (!reservation.success) {
        throw new ServiceError('InvalidParameterValueException', z.prettifyError(reservation.error));
      }
      found().reserve(reservation.data.ReservedConcurrentExecutions);
      return json(reservation.data);
    }
    case 'DeleteFunctionConcurrency':
      found().reserve(undefined);
      return { status: 204 };
    default:
      throw new ServiceError('UnknownOperationException', notServed(action, 'Lambda'));
  }
};

const reservationSchema = z.strictObject({ ReservedConcurrentExecutions: z.int().min(0) });

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
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
      if (lambda.throttles()) {
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
