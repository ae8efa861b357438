import type { Connection } from '../../shared/http/exchange';
import type { CallOptions } from './aws-calls';
import type { Service } from './faults';
import { noResponse } from './lambda-process';

export interface HttpReply {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A vendor's server. */
export interface Server {
  readonly respond: (request: HttpRequest) => HttpReply;
  /** Called when a request is sent, whether it arrives or not. */
  readonly onSent: (request: HttpRequest) => void;
  /** How much longer a request, or its response, takes than others, ms. Default: 0. */
  readonly delayMs?: (request: HttpRequest, part: 'request' | 'response') => number;
}

const bodyOf = (text: string) => ({
  async *[Symbol.asyncIterator]() {
    if (text !== '') yield Buffer.from(text);
  },
  destroy: () => undefined,
  dump: async () => undefined,
});

const reset = (): Error => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

/** A process's connections to a vendor's server. */
export const createConnection = (
  { scheduler, faults, process, trace }: CallOptions,
  service: Service,
  server: Server,
): Connection => {
  const { choose } = scheduler;

  /** What a server in trouble returns. */
  const refusal = (): HttpReply => {
    const statusCode = choose.pick([429, 500, 503, 503]);
    const seconds = choose.pick([undefined, undefined, 0, 1, 5, 20]);
    return { statusCode, ...(seconds !== undefined && { headers: { 'retry-after': String(seconds) } }), body: '' };
  };

  const exchange = async (request: HttpRequest): Promise<HttpReply> => {
    const callFault = faults.ofCall(service);
    if (callFault !== undefined) trace.add(process.name, `${request.method} ${service}: ${callFault}`);
    if (callFault === 'crash before') process.kill();
    else server.onSent(request);
    await scheduler.sleep(faults.latencyMs(service) + (server.delayMs?.(request, 'request') ?? 0));
    if (!process.hasSent()) await process.canRun();
    if (callFault === 'lost request') {
      if (choose.chance(0.5)) return noResponse();
      throw reset();
    }
    if (callFault === 'refused') return refusal();
    const reply = server.respond(request);
    trace.add(process.name, `${request.method} ${service}: ${reply.statusCode}`);
    if (callFault === 'crash after') process.kill();
    await scheduler.sleep(
      20 + choose.fraction() * 80 + faults.latencyMs(service) + (server.delayMs?.(request, 'response') ?? 0),
    );
    if (callFault === 'lost response') {
      if (choose.chance(0.5)) return noResponse();
      throw reset();
    }
    return callFault === 'failed after effect' ? { ...refusal(), statusCode: 500 } : reply;
  };

  return {
    request: async ({ method, path, headers, body, signal }) => {
      await process.canRun();
      const aborted = Promise.withResolvers<never>();
      const abort = (): void => aborted.reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      try {
        const reply = await Promise.race([exchange({ method, path, headers, body: body ?? '' }), aborted.promise]);
        return { statusCode: reply.statusCode, headers: reply.headers ?? {}, body: bodyOf(reply.body) };
      } finally {
        signal.removeEventListener('abort', abort);
        await process.canRun();
      }
    },
    close: async () => undefined,
  };
};
