import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** An HTTP server on loopback that gives every request the same answer, until it is told another. */
export const startAnsweringServer = async () => {
  let answer: HttpAnswer = { status: 500, headers: {}, body: Buffer.alloc(0) };
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => {
      response.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length });
      response.end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    tell: (next: HttpAnswer): void => {
      answer = next;
    },
    stop: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
