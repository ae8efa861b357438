import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedCall {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface ScriptedResponse {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text or bytes are sent as they are, anything else as JSON. */
  readonly body?: unknown;
  /** Closes the connection one byte before the end of the body. */
  readonly cut?: boolean;
  /** Closes the connection without a response. */
  readonly hangUp?: boolean;
  /** Sends no response, or only its head. */
  readonly silent?: 'at once' | 'after the head';
  /** Runs after the request was received, before the response is sent. */
  readonly before?: () => unknown;
}

const send = (response: ServerResponse, reply: ScriptedResponse): void => {
  const { status = 200, headers = {}, body = '' } = reply;
  if (reply.hangUp) return void response.destroy();
  if (reply.silent === 'at once') return;
  const bytes = Buffer.from(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
  const length = reply.cut && { 'content-length': String(bytes.length + 1) };
  response.writeHead(status, { 'content-type': 'application/json', ...length, ...headers });
  if (reply.silent === 'after the head') return void response.write('{');
  response.end(bytes, () => reply.cut && response.socket?.destroySoon());
};

/** Starts an HTTP server on loopback that sends scripted responses in order, then 599. */
export const startScriptedServer = async () => {
  const scripted: ScriptedResponse[] = [];
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
    const reply = scripted.shift() ?? { status: 599, body: 'The server has no scripted response for this request' };
    await reply.before?.();
    send(response, reply);
  });
  let connections = 0;
  server.on('connection', (socket) => {
    connections++;
    socket.unref();
  });
  // A test that fails before it stops the server must not keep the process running.
  server.unref();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    calls,
    connections: (): number => connections,
    /** Number of scripted responses that were not sent. */
    left: (): number => scripted.length,
    respond: (...responses: readonly ScriptedResponse[]): void => {
      scripted.push(...responses);
    },
    stop: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

/** The same response `count` times. */
export const times = (count: number, response: ScriptedResponse): ScriptedResponse[] =>
  Array.from({ length: count }, () => response);

export type ScriptedServer = Awaited<ReturnType<typeof startScriptedServer>>;
