import { type ClientResponse, hc } from 'hono/client';
import type { Api } from '../server/app';
import type { ConsoleFaultKind, FaultDocument } from '../server/faults';

/** The API of the console. The types of requests and documents are those of the server's routes. */
export const api = hc<Api>(`${location.origin}/api`);

/** An error of the API, or `offline` if the console does not run any more. */
export class ApiFault extends Error {
  override readonly name = 'ApiFault';

  constructor(
    readonly kind: ConsoleFaultKind | 'offline',
    message: string,
    readonly faults: readonly string[] = [],
  ) {
    super(message);
  }
}

const isFault = (document: unknown): document is FaultDocument =>
  typeof document === 'object' && document !== null && 'error' in document;

const responseOf = <Response>(request: Promise<Response>): Promise<Response> =>
  request.catch(() => {
    throw new ApiFault('offline', 'The console does not run any more. Start it again, and open its new address.');
  });

/**
 * Reads a document: `load(api.status.$get())`.
 *
 * @throws {ApiFault}
 */
export const load = async <T>(request: Promise<ClientResponse<T, number, 'json'>>): Promise<T> => {
  const response = await responseOf(request);
  const document: unknown = await response.json().catch(() => undefined);
  if (response.ok) return document as T;
  return refuse(response, document);
};

/**
 * Reads a file.
 *
 * @throws {ApiFault}
 */
export const loadFile = async (request: Promise<ClientResponse<unknown>>): Promise<Blob> => {
  const response = await responseOf(request);
  return response.ok ? response.blob() : refuse(response, await response.json().catch(() => undefined));
};

const refuse = (response: { readonly status: number }, document: unknown): never => {
  if (!isFault(document)) throw new ApiFault('failed', `The console responded with ${response.status}.`);
  const { kind, message, faults } = document.error;
  throw new ApiFault(kind, message, faults);
};
