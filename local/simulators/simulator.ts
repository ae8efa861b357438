import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { crashIfDiskFull } from '../../emulator/full-disk';
import { refuseForeignCallers } from '../../emulator/loopback-server';
import {
  createFaults,
  type Facts,
  type FactTypes,
  type Fault,
  type FaultAnswer,
  matchSchema,
  type Reply,
} from './faults';

const largestBodyBytes = 8 * 1024 * 1024;
const requestsKept = 1_000;
const slowMs = 5_000;
const controlPrefix = '/_control/';

/** A received request. `path` has no query; header names are in lower case. */
export interface Arrival {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** A simulator can shorten it before the request is kept in the list. */
  body: string;
}

/** An interpreted request: its facts, which faults match, and its handler, which a fault can prevent from running. */
interface Call<Types extends FactTypes = FactTypes> {
  readonly facts: Facts<Types>;
  readonly answer: () => Reply;
}

/** One control route; `id` is the last path segment where the route ends in `/:id`, else empty. */
export type ControlRoute = (request: {
  readonly id: string;
  readonly query: URLSearchParams;
  readonly body: string;
}) => Reply | Promise<Reply>;

/** The parts that differ between simulators. */
export interface SimulatorOptions<Types extends FactTypes> {
  /** Default 0: any free port. */
  readonly port?: number | undefined;
  /** The delay of every response, in milliseconds; `PUT /_control/latency` changes it. Default 0. */
  readonly latencyMs?: number | undefined;
  /** Whether the caller is known. An unknown one gets a 401. */
  readonly admits: (headers: IncomingHttpHeaders) => boolean;
  /** The facts that `read` can return. */
  readonly facts: Types;
  /** Interprets a request of a known caller. Has no effect: `answer` handles the request. */
  readonly read: (arrival: Arrival) => Call<Types>;
  /** Fault kinds of this API. They replace shared ones of the same name. */
  readonly faultAnswers?: Record<string, FaultAnswer>;
  /** Further control routes, such as `'PUT /orders/:id'`. */
  readonly control?: Record<string, ControlRoute>;
  /** Called once the server has closed. */
  readonly onStop?: () => void;
}

/** A running simulator: `origin` is `http://127.0.0.1:<port>`, `controlUrl` has no slash at its end. */
export interface Simulator {
  readonly origin: string;
  readonly controlUrl: string;
  readonly stop: () => Promise<void>;
}

/** Admits callers whose `Authorization` is HTTP Basic with these values. */
export const basic = ({ username, password }: { readonly username: string; readonly password: string }) =>
  authorization(`Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`);

/** Admits callers whose `Authorization` is this bearer token. */
export const bearer = ({ token }: { readonly token: string }) => authorization(`Bearer ${token}`);

const authorization = (expected: string) => (headers: IncomingHttpHeaders) => headers.authorization === expected;

/** Responds 422 with every fault to a body that `schema` refuses, and 400 to a body that is not JSON. */
export const checked =
  <T>(schema: z.ZodType<T>, handle: (value: T, id: string) => Reply): ControlRoute =>
  ({ body, id }) => {
    const json = parseJson(body);
    if (json === undefined) return { status: 400, body: { error: 'invalid_json' } };
    const parsed = schema.safeParse(json);
    return parsed.success ? handle(parsed.data, id) : validationFailed(parsed.error);
  };

/** 422 with a `{ path, message }` for every fault. */
export const validationFailed = (error: z.ZodError): Reply => ({
  status: 422,
  body: {
    error: 'validation_failed',
    details: error.issues.map(({ path, message }) => ({ path: path.join('.'), message })),
  },
});

/** The parsed text; undefined if it is not JSON. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/**
 * Starts an HTTP server on 127.0.0.1 that responds through `read`, with configurable faults and latency. Requests from
 * web pages are refused, see `emulator/loopback-server.ts`.
 *
 * Its control API, which needs no credentials:
 * - `GET|PUT|DELETE /_control/faults`: a list of faults (see `Fault`), each with its number of hits.
 * - `GET /_control/requests?<fact>=<value>`: totals, and the newest 1,000 requests, oldest first; `DELETE` resets them.
 * - `PUT /_control/latency`: `{ "latency_ms": 20 }`.
 *
 * @throws what `listen` throws, such as `EADDRINUSE`
 */
export const startSimulator = async <Types extends FactTypes>(options: SimulatorOptions<Types>): Promise<Simulator> => {
  const faults = createFaults(options.facts, options.faultAnswers);
  const filterSchema = matchSchema(Object.fromEntries(Object.keys(options.facts).map((name) => [name, z.string()])));
  const log = createRequestLog();
  const stopping = new AbortController();
  let latencyMs = options.latencyMs ?? 0;

  const control: Record<string, ControlRoute> = {
    'GET /faults': () => ({ status: 200, body: faults.list() }),
    'PUT /faults': checked(faults.schema, (list) => {
      faults.set(list);
      return { status: 200, body: faults.list() };
    }),
    'DELETE /faults': () => {
      faults.set([]);
      return { status: 200, body: [] };
    },
    'GET /requests': ({ query }) => {
      const filter = filterSchema.safeParse(Object.fromEntries(query));
      return filter.success ? { status: 200, body: log.report(filter.data) } : validationFailed(filter.error);
    },
    'DELETE /requests': () => {
      log.clear();
      return { status: 200, body: log.report({}) };
    },
    'PUT /latency': checked(z.strictObject({ latency_ms: z.int().min(0).max(600_000) }), (value) => {
      latencyMs = value.latency_ms;
      return { status: 200, body: value };
    }),
    ...options.control,
  };

  const answerControl = async ({ method, path, query, body }: Arrival): Promise<Reply> => {
    const [name, id, ...rest] = path.slice(controlPrefix.length).split('/');
    const route = rest.length > 0 ? undefined : control[`${method} /${name}${id === undefined ? '' : '/:id'}`];
    if (route === undefined) return { status: 404, body: { error: 'not_found' } };
    return route({ id: decodeURIComponent(id ?? ''), query, body });
  };

  const wait = (ms: number) => (ms > 0 ? sleep(ms, undefined, { signal: stopping.signal }) : undefined);

  /** @returns undefined if the connection must be closed without a response */
  const play = async (call: Call, fault: Fault | undefined): Promise<Reply | undefined> => {
    if (latencyMs > 0) await wait(latencyMs);
    if (fault === undefined) return call.answer();
    await wait(fault.latency_ms ?? (fault.kind === 'slow' ? slowMs : 0));
    if (fault.kind === 'hang_up') return undefined;
    const reply = faults.answer(fault) ?? call.answer();
    return fault.kind === 'lost_answer' ? undefined : reply;
  };

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await readBody(request);
    if (body === undefined) return send(response, { status: 413, body: { error: 'payload_too_large' } });
    const arrival = arrivalOf(request, body);
    if (arrival.path.startsWith(controlPrefix)) return send(response, await answerControl(arrival));

    const admitted = options.admits(request.headers);
    const call = admitted ? options.read(arrival) : { facts: {}, answer: () => unauthorized };
    const fault = admitted ? faults.next(call.facts) : undefined;
    const reply = await play(call, fault);
    log.add(arrival, call.facts, reply?.status, fault);
    if (reply === undefined) request.socket.destroy();
    else send(response, reply);
  };

  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    serve(request, response).catch((error: unknown) => {
      crashIfDiskFull(error);
      // After stop(), or if the client has disconnected, no response can be sent.
      if (stopping.signal.aborted || request.socket.destroyed) response.destroy();
      else send(response, { status: 500, body: { error: 'simulator_bug', message: String(error) } });
    });
  });
  refuseForeignCallers(server);
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;

  return {
    origin,
    controlUrl: `${origin}${controlPrefix.slice(0, -1)}`,
    stop: async () => {
      if (stopping.signal.aborted) return;
      stopping.abort();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      options.onStop?.();
    },
  };
};

const unauthorized: Reply = { status: 401, headers: { 'www-authenticate': 'Basic' }, body: { error: 'unauthorized' } };

const arrivalOf = (request: IncomingMessage, body: string): Arrival => {
  const target = request.url ?? '/';
  const mark = target.indexOf('?');
  return {
    method: request.method ?? 'GET',
    path: mark < 0 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)),
    headers: request.headers,
    body,
  };
};

/** Undefined if the body is too large. The rest is read and discarded, so that the sender receives the response. */
const readBody = (request: IncomingMessage): Promise<string | undefined> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= largestBodyBytes) chunks.push(chunk);
    });
    request.on('end', () => resolve(bytes <= largestBodyBytes ? Buffer.concat(chunks).toString() : undefined));
    request.on('error', reject);
  });

const send = (response: ServerResponse, { status, body, headers }: Reply) => {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    ...headers,
  });
  response.end(bytes);
};

/** The received requests: totals of all, and the newest ones in full. */
const createRequestLog = () => {
  type Entry = {
    readonly at: string;
    readonly arrival: Arrival;
    readonly facts: Facts;
    readonly status: number | null;
    readonly fault: string | null;
  };
  let entries: (Omit<Entry, 'at'> & { readonly atMs: number })[] = [];
  let total = 0;
  let statuses: Record<string, number> = {};

  return {
    add: (arrival: Arrival, facts: Facts, status: number | undefined, fault: Fault | undefined) => {
      entries[total % requestsKept] = {
        atMs: Date.now(),
        arrival,
        facts,
        status: status ?? null,
        fault: fault?.kind ?? null,
      };
      total += 1;
      const key = String(status ?? 'hung_up');
      statuses[key] = (statuses[key] ?? 0) + 1;
    },
    clear: () => {
      entries = [];
      total = 0;
      statuses = {};
    },
    report: (wanted: Facts) => {
      const oldest = total % requestsKept;
      const inOrder = total > requestsKept ? [...entries.slice(oldest), ...entries.slice(0, oldest)] : entries;
      const matching = inOrder.filter(({ facts }) =>
        Object.entries(wanted).every(([name, value]) => facts[name] === value),
      );
      return {
        total,
        statuses,
        requests: matching.map(({ atMs, arrival, ...entry }) => {
          // Reports can be printed and saved, so they contain no credentials.
          const { authorization: _authorization, 'api-key': _apiKey, ...headers } = arrival.headers;
          const { method, path, query, body } = arrival;
          return { at: new Date(atMs).toISOString(), method, path, query: query.toString(), headers, body, ...entry };
        }),
      };
    },
  };
};
