import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';

/** An HTTP server that this machine alone can reach. */
export interface LoopbackServer {
  readonly port: number;
  /** `http://127.0.0.1:PORT`, without a trailing slash. */
  readonly url: string;
  /** Stops listening and closes every connection. */
  stop(): Promise<void>;
}

/** Thrown by {@link readBody} when a request is larger than its limit. */
export class BodyTooLargeError extends Error {}

// Longer than any client of ours keeps an idle socket: whoever closes first, it must not be the server in the
// moment in which the client sends its next request.
const KEEP_ALIVE_MS = 10 * 60 * 1000;

/** Answers one request. What it throws is answered as a 500. */
export type Listener = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Starts a server for `listener` on 127.0.0.1, on `preferredPort` if it is free, else on any free port. */
export function serveOnLoopback(listener: Listener, preferredPort = 0): Promise<LoopbackServer> {
  const server = createServer((request, response) => {
    listener(request, response).catch((error: unknown) => {
      // A client that is gone, as a process is that was killed, needs no answer; nobody else may suffer for it.
      if (!response.headersSent) {
        response.writeHead(500, { 'content-type': 'application/json' });
      }
      response.end(JSON.stringify({ message: String(error) }));
    });
  });
  return listenOnLoopback(server, preferredPort);
}

/** The same for a server that exists already. */
export async function listenOnLoopback(server: Server, preferredPort = 0): Promise<LoopbackServer> {
  server.keepAliveTimeout = KEEP_ALIVE_MS;
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
}

/** Calls `listen` with the preferred port, and if that one is taken with 0, which means any. */
export async function withFallback<T>(preferredPort: number, listen: (port: number) => Promise<T>): Promise<T> {
  try {
    return await listen(preferredPort);
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    if (!taken || preferredPort === 0) {
      throw error;
    }
    return listen(0);
  }
}

/**
 * Reads a request to its end.
 * @throws {BodyTooLargeError} past `limitBytes`; the rest is read and thrown away, so that the client gets its answer.
 */
export async function readBody(request: IncomingMessage, limitBytes = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request) {
    sizeBytes += chunk.length;
    if (sizeBytes <= limitBytes) {
      chunks.push(chunk);
    }
  }
  if (sizeBytes > limitBytes) {
    throw new BodyTooLargeError(`a body of ${sizeBytes} bytes, ${limitBytes} allowed`);
  }
  return Buffer.concat(chunks);
}
