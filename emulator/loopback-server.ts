import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { crashIfDiskFull } from './full-disk';

/** An HTTP server that only programs on this machine can call. */
export interface LoopbackServer {
  readonly port: number;
  /** `http://127.0.0.1:PORT`, without a trailing slash. */
  readonly url: string;
  /** Stops listening and closes every connection. */
  stop(): Promise<void>;
}

/** Thrown by {@link readBody} when a request is larger than its limit. */
export class BodyTooLargeError extends Error {}

// Longer than any client keeps an idle socket. Otherwise the server could close a connection while the client sends its
// next request.
const keepAliveMs = 10 * 60 * 1000;

/** A name that ends in `.localhost` is a loopback name too (RFC 6761). S3 clients prefix it with the bucket. */
const loopbackHost = /^(?:127\.0\.0\.1|\[::1\]|(?:[a-z0-9.-]+\.)?localhost)(?::\d{1,5})?$/i;

/**
 * Returns the reason to reject a request, as one sentence, or undefined. A web page can make a browser call 127.0.0.1:
 *
 * - DNS rebinding: the page's own host name resolves to 127.0.0.1, so `Host` contains that name.
 * - Cross-site requests: the browser sends `Origin` with every request that can change something or whose response the
 *   page can read, and `Sec-Fetch-Site` with other requests, such as those for images.
 */
export const reasonToRefuse = (headers: IncomingHttpHeaders): string | undefined => {
  if (!loopbackHost.test(headers.host ?? '')) {
    return 'Only programs on this machine may call this server: the Host header must be 127.0.0.1, localhost or [::1].';
  }
  const site = headers['sec-fetch-site'] ?? 'none';
  if (headers.origin !== undefined || (site !== 'none' && site !== 'same-origin')) {
    return 'Web pages must not call this server: requests with an Origin header, or from another site, are refused.';
  }
  return undefined;
};

/**
 * Responds with 403 to requests for which there is a {@link reasonToRefuse}, so that no listener receives them. Call it
 * after all listeners are registered.
 */
export const refuseForeignCallers = (server: Server): void => {
  const listeners = server.listeners('request');
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const message = reasonToRefuse(request.headers);
    if (message === undefined) {
      for (const listener of listeners) {
        Reflect.apply(listener, server, [request, response]);
      }
      return;
    }
    response.writeHead(403, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ __type: 'AccessDeniedException', message }));
  });
};

/** Handles one request. An exception becomes a 500 response. */
export type Listener = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Sends a response with its length, so that Node writes it in one piece instead of in chunks. */
export const respond = (
  response: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  body: string | Buffer,
): void => {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
};

/** Starts a server on 127.0.0.1: on `preferredPort` if that is free, otherwise on any free port. */
export const serveOnLoopback = (listener: Listener, preferredPort = 0): Promise<LoopbackServer> => {
  const server = createServer((request, response) => {
    listener(request, response).catch((error: unknown) => {
      crashIfDiskFull(error);
      // The client may have disconnected, for example a killed process. That must not stop the server.
      if (!response.headersSent) {
        response.writeHead(500, { 'content-type': 'application/json' });
      }
      response.end(JSON.stringify({ message: String(error) }));
    });
  });
  return listenOnLoopback(server, preferredPort);
};

/** Like {@link serveOnLoopback} for an existing server. Rejects foreign callers, see {@link refuseForeignCallers}. */
export const listenOnLoopback = async (server: Server, preferredPort = 0): Promise<LoopbackServer> => {
  refuseForeignCallers(server);
  server.keepAliveTimeout = keepAliveMs;
  const port = await withFallback(
    preferredPort,
    (candidate) =>
      new Promise<number>((resolve, reject) => {
        server.once('error', reject);
        server.listen(candidate, '127.0.0.1', () => {
          server.off('error', reject);
          const address = server.address();
          resolve(typeof address === 'object' && address !== null ? address.port : candidate);
        });
      }),
  );
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** Calls `listen` with the preferred port. If that port is in use, calls it again with 0: any free port. */
export const withFallback = async <T>(preferredPort: number, listen: (port: number) => Promise<T>): Promise<T> => {
  try {
    return await listen(preferredPort);
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    if (!taken || preferredPort === 0) {
      throw error;
    }
    return listen(0);
  }
};

/**
 * Reads the body of a request.
 * @throws {BodyTooLargeError} beyond `limitBytes`. The rest is read and discarded, so that the client gets a response.
 */
export const readBody = async (request: IncomingMessage, limitBytes = Number.POSITIVE_INFINITY): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request) {
    sizeBytes += chunk.length;
    if (sizeBytes <= limitBytes) {
      chunks.push(chunk);
    }
  }
  if (sizeBytes > limitBytes) {
    throw new BodyTooLargeError(`The body has ${sizeBytes} bytes; the limit is ${limitBytes}.`);
  }
  return Buffer.concat(chunks);
};
