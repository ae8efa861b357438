import * as z from 'zod';
import type { Facts, FaultAnswer, Reply } from './faults';
import { createArrivals } from './netlife-arrivals';
import { isMap, type PageOptions, pageOf, type Rows } from './netlife-pages';
import { createNetlifePortal, type NetlifeJobSample, type NetlifePortalSize } from './netlife-sample';
import { type Arrival, basic, checked, parseJson, startSimulator } from './simulator';

/** `NETLIFE_BASE_URL` for the sync job, with `{portal}` in it, and the control API. */
export interface NetlifeSimulator {
  readonly baseUrl: string;
  readonly controlUrl: string;
  readonly stop: () => Promise<void>;
}

interface Place {
  readonly portal: string;
  readonly request: {
    readonly origin: string;
    readonly basePath: string;
    readonly path: string;
    readonly query: URLSearchParams;
  };
  readonly body: string;
}

type Route = [call: string, method: string, path: RegExp, answer: (place: Place, job: string, id: string) => Reply];

const defaultRateLimit = 8;

/**
 * Simulates Netlife's portals (`docs/contracts/netlife.md`), several on one server: `/<portal>/api/v1/…`. Their contents are
 * generated from a seed, see `netlife-sample.ts`. Each call that creates an access key adds one, which is kept until the
 * simulator stops. A call beyond the limit in any sliding second gets a 429 with `Retry-After: 1`.
 *
 * Faults match on `portal`, `call` (`activities`, `job`, `subjects`, `access_keys`, `create_access_key`, `job_users`,
 * `subject_users`, `user`), `job`, `subject`, `has_order` and `page`. Own fault kinds: `login_refused` (401, or
 * `status`), `page_loop` (a page that links to itself), `foreign_next` (one that links to another origin).
 *
 * Control routes besides the common ones:
 * - `GET /_control/arrivals/<portal>`: when calls arrived, and the maximum in any sliding second; `DELETE` resets them.
 * - `PUT /_control/rate-limit`: `{ "calls_per_second": 8 }`.
 *
 * @example
 * const netlife = await startNetlifeSimulator({
 *   credentials: { username: 'u', password: 'p' },
 *   portals: [{ name: 'nowandforeverphoto', jobs: 8, activitiesPerJob: 2, subjectsPerJob: 32 }],
 * });
 */
export const startNetlifeSimulator = async (options: {
  readonly port?: number;
  readonly credentials: { readonly username: string; readonly password: string };
  readonly seed?: number;
  readonly portals: NetlifePortalSize[];
  readonly rateLimitPerSecond?: number;
  readonly latencyMs?: number;
  readonly pages?: PageOptions;
}): Promise<NetlifeSimulator> => {
  const { seed = 1, pages = {} } = options;
  const portals = new Map(
    options.portals.map((size) => [
      size.name,
      { sample: createNetlifePortal(seed, size), arrivals: createArrivals(), created: new Map<string, string[]>() },
    ]),
  );
  let rateLimit = options.rateLimitPerSecond ?? defaultRateLimit;

  const list = (rows: Rows, { request }: Place): Reply => ({ status: 200, body: pageOf(rows, request, pages) });
  const listAll = (rows: unknown[], place: Place) => list({ count: rows.length, row: (index) => rows[index] }, place);
  const inJob = ({ portal }: Place, uuid: string, answer: (job: NetlifeJobSample) => Reply): Reply => {
    const job = portals.get(portal)?.sample.job(uuid);
    return job === undefined ? notFound : answer(job);
  };
  const ofSubject = (place: Place, uuid: string, id: string, answer: (job: NetlifeJobSample, index: number) => Reply) =>
    inJob(place, uuid, (job) => {
      const index = job.indexOf(id);
      return index === undefined ? notFound : answer(job, index);
    });

  const routes: Route[] = [
    [
      'activities',
      'GET',
      /^\/activities\/search$/,
      (place) => listAll(portals.get(place.portal)?.sample.activities ?? [], place),
    ],
    [
      'job',
      'GET',
      /^\/jobs\/([^/]+)$/,
      (place, uuid) => inJob(place, uuid, (job) => ({ status: 200, body: detailsOf(job, isMap(uuid, pages)) })),
    ],
    [
      'subjects',
      'GET',
      /^\/jobs\/([^/]+)\/subjects$/,
      (place, uuid) =>
        inJob(place, uuid, (job) => {
          const { from, to } = place.request.query.get('filter_has_order') === 'true' ? job.buyers : job.nonBuyers;
          return list({ count: to - from, row: (index) => job.subject(from + index) }, place);
        }),
    ],
    [
      'access_keys',
      'GET',
      /^\/jobs\/([^/]+)\/subjects\/([^/]+)\/accesskeys$/,
      (place, uuid, id) =>
        ofSubject(place, uuid, id, (job, index) => {
          const created = portals.get(place.portal)?.created.get(id) ?? [];
          const keys = [...job.accessKeys(index), ...created.map((key) => ({ access_key: key }))];
          const forms = [keys, { access_keys: keys }, { data: keys }];
          return { status: 200, body: forms[index % forms.length] };
        }),
    ],
    [
      'create_access_key',
      'POST',
      /^\/jobs\/([^/]+)\/subjects\/([^/]+)\/accesskeys$/,
      (place, uuid, id) =>
        ofSubject(place, uuid, id, (_job, index) => {
          const named = z.object({ name: z.string().min(1) }).safeParse(parseJson(place.body));
          if (!named.success) return { status: 422, body: { error: 'name_missing' } };
          const before = portals.get(place.portal)?.created.get(id) ?? [];
          const key = `NEW${index}-${before.length + 1}`;
          portals.get(place.portal)?.created.set(id, [...before, key]);
          return { status: 201, body: { access_key: key } };
        }),
    ],
    [
      'job_users',
      'GET',
      /^\/jobs\/([^/]+)\/users$/,
      (place, uuid) =>
        inJob(place, uuid, (job) => {
          const users = Array.from({ length: job.subjects }, (_, index) => job.user(index) ?? []).flat();
          return listAll(users, place);
        }),
    ],
    [
      'subject_users',
      'GET',
      /^\/jobs\/([^/]+)\/subjects\/([^/]+)\/users$/,
      (place, uuid, id) =>
        ofSubject(place, uuid, id, (job, index) => {
          const users = [job.user(index) ?? []].flat();
          return { status: 200, body: index % 2 === 0 ? users : { success: true, data: users } };
        }),
    ],
    [
      'user',
      'GET',
      /^\/users\/([^/]+)$/,
      (_place, uuid) => ({ status: 200, body: { uuid, phone_number: '(555) 010-0199', name: 'Not for us' } }),
    ],
  ];

  const facts = {
    portal: z.enum([...portals.keys()]),
    call: z.enum(routes.map(([call]) => call)),
    job: z.string(),
    subject: z.string(),
    has_order: z.enum(['', 'true', 'false']),
    page: z.string(),
  };
  const read = ({
    method,
    path,
    query,
    body,
    headers,
  }: Arrival): { readonly facts: Facts<typeof facts>; readonly answer: () => Reply } => {
    const [, portal = '', below = ''] = /^\/([^/]+)\/api\/v1(\/.*)$/.exec(path) ?? [];
    const arrivals = portals.get(portal)?.arrivals;
    if (arrivals === undefined) return { facts: {}, answer: () => notFound };
    for (const [call, expected, pattern, answer] of routes) {
      const [found, first = '', second = ''] = pattern.exec(below) ?? [];
      if (found === undefined || method !== expected) continue;
      const known = { portal, call, job: first, subject: second, ...factsOfQuery(query) };
      if (!arrivals.admit(rateLimit)) return { facts: known, answer: () => tooMany };
      const request = { origin: `http://${headers.host}`, basePath: `/${portal}/api/v1`, path: below, query };
      const id = (text: string) => decodeURIComponent(text);
      return { facts: known, answer: () => answer({ portal, request, body }, id(first), id(second)) };
    }
    return { facts: { portal }, answer: () => notFound };
  };

  const { origin, controlUrl, stop } = await startSimulator({
    port: options.port,
    latencyMs: options.latencyMs,
    admits: basic(options.credentials),
    facts,
    read,
    faultAnswers,
    control: {
      'GET /arrivals/:id': ({ id }) => {
        const arrivals = portals.get(id)?.arrivals;
        return arrivals === undefined ? notFound : { status: 200, body: arrivals.report() };
      },
      'DELETE /arrivals/:id': ({ id }) => {
        portals.get(id)?.arrivals.clear();
        return { status: 200, body: {} };
      },
      'PUT /rate-limit': checked(z.strictObject({ calls_per_second: z.int().min(1) }), (value) => {
        rateLimit = value.calls_per_second;
        return { status: 200, body: value };
      }),
    },
  });
  return { baseUrl: `${origin}/{portal}/api/v1`, controlUrl, stop };
};

const notFound: Reply = { status: 404, body: { error: 'not_found' } };
const tooMany: Reply = { status: 429, headers: { 'retry-after': '1' }, body: { error: 'too_many_requests' } };

const faultAnswers: Record<string, FaultAnswer> = {
  login_refused: ({ status = 401 }) => ({ status, body: { error: 'unauthorized' } }),
  page_loop: () => ({ status: 200, body: { data: [], next: '?page=loop' } }),
  foreign_next: () => ({ status: 200, body: { data: [], meta: { next: 'https://foreign.example/api/v1/jobs' } } }),
};

const factsOfQuery = (query: URLSearchParams) => ({
  has_order: query.get('filter_has_order') ?? '',
  page: query.get('page') ?? '1',
});

/** Subjects and images as lists, or as maps by uuid. */
const detailsOf = (job: NetlifeJobSample, asMaps: boolean) => {
  const images = Array.from({ length: job.subjects }, (_, index) => job.images(index)).flat();
  const byUuid = Object.fromEntries(images.map(({ uuid, ...image }) => [uuid, image]));
  return {
    uuid: job.uuid,
    name: job.name,
    subjects: [],
    images: asMaps ? byUuid : images,
    owner: { name: 'Not for us' },
  };
};
