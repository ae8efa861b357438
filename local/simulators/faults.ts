import * as z from 'zod';
import { createRandom } from './random';

/**
 * An answer of a simulator. `body` is sent as JSON, a string as it is. The content type is `application/json` unless
 * `headers` has another.
 */
export interface Reply {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** The facts that a simulator reads from requests, by name, with the values that each can have. */
export type FactTypes = Readonly<Record<string, z.ZodType<string>>>;

/** The facts of one request, compared with a fault's `match`. Example: `{ order_id: 'QO-1' }`. */
export type Facts<Types extends FactTypes = FactTypes> = { readonly [Name in keyof Types]?: string };

/**
 * Facts to look for. A name that no request can have is refused, and so is such a value: a fault with it would never
 * fire, and a test could pass without its fault.
 */
export const matchSchema = (types: FactTypes): z.ZodType<Facts> =>
  z.strictObject(Object.fromEntries(Object.entries(types).map(([name, type]) => [name, type.optional()])), {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown fact ${issue.keys?.join(', ')}; requests here have ${Object.keys(types).join(', ') || 'no facts'}`
        : undefined,
  });

/** How a kind of fault answers. */
export type FaultAnswer = (fault: Fault) => Reply;

/** Faults of the connection, which the simulator's server carries out. */
const connectionFaultKinds = ['slow', 'hang_up', 'lost_answer'] as const;

const refusal =
  (status: number, error: string): FaultAnswer =>
  (fault) => ({
    status: fault.status ?? status,
    body: fault.body ?? { error: fault.code ?? error, message: fault.message },
  });

const sharedFaultAnswers: Record<string, FaultAnswer> = {
  rate_limited: refusal(429, 'rate_limited'),
  server_error: refusal(503, 'service_unavailable'),
  client_error: refusal(400, 'bad_request'),
  not_found: refusal(404, 'not_found'),
  garbage: (fault) => ({
    status: fault.status ?? 200,
    headers: { 'content-type': 'text/html' },
    body: fault.body ?? '<html><body>We will be right back.</body></html>',
  }),
};

/**
 * One injected fault, as `PUT /_control/faults` takes it.
 *
 * - `match`: every fact named must be equal. Without it, every request matches. See {@link matchSchema}.
 * - `kind`: `slow` waits `latency_ms` (default 5,000) and then answers as usual; `hang_up` closes the connection
 *   unanswered; `lost_answer` does the work and then closes it; `rate_limited` 429, `server_error` 503, `client_error` 400,
 *   `not_found` 404, `garbage` 200 and no JSON; a simulator may add kinds, or answer these in its own way.
 * - `times`: how many requests it hits, by default all. `probability` (and `seed`): which share of those that match.
 * - `latency_ms`: the time to wait first, with any kind. `retry_after`: seconds, or an HTTP date.
 * - `status`, `body`, `code`, `message`: replace those of the default answer.
 */
export interface Fault {
  kind: string;
  match?: Facts | undefined;
  times?: number | undefined;
  probability?: number | undefined;
  seed?: number | undefined;
  latency_ms?: number | undefined;
  retry_after?: number | string | undefined;
  status?: number | undefined;
  body?: string | undefined;
  code?: string | undefined;
  message?: string | undefined;
}

const faultSchema = (kinds: string[], facts: FactTypes): z.ZodType<Fault> =>
  z.strictObject({
    kind: z.enum(kinds),
    match: matchSchema(facts).optional(),
    times: z.int().min(1).optional(),
    probability: z.number().gt(0).max(1).optional(),
    seed: z.int().optional(),
    latency_ms: z.int().min(0).max(600_000).optional(),
    retry_after: z
      .union([z.number().min(0), z.string().refine((text) => Number.isFinite(Date.parse(text)))], {
        error: 'must be a number of seconds or an HTTP date',
      })
      .optional(),
    status: z.int().min(200).max(599).optional(),
    body: z.string().optional(),
    code: z.string().optional(),
    message: z.string().optional(),
  });

/** The active faults of a simulator. */
export interface Faults {
  /** What `PUT /_control/faults` accepts. */
  readonly schema: z.ZodType<Fault[]>;
  /** Replaces all faults. */
  set(faults: readonly Fault[]): void;
  /** Each fault with the number of requests that it has hit. */
  list(): (Fault & { hits: number })[];
  /** The first fault that matches this request, counted as a hit; undefined when none does. */
  next(facts: Facts): Fault | undefined;
  /** The answer of the fault; undefined for one that only delays or loses the real answer. */
  answer(fault: Fault): Reply | undefined;
}

/** @param ownAnswers the kinds that the simulator adds to the shared ones, or answers in its own way */
export const createFaults = (facts: FactTypes, ownAnswers: Record<string, FaultAnswer> = {}): Faults => {
  const answers = new Map(Object.entries({ ...sharedFaultAnswers, ...ownAnswers }));
  let active: { fault: Fault; hits: number; meets: (facts: Facts) => boolean }[] = [];

  const arm = (fault: Fault) => {
    const wanted = Object.entries(fault.match ?? {});
    const random = createRandom(fault.seed ?? 1);
    return {
      fault,
      hits: 0,
      meets: (facts: Facts) =>
        wanted.every(([name, value]) => facts[name] === value) &&
        (fault.probability === undefined || random.chance(fault.probability)),
    };
  };

  return {
    schema: z.array(faultSchema([...connectionFaultKinds, ...answers.keys()], facts)),
    set: (faults) => {
      active = faults.map(arm);
    },
    list: () => active.map(({ fault, hits }) => ({ ...fault, hits })),
    next: (facts) => {
      for (const armed of active) {
        if (armed.hits < (armed.fault.times ?? Number.POSITIVE_INFINITY) && armed.meets(facts)) {
          armed.hits += 1;
          return armed.fault;
        }
      }
      return undefined;
    },
    answer: (fault) => {
      const reply = answers.get(fault.kind)?.(fault);
      if (reply === undefined || fault.retry_after === undefined) return reply;
      return { ...reply, headers: { ...reply.headers, 'retry-after': String(fault.retry_after) } };
    },
  };
};
