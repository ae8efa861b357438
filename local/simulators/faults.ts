import * as z from 'zod';
import { createRandom } from './random';

/**
 * What a simulator says. `body` is sent as JSON unless it is a string, which is sent as it stands;
 * the content type is `application/json` unless a header says otherwise.
 */
export interface Reply {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** What a simulator knows of a request; a fault's `match` is compared with it. Example: `{ order_id: 'QO-1' }`. */
export type Facts = Record<string, string>;

/** How a kind of fault answers. */
export type FaultAnswer = (fault: Fault) => Reply;

/** Faults of the connection: the simulator's server plays them itself. */
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
 * - `match`: every fact named must be equal; without it, every request matches.
 * - `kind`: `slow` waits `latency_ms` (5,000 unless told) and then answers as usual; `hang_up` closes the connection
 *   unanswered; `lost_answer` does the work and then closes it; `rate_limited` 429, `server_error` 503, `client_error` 400,
 *   `not_found` 404, `garbage` 200 and no JSON; a simulator may add kinds, or answer these in its own way.
 * - `times`: how many requests it hits, for ever unless told. `probability` (and `seed`): which share of those that match.
 * - `latency_ms`: waited first, with any kind. `retry_after`: seconds, or an HTTP date.
 * - `status`, `body`, `code`, `message`: what the answer says instead of its default.
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

const faultSchema = (kinds: string[]): z.ZodType<Fault> =>
  z.strictObject({
    kind: z.enum(kinds),
    match: z.record(z.string(), z.string()).optional(),
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

/** The faults that a simulator plays now. */
export interface Faults {
  /** What `PUT /_control/faults` accepts. */
  readonly schema: z.ZodType<Fault[]>;
  /** Replaces all faults. */
  set(faults: readonly Fault[]): void;
  /** Each fault with the number of requests that it has hit. */
  list(): (Fault & { hits: number })[];
  /** The first fault that this request runs into, counted as a hit; undefined when it meets none. */
  next(facts: Facts): Fault | undefined;
  /** The answer of a fault that has one; undefined for those that only slow the real answer or lose it. */
  answer(fault: Fault): Reply | undefined;
}

/** @param ownAnswers the kinds that one simulator adds to the shared ones, or answers in its own way */
export const createFaults = (ownAnswers: Record<string, FaultAnswer> = {}): Faults => {
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
    schema: z.array(faultSchema([...connectionFaultKinds, ...answers.keys()])),
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
