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

/** What happens to a call in place of its answer. */
export interface Interception {
  /** `before`: the call never gets there. `after`: it takes effect, and its answer is lost. */
  readonly when: 'before' | 'after';
  /**
   * `kill`: the process that made the call is killed; `reset`: its connection is; `hang`: no answer comes, as long as
   * the process waits. An answer stands in the place of the real one.
   */
  readonly does:
    | 'kill'
    | 'reset'
    | 'hang'
    | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string };
}

/** Sees every call of every function, before it is made. Nothing lets the call pass; so does a promise, when it settles. */
export type Intercept = (call: FunctionCall) => Interception | undefined | Promise<Interception | undefined>;

/** The process behind the proxies. */
export interface Caller {
  /** JSON text of the event that it is working on; empty while it has none. */
  event(): string;
  kill(): void;
}

/** Proxies between one process and the servers of this machine that its environment names. */
export interface CallProxies {
  /** The environment of the function, with the proxies' addresses in place of the servers'. */
  readonly environment: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const loopbackOrigin = /http:\/\/(?:127\.0\.0\.1|localhost)(?::\d+)?/g;
const hopByHop = ['connection', 'keep-alive', 'transfer-encoding', 'expect'];

/**
 * Puts a proxy before every server of this machine that a variable of the function names, so that `intercept` sees each
 * call; servers elsewhere are not seen. A proxy passes on the host that the process called, so that a link in an answer
 * leads back through it.
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
      const asked = {
        method: request.method ?? 'GET',
        target: request.url ?? '/',
        amzTarget: request.headers['x-amz-target']?.toString(),
        body,
      };
      const meaning = awsOrigins.has(origin) ? readAwsCall(asked) : readHttpCall(asked, origin);
      const interception = await intercept({ functionName: name, ...meaning, body, event: caller.event() });
      if (interception?.when !== 'before') {
        try {
          const answer = await sendOn(agent, origin, request, body);
          await (interception ? readBody(answer) : passBack(answer, response));
        } catch {
          // The server is not there, or left: so it is for the process.
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

/** Makes the call in the process's place. */
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

const passBack = async (answer: IncomingMessage, response: ServerResponse): Promise<void> => {
  response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
  await pipeline(answer, response);
};

/** The headers without those that are about one connection alone. */
const endToEnd = (headers: IncomingHttpHeaders): IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.includes(name)));
