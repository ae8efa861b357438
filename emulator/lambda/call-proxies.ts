import {
  Agent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
  request as sendRequest,
} from 'node:http';
import { pipeline } from 'node:stream/promises';
import { readBody, serveOnLoopback } from '../loopback-server';
import { type FunctionCall, readAwsCall, readHttpCall } from './function-call';

/** What happens to a call instead of its response. */
export interface Interception {
  /** `before`: the call does not reach the server. `after`: it takes effect, and its response is lost. */
  readonly when: 'before' | 'after';
  /**
   * `kill`: kills the process that made the call; `reset`: resets its connection; `hang`: never responds. An object:
   * the response that replaces the real one.
   */
  readonly does:
    | 'kill'
    | 'reset'
    | 'hang'
    | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string };
}

/** Receives every call of every function before it is made. Undefined, also as the value of a promise, lets it pass. */
export type Intercept = (call: FunctionCall) => Interception | undefined | Promise<Interception | undefined>;

/** The process behind the proxies. */
export interface Caller {
  /** JSON text of the event that it processes; empty between invocations. */
  event(): string;
  kill(): void;
}

/** Proxies between one process and the servers on this machine that its environment contains. */
export interface CallProxies {
  /** The environment of the function, with the servers' addresses replaced by the proxies'. */
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const loopbackOrigin = /http:\/\/(?:127\.0\.0\.1|localhost)(?::\d+)?/g;
const hopByHop = ['connection', 'keep-alive', 'transfer-encoding', 'expect'];

/**
 * Puts a proxy in front of every server on this machine whose address is in a variable of the function, so that
 * `intercept` receives each call. Calls to servers elsewhere are not intercepted. A proxy keeps the `Host` header, so
 * that a link in a response leads back through the proxy.
 */
export const startCallProxies = async (
  { name, environment }: { readonly name: string; readonly environment: Readonly<Record<string, string>> },
  intercept: Intercept,
  caller: Caller,
): Promise<CallProxies> => {
  const awsOrigins = new Set(
    Object.entries(environment).flatMap(([key, value]) => (key.startsWith('AWS_ENDPOINT_URL_') ? value : [])),
  );
  const agent = new Agent({ keepAlive: true });

  const startProxy = (origin: string) =>
    serveOnLoopback(async (request, response) => {
      const body = await readBody(request);
      const proxied = {
        method: request.method ?? 'GET',
        target: request.url ?? '/',
        amzTarget: request.headers['x-amz-target']?.toString(),
        body,
      };
      const meaning = awsOrigins.has(origin) ? readAwsCall(proxied) : readHttpCall(proxied, origin);
      const interception = await intercept({ functionName: name, ...meaning, body, event: caller.event() });
      if (interception?.when !== 'before') {
        try {
          const upstream = await sendOn(agent, origin, request, body);
          await (interception ? readBody(upstream) : passBack(upstream, response));
        } catch {
          // The server is unreachable or closed the connection: the process gets the same result.
          request.socket.destroy();
        }
      }
      if (interception?.does === 'kill') {
        caller.kill();
      } else if (interception?.does === 'reset') {
        request.socket.resetAndDestroy();
      } else if (interception && interception.does !== 'hang') {
        const { status, headers, body: text } = interception.does;
        response.writeHead(status, headers).end(text);
      }
    });

  const origins = new Set(Object.values(environment).flatMap((value) => value.match(loopbackOrigin) ?? []));
  const proxies = new Map(
    await Promise.all([...origins].map(async (origin) => [origin, await startProxy(origin)] as const)),
  );
  return {
    environment: Object.fromEntries(
      Object.entries(environment).map(([key, value]) => [
        key,
        value.replace(loopbackOrigin, (origin) => proxies.get(origin)?.url ?? origin),
      ]),
    ),
    async stop() {
      await Promise.all([...proxies.values()].map((proxy) => proxy.stop()));
      agent.destroy();
    },
  };
};

/** Makes the call for the process. */
const sendOn = (agent: Agent, origin: string, request: IncomingMessage, body: Buffer): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    sendRequest(`${origin}${request.url}`, {
      agent,
      method: request.method,
      headers: { ...endToEnd(request.headers), ...(body.length > 0 && { 'content-length': body.length }) },
    })
      .on('response', resolve)
      .on('error', reject)
      .end(body);
  });

const passBack = async (upstream: IncomingMessage, response: ServerResponse): Promise<void> => {
  response.writeHead(upstream.statusCode ?? 502, endToEnd(upstream.headers));
  await pipeline(upstream, response);
};

/** The headers without the hop-by-hop headers. */
const endToEnd = (headers: IncomingHttpHeaders): IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.includes(name)));
