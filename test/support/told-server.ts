import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedCall {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface ToldAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text or bytes are sent as they are, anything else as JSON. */
  readonly body?: unknown;
  /** The connection ends one byte before the body is whole. */
  readonly cut?: boolean;
  /** The connection is cut without a word. */
  readonly hangUp?: boolean;
  /** Nothing comes, or only the head of the answer. */
  readonly silent?: 'at once' | 'after the head';
  /** Done once the call is there, before it is answered. */
  readonly before?: () => unknown;
}

const send = (response: ServerResponse, answer: ToldAnswer): void => {
  const { status = 200, headers = {}, body = '' } = answer;
  if (answer.hangUp) return void response.destroy();
  if (answer.silent === 'at once') return;
  const bytes = Buffer.from(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
  const length = answer.cut && { 'content-length': String(bytes.length + 1) };
  response.writeHead(status, { 'content-type': 'application/json', ...length, ...headers });
  if (answer.silent === 'after the head') return void response.write('{');
  response.end(bytes, () => answer.cut && response.socket?.destroySoon());
};

/** An HTTP server on loopback that gives the answers it was told, in order; a call beyond them answers 599. */
export const startToldServer = async () => {
  const told: ToldAnswer[] = [];
  const calls: ReceivedCall[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    calls.push({
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    });
    const answer = told.shift() ?? { status: 599, body: 'The server was not told what to answer' };
    await answer.before?.();
    send(response, answer);
  });
  let connections = 0;
  server.on('connection', (socket) => {
    connections++;
    socket.unref();
  });
  // A test that fails before it stops the server must not keep the process.
  server.unref();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    calls,
    connections: (): number => connections,
    /** Answers that were told and never asked for. */
    left: (): number => told.length,
    tell: (...answers: readonly ToldAnswer[]): void => {
      told.push(...answers);
    },
    stop: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

export type ToldServer = Awaited<ReturnType<typeof startToldServer>>;
