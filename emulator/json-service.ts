import { gunzipSync } from 'node:zlib';
import * as z from 'zod';
import { type Listener, type LoopbackServer, readBody, respond, serveOnLoopback } from './loopback-server';
import { notServed } from './not-served';

/** Thrown to send an error response with this name. `details` are further fields of the response. */
export class ServiceError extends Error {
  constructor(
    override readonly name: string,
    message: string,
    readonly details: object = {},
  ) {
    super(message);
  }
}

/** Returns the body of the response to a request, or throws a {@link ServiceError}. */
export type Action = (request: unknown) => unknown;

/** A service that uses AWS's JSON protocol. */
export interface JsonService {
  /** AWS's name for it, such as `Secrets Manager`. */
  readonly name: string;
  /** The text before the action in the `x-amz-target` header. */
  readonly targetPrefix: string;
  readonly version: '1.0' | '1.1';
  /** Error name for invalid parameters. */
  readonly validationError: 'ValidationException' | 'ValidationError' | 'InvalidParameterException';
  /** Error name for an invalid pagination token. */
  readonly tokenError: string;
  /** Actions that AWS does not have, by method and path, such as `POST /_control/advance`. */
  readonly control?: Readonly<Record<string, Action>>;
}

/** Defines an action with exactly these parameters. Any other parameter is rejected, not ignored. */
export const action =
  <S extends z.ZodRawShape>(parameters: S, respond: (request: z.infer<z.ZodObject<S>>) => unknown): Action =>
  (body) =>
    respond(z.strictObject(parameters).parse(body));

/** Error name that {@link pageOf} throws. Each service replaces it with its own name. */
export const invalidToken = 'InvalidToken';

/**
 * Serves the actions of a service.
 * @param actionsOf returns undefined until the application is resolved
 */
export const serveJsonService = (
  service: JsonService,
  actionsOf: () => Readonly<Record<string, Action>> | undefined,
  preferredPort?: number,
): Promise<LoopbackServer> => serveOnLoopback(createJsonListener(service, actionsOf), preferredPort);

/** Like {@link serveJsonService}, for a server that serves several services. */
export const createJsonListener = (
  service: JsonService,
  actionsOf: () => Readonly<Record<string, Action>> | undefined,
): Listener => {
  const actOn = async (target: string, body: string): Promise<unknown> => {
    const actions = actionsOf();
    if (!actions) {
      throw new ServiceError('ServiceUnavailable', 'The embedded AWS is still starting.');
    }
    const [prefix, name = target] = target.split('.');
    const served = prefix === service.targetPrefix ? actions : (service.control ?? {});
    const act = Object.hasOwn(served, name) ? served[name] : undefined;
    if (!act) {
      const what = prefix === service.targetPrefix ? name : target;
      throw new ServiceError('UnknownOperationException', notServed(what, service.name));
    }
    try {
      return await act(readJson(body));
    } catch (error) {
      throw error instanceof z.ZodError ? toValidationError(service, name, error) : error;
    }
  };

  return async (request, response) => {
    const headers = { 'content-type': `application/x-amz-json-${service.version}` };
    const send = (status: number, body: unknown) => respond(response, status, headers, JSON.stringify(body));
    const target = request.headers['x-amz-target']?.toString() ?? `${request.method} ${request.url}`;
    try {
      const body = await readBody(request);
      const isCompressed = request.headers['content-encoding'] === 'gzip';
      send(200, await actOn(target, (isCompressed ? gunzipSync(body) : body).toString()));
    } catch (error) {
      if (!(error instanceof ServiceError)) {
        throw error;
      }
      const status = error.name === 'ServiceUnavailable' ? 503 : 400;
      const name = error.name === invalidToken ? service.tokenError : error.name;
      send(status, { __type: name, message: error.message, ...error.details });
    }
  };
};

/**
 * Returns one page of a list. Its token is the index of the first item of the next page.
 * @throws {ServiceError} for an invalid token
 */
export const pageOf = <T>(
  all: readonly T[],
  size: number,
  nextToken = '0',
): { readonly items: T[]; readonly nextToken?: string } => {
  if (!/^\d{1,9}$/.test(nextToken)) {
    throw new ServiceError(invalidToken, `Invalid Token: '${nextToken}'`);
  }
  const start = Number(nextToken);
  const end = start + size;
  return { items: all.slice(start, end), ...(end < all.length && { nextToken: String(end) }) };
};

const readJson = (text: string): unknown => {
  try {
    return JSON.parse(text === '' ? '{}' : text);
  } catch {
    throw new ServiceError('SerializationException', 'The body of the request is not JSON.');
  }
};

const toValidationError = ({ name, validationError }: JsonService, action: string, { issues }: z.ZodError) => {
  const [first] = issues.filter(({ code, path }) => code === 'unrecognized_keys' && path.length === 0);
  if (first?.code === 'unrecognized_keys') {
    return new ServiceError(validationError, notServed(`the parameter ${first.keys.join(', ')}`, `${name} ${action}`));
  }
  const faults = issues.map(({ path, message }) => `Value at '${path.join('.')}' is not valid: ${message}`);
  const count = `${faults.length} validation error${faults.length === 1 ? '' : 's'} detected`;
  return new ServiceError(validationError, `${count}: ${faults.join('; ')}`);
};
