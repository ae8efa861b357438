import * as z from 'zod';
import { createRandom } from '../../samples/random';

/**
 * A response of a simulator. `body` is sent as JSON, a string unchanged. The content type is `application/json` unless
 * `headers` has another.
 */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Record<string, string>;
}

/** The facts that a simulator extracts from requests, by name, with their possible values. */
export type FactTypes = Readonly<Record<string, z.ZodType<string>>>;

/** The facts of one request, compared with a fault's `match`. Example: `{ order_id: 'QO-1' }`. */
export type Facts<Types extends FactTypes = FactTypes> = { readonly [Name in keyof Types]?: string };

/**
 * The facts that a fault matches. Unknown names and impossible values are refused: such a fault would never match, and a
 * test could pass without it.
 */
export const matchSchema = (types: FactTypes): z.ZodType<Facts> =>
  z.strictObject(Object.fromEntries(Object.entries(types).map(([name, type]) => [name, type.optional()])), {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown fact ${issue.keys?.join(', ')}; requests here have ${Object.keys(types).join(', ') || 'no facts'}`
        : undefined,
  });

/** Creates the response of a kind of fault. */
export type FaultAnswer = (fault: Fault) => Reply;

/** Faults of the connection. The simulator's server implements them. */
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
 * An injected fault, as `PUT /_control/faults` accepts it.
 *
 * - `match`: every fact in it must be equal. Without it, every request matches. See {@link matchSchema}.
 * - `kind`: `slow` waits `latency_ms` (default 5,000) and then responds as usual; `hang_up` closes the connection
 *   without a response; `lost_answer` handles the request and then closes the connection; `rate_limited` 429,
 *   `server_error` 503, `client_error` 400, `not_found` 404, `garbage` 200 without JSON. A simulator can add kinds or
 *   replace these.
 * - `times`: number of requests that it affects; default: all. `probability` (and `seed`): share of the matching requests.
 * - `latency_ms`: the delay before the response, with any kind. `retry_after`: seconds, or an HTTP date.
 * - `status`, `body`, `code`, `message`: replace those of the default response.
 */
export interface Fault {
  readonly kind: string;
  readonly match?: Facts | undefined;
  readonly times?: number | undefined;
  readonly probability?: number | undefined;
  readonly seed?: number | undefined;
  readonly latency_ms?: number | undefined;
  readonly retry_after?: number | string | undefined;
  readonly status?: number | undefined;
  readonly body?: string | undefined;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
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
  list(): (Fault & { readonly hits: number })[];
  /** Returns the first fault that matches this request and counts a hit; undefined if none matches. */
  next(facts: Facts): Fault | undefined;
  /** The response of the fault; undefined if it only delays or loses the real response. */
  answer(fault: Fault): Reply | undefined;
}

/** @param ownAnswers the kinds that the simulator adds or replaces */
export const createFaults = (facts: FactTypes, ownAnswers: Record<string, FaultAnswer> = {}): Faults => {
  const answers = new Map(Object.entries({ ...sharedFaultAnswers, ...ownAnswers }));
  let active: { readonly fault: Fault; hits: number; readonly meets: (facts: Facts) => boolean }[] = [];

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
