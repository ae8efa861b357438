import { createHmac } from 'node:crypto';
import * as z from 'zod';
import type { FaultAnswer, Reply } from './faults';
import { createIterableProject, type Item } from './iterable-project';
import { type CallName, callNames, isCallName, readName, swaggerFault, type WriteName } from './iterable-schemas';
import { type Arrival, checked, parseJson, startSimulator } from './simulator';
import { createSlidingSecond } from './sliding-second';

const pathPrefix = '/api/';
const maxItems = 1_000;
const maxBulkBytes = 4_000_000;
/** Longer bodies are not kept in the list of requests: a thousand of them could take hundreds of megabytes. */
const maxKeptCharacters = 16 * 1_024;

const limitsSchema = z.strictObject({
  'users/update': z.number().positive(),
  'users/bulkUpdate': z.number().positive(),
  'events/track': z.number().positive(),
  'events/trackBulk': z.number().positive(),
  'users/getByEmail': z.number().positive(),
});
type Limits = z.infer<typeof limitsSchema>;

const iterableLimits: Limits = {
  'users/update': 500,
  'users/bulkUpdate': 5,
  'events/track': 2_000,
  'events/trackBulk': 10,
  // Ours: Iterable's is not in the contract.
  'users/getByEmail': 5,
};

/** `ITERABLE_API_BASE_URL` for the pipeline, and the control API. */
export interface IterableSimulator {
  readonly url: string;
  readonly controlUrl: string;
  readonly stop: () => Promise<void>;
}

export interface IterableSimulatorOptions {
  readonly port?: number;
  readonly credentials: { readonly api_key: string; readonly jwt_secret?: string };
  /** Whether the API key requires a JWT. */
  readonly requireJwt?: boolean;
  /** Maximum calls per second; default: Iterable's limits. `Infinity` means no limit. */
  readonly limits?: Partial<Limits>;
  /** What is kept of the requests; default `everything`. */
  readonly keep?: 'everything' | 'counts';
  readonly latencyMs?: number;
}

/**
 * Simulates Iterable (`docs/contracts/iterable.md`): its five calls, of which four are validated against its Swagger file,
 * with the rate limit of each in any sliding second, keys, tokens, body limits, and failures within a 200. An event of an
 * unknown user is refused.
 *
 * An e-mail address with a tag fails: `+invalid`, `+forgotten`, `+conflict`, `+invaliddata`, `+newlist` (in a list of
 * `failedUpdates` that is not documented) and `+unnamed` (counted, in no list) in calls about users; `+notfound` and
 * `+unnamedevent` in calls about events; `+mismatch` in both, where it fails the whole bulk call. An update of an
 * address with `+unapplied` is accepted, but changes no field.
 *
 * Own fault kinds: `bad_api_key` (401), `forbidden` (403), `batch_too_large` (400), `types_mismatched` (400),
 * `payload_too_large` (413). Faults match on `call` (such as `users/update`) and, except in bulk calls, on `email`.
 *
 * Control routes besides the common ones:
 * - `GET /_control/arrivals`: per call, the number of calls and items, the refused ones, the first and last time (ms on
 *   the simulator's clock), and the maximum per second; the contents of the project; and the maximum number of times
 *   that a user or an event arrived. `DELETE` resets all of it.
 * - `GET /_control/users/<email>`: the profile, how often it was updated, its events and how often each was tracked.
 * - `GET /_control/users`: of each user, how often it was updated, and how often each of its events was tracked.
 * - `PUT /_control/limits`: calls per second of each call.
 *
 * @example
 * const iterable = await startIterableSimulator({ credentials: { api_key: 'key' }, latencyMs: 200 });
 */
export const startIterableSimulator = async (options: IterableSimulatorOptions): Promise<IterableSimulator> => {
  const project = createIterableProject(options.keep ?? 'everything');
  let limits: Limits = { ...iterableLimits, ...options.limits };
  let arrivals = createArrivals(() => limits);

  const receive = (call: WriteName, body: string, json: unknown, admitted: boolean): Reply => {
    if (!admitted) return respond(429, 'RateLimitExceeded', `More than ${limits[call]} calls per second`);
    if (json === undefined) return respond(400, 'BadJsonBody', 'The body is not JSON');
    const fault = swaggerFault(call, json);
    if (fault !== undefined) return respond(400, 'BadParams', fault);
    if (isSingle(call)) return receiveOne(call, json as Item);
    if (Buffer.byteLength(body) > maxBulkBytes) return respond(413, 'BatchTooLarge', 'The body is over 4 MB');
    return receiveMany(call, itemsOf(json));
  };

  const receiveOne = (call: WriteName, item: Item): Reply => {
    if (project.mismatches(item)) return mismatched;
    const failing = project.take(call, item);
    return failing === undefined
      ? respond(200, 'Success', '')
      : respond(failing.status, failing.code, `${failing.list ?? failing.code}: ${item.email}`);
  };

  const receiveMany = (call: WriteName, items: Item[]): Reply => {
    if (items.length > maxItems) return respond(400, 'BatchTooLarge', `More than ${maxItems} items`);
    if (items.some(project.mismatches)) return mismatched;
    const failedUpdates: Record<string, string[]> = {};
    let failCount = 0;
    for (const item of items) {
      const failing = project.take(call, item);
      if (failing === undefined) continue;
      failCount += 1;
      if (failing.list === undefined) continue;
      failedUpdates[failing.list] ??= [];
      failedUpdates[failing.list]?.push(item.email ?? '');
    }
    return { status: 200, body: { successCount: items.length - failCount, failCount, failedUpdates } };
  };

  /** Iterable responds with an empty object if there is no such user. */
  const readUser = ({ query, headers }: Arrival) => {
    const admitted = arrivals.take(readName, 1);
    const email = query.get('email') ?? '';
    const refused = refuseCaller(options, readName, headers, email);
    const answer = (): Reply => {
      if (refused !== undefined) return refused;
      if (!admitted) return respond(429, 'RateLimitExceeded', `More than ${limits[readName]} calls per second`);
      const user = project.user(email);
      const found = user && { user: { email: user.email, dataFields: { email: user.email, ...user.data_fields } } };
      return { status: 200, body: found ?? {} };
    };
    return { facts: { call: readName, email }, answer };
  };

  const { origin, controlUrl, stop } = await startSimulator({
    port: options.port,
    latencyMs: options.latencyMs,
    // Iterable has its own format of a 401.
    admits: () => true,
    facts: { call: z.enum(callNames), email: z.string() },
    read: (arrival) => {
      const call = arrival.path.slice(pathPrefix.length);
      if (!arrival.path.startsWith(pathPrefix) || !isCallName(call)) return refusal(404, 'NotFound');
      if (arrival.method !== (call === readName ? 'GET' : 'POST')) return refusal(405, 'GenericError');
      if (call === readName) return readUser(arrival);
      const { body } = arrival;
      const json = parseJson(body);
      if (body.length > maxKeptCharacters) arrival.body = `(${body.length} characters)`;
      const admitted = arrivals.take(call, isSingle(call) ? 1 : itemsOf(json).length);
      const email = isSingle(call) ? emailOf(json) : '';
      const refused = refuseCaller(options, call, arrival.headers, email);
      return {
        facts: { call, ...(email !== '' && { email }) },
        answer: () => refused ?? receive(call, body, json, admitted),
      };
    },
    faultAnswers,
    control: {
      'GET /arrivals': () => ({ status: 200, body: { calls: arrivals.report(), ...project.totals() } }),
      'DELETE /arrivals': () => {
        project.forget();
        arrivals = createArrivals(() => limits);
        return { status: 200, body: {} };
      },
      'GET /users/:id': ({ id }) => {
        const user = project.user(id);
        return user === undefined ? { status: 404, body: { error: 'not_found' } } : { status: 200, body: user };
      },
      'GET /users': () => ({ status: 200, body: project.users() }),
      'PUT /limits': checked(limitsSchema.partial(), (changed) => {
        limits = { ...limits, ...Object.fromEntries(Object.entries(changed).filter(([, limit]) => limit)) };
        return { status: 200, body: limits };
      }),
    },
  });
  return { url: origin, controlUrl, stop };
};

const respond = (status: number, code: string, msg: string): Reply => ({ status, body: { code, msg } });

const refusal = (status: number, code: string) => ({ facts: {}, answer: () => respond(status, code, '') });

const mismatched = respond(400, 'RequestFieldsTypesMismatched', 'A field has another type than before');

const isSingle = (call: CallName): boolean => call === 'users/update' || call === 'events/track' || call === readName;

const bulkSchema = z.union([
  z.object({ users: z.array(z.unknown()) }).transform(({ users }) => users),
  z.object({ events: z.array(z.unknown()) }).transform(({ events }) => events),
]);
const itemsOf = (json: unknown): Item[] => (bulkSchema.safeParse(json).data ?? []) as Item[];

const emailOf = (json: unknown): string => z.object({ email: z.string() }).safeParse(json).data?.email ?? '';

const tokenSeconds = 3_600;
const tokenHeadSchema = z.object({ alg: z.literal('HS256') });
const claimsSchema = z
  .object({ iss: z.literal('iterable-integration'), email: z.string(), iat: z.int(), exp: z.int() })
  .refine(({ iat, exp }) => exp === iat + tokenSeconds);

const decoded = (part: string): unknown => parseJson(Buffer.from(part, 'base64url').toString());

/** The claims of a token; undefined if its signature is not valid (docs/contracts/iterable.md). */
const claimsOf = (token: string, secret: string | undefined): z.output<typeof claimsSchema> | undefined => {
  const [head = '', payload = '', signature] = token.split('.');
  if (secret === undefined || !tokenHeadSchema.safeParse(decoded(head)).success) return undefined;
  const expected = createHmac('sha256', secret).update(`${head}.${payload}`).digest('base64url');
  return signature === expected ? claimsSchema.safeParse(decoded(payload)).data : undefined;
};

/** The response to a refused caller; undefined if the caller is accepted. */
const refuseCaller = (
  { credentials, requireJwt = false }: IterableSimulatorOptions,
  call: CallName,
  headers: Arrival['headers'],
  email: string,
): Reply | undefined => {
  if (headers['api-key'] !== credentials.api_key) return respond(401, 'BadApiKey', 'Invalid API key');
  const [, token] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? [];
  if (token === undefined) {
    return requireJwt ? respond(401, 'BadAuthorizationHeader', 'This key works with a JWT only') : undefined;
  }
  if (!isSingle(call)) return respond(401, 'Unauthorized', 'A JWT key must not use this call');
  const claims = claimsOf(token, credentials.jwt_secret);
  if (claims === undefined) return respond(401, 'InvalidJwtPayload', 'The token does not verify');
  const now = Date.now() / 1_000;
  if (claims.exp <= now || claims.iat > now + 60)
    return respond(401, 'InvalidJwtPayload', 'The token is not valid now');
  if (claims.email !== email) return respond(401, 'JwtUserIdentifiersMismatched', 'The token is for another user');
  return undefined;
};

const faultAnswer =
  (status: number, defaultCode: string): FaultAnswer =>
  ({ code = defaultCode, message = '', ...fault }) => {
    const reply = respond(fault.status ?? status, code, message);
    return fault.body === undefined ? reply : { ...reply, body: fault.body };
  };

const faultAnswers: Record<string, FaultAnswer> = {
  rate_limited: faultAnswer(429, 'RateLimitExceeded'),
  server_error: faultAnswer(503, 'GenericError'),
  client_error: faultAnswer(400, 'BadParams'),
  not_found: faultAnswer(404, 'NotFound'),
  bad_api_key: faultAnswer(401, 'BadApiKey'),
  forbidden: faultAnswer(403, 'Forbidden'),
  batch_too_large: faultAnswer(400, 'BatchTooLarge'),
  types_mismatched: faultAnswer(400, 'RequestFieldsTypesMismatched'),
  payload_too_large: faultAnswer(413, 'BatchTooLarge'),
};

/** Counts and times of each call. */
const createArrivals = (limits: () => Limits) => {
  const counterOf = (call: CallName) => ({
    second: createSlidingSecond(() => limits()[call]),
    calls: 0,
    items: 0,
    rate_limited: 0,
    first_at_ms: null as number | null,
    last_at_ms: null as number | null,
  });
  const counters = {
    'users/update': counterOf('users/update'),
    'users/bulkUpdate': counterOf('users/bulkUpdate'),
    'events/track': counterOf('events/track'),
    'events/trackBulk': counterOf('events/trackBulk'),
    'users/getByEmail': counterOf('users/getByEmail'),
  } satisfies Record<CallName, unknown>;

  return {
    /** @returns whether the call is within its limit */
    take: (call: CallName, items: number): boolean => {
      const counter = counters[call];
      const atMs = performance.now();
      counter.calls += 1;
      counter.items += items;
      counter.first_at_ms ??= atMs;
      counter.last_at_ms = atMs;
      const within = counter.second.take(atMs);
      if (!within) counter.rate_limited += 1;
      return within;
    },
    report: () =>
      Object.fromEntries(
        Object.entries(counters).map(([call, { second, ...counter }]) => [
          call,
          { ...counter, most_in_a_second: second.most() },
        ]),
      ),
  };
};
