import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as fc from 'fast-check';
import { type Coding, encode } from './codings';

export interface FixedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Compression of the body, although the client did not request it. */
  readonly coding?: Coding | undefined;
  /** Closes the connection one byte before the end of the body. */
  readonly truncated?: boolean;
}

/** Occasionally true. */
export const anyTruncation = fc.oneof(
  { weight: 30, arbitrary: fc.constant(false) },
  { weight: 1, arbitrary: fc.constant(true) },
);

/** An HTTP server on loopback that sends the current response to every request. */
export const startResponseServer = async () => {
  let current: FixedResponse = { status: 500, headers: {}, body: Buffer.alloc(0) };
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => {
      const { status, headers, body, coding, truncated = false } = current;
      const encoding = coding && { 'content-encoding': coding };
      response.writeHead(status, { ...headers, ...encoding, 'content-length': body.length + (truncated ? 1 : 0) });
      response.end(body, () => truncated && response.socket?.destroySoon());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    /** Encodes the response now, so that the time of a request does not include it. */
    respond: (next: FixedResponse): void => {
      current = { ...next, body: encode(next.body, next.coding) };
    },
    stop: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
