/** One HTTP exchange, over a connection that is kept alive. */
import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type Timeouts, watch } from './timeouts';

/** A request as it is sent. */
export interface HttpRequest {
  readonly method: string;
  /** Scheme, host and port. */
  readonly origin: URL;
  /** Path and query string. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Empty if the response is streamed. */
  readonly body: Buffer;
  /** The body of a streamed response. */
  readonly stream?: IncomingMessage;
}

/** Connections to one host, as many as the SDK opens. */
const agentOptions = { keepAlive: true, maxSockets: 50 };

/** Faults of a connection that the SDK names `TimeoutError`. */
const lostConnection = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT'];

let plainAgent: Agent | undefined;
let tlsAgent: Agent | undefined;

/** All clients share one agent. Node's modules are loaded at the first call: TLS takes milliseconds, and tests do without. */
const open = (origin: URL, options: object): ClientRequest => {
  if (origin.protocol === 'http:') {
    const http = process.getBuiltinModule('node:http');
    plainAgent ??= new http.Agent(agentOptions);
    return http.request({ ...options, agent: plainAgent });
  }
  const https = process.getBuiltinModule('node:https');
  tlsAgent ??= new https.Agent(agentOptions);
  return https.request({ ...options, agent: tlsAgent });
};

/**
 * Sends a request and reads the response.
 *
 * @param isStreamed whether the caller reads the body of a response with this status
 * @throws Error of Node, if the connection is lost; `TimeoutError`, if it takes too long
 */
export const exchange = (
  { method, origin, target, headers, body }: HttpRequest,
  timeouts: Timeouts,
  isStreamed: (status: number) => boolean,
): Promise<HttpResponse> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = origin;
    const request = open(origin, {
      method,
      host: hostname.replace(/^\[|\]$/g, ''),
      port,
      path: target,
      // As a list, which Node writes as it is. It would copy and check an object.
      headers: Object.entries(method === 'POST' ? { 'content-length': '0', ...headers } : headers).flat(),
    });
    const stopWatching = watch(request, timeouts);
    const fail = (error: NodeJS.ErrnoException): void => {
      stopWatching();
      reject(lostConnection.includes(error.code ?? '') ? Object.assign(error, { name: 'TimeoutError' }) : error);
    };

    request.on('error', fail);
    request.on('response', (response) => {
      const { statusCode: status = 0, headers: received } = response;
      if (isStreamed(status)) {
        stopWatching();
        resolve({ status, headers: received, body: Buffer.alloc(0), stream: response });
        return;
      }
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => {
        stopWatching();
        resolve({
          status,
          headers: received,
          body: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks),
        });
      });
    });
    request.end(body);
  });
