import * as z from 'zod';
import { type LoopbackServer, readBody, serveOnLoopback } from './loopback-server';

/** Thrown for what a service answers with an error of this name. `details` are further fields of the answer. */
export class ServiceError extends Error {
  constructor(
    override readonly name: string,
    message: string,
    readonly details: object = {},
  ) {
    super(message);
  }
}

/** Answers a request with the body of the response, or throws a {@link ServiceError}. */
export type Action = (request: unknown) => unknown;

/** A service that speaks AWS's JSON protocol. */
export interface JsonService {
  /** As AWS calls it, such as `Secrets Manager`. */
  readonly name: string;
  /** What precedes the action in the `x-amz-target` header. */
  readonly targetPrefix: string;
  readonly version: '1.0' | '1.1';
  /** The error of a request whose parameters are wrong. */
  readonly validationError: 'ValidationException' | 'InvalidParameterException';
  /** The error of a pagination token that the service did not give. */
  readonly tokenError: string;
}

/** An action whose request has exactly these parameters. One that is not served is refused, not ignored. */
export const action =
  <S extends z.ZodRawShape>(parameters: S, answer: (request: z.infer<z.ZodObject<S>>) => unknown): Action =>
  (body) =>
    answer(z.strictObject(parameters).parse(body));

/** What {@link pageOf} throws, before each service gives it its own name. */
export const invalidToken = 'InvalidToken';

/** One sentence for what this program leaves out. */
export const notServed = (what: string, of: string): string => `The embedded AWS does not serve ${what} of ${of}.`;

/**
 * Serves the actions of a service.
 * @param actionsOf undefined while the application is being resolved
 */
export const serveJsonService = (
  service: JsonService,
  actionsOf: () => Readonly<Record<string, Action>> | undefined,
  preferredPort?: number,
): Promise<LoopbackServer> => {
  const actOn = async (target: string, body: string): Promise<unknown> => {
    const actions = actionsOf();
    if (!actions) {
      throw new ServiceError('ServiceUnavailable', 'The embedded AWS is still starting.');
    }
    const [prefix, name = ''] = target.split('.');
    const act = prefix === service.targetPrefix && Object.hasOwn(actions, name) ? actions[name] : undefined;
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

  return serveOnLoopback(async (request, response) => {
    const answer = (status: number, body: unknown) =>
      response
        .writeHead(status, { 'content-type': `application/x-amz-json-${service.version}` })
        .end(JSON.stringify(body));
    const target = request.headers['x-amz-target']?.toString() ?? `${request.method} ${request.url}`;
    try {
      answer(200, await actOn(target, (await readBody(request)).toString()));
    } catch (error) {
      if (!(error instanceof ServiceError)) {
        throw error;
      }
      const status = error.name === 'ServiceUnavailable' ? 503 : 400;
      const name = error.name === invalidToken ? service.tokenError : error.name;
      answer(status, { __type: name, message: error.message, ...error.details });
    }
  }, preferredPort);
};

/**
 * One page of a list. Its token is the index at which the next page begins.
 * @throws {ServiceError} for a token that no page has given
 */
export const pageOf = <T>(all: readonly T[], size: number, nextToken = '0'): { items: T[]; nextToken?: string } => {
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
