import { type PageRequest, pageOf, type Rows } from '../../../local/simulators/netlife-pages';
import {
  createNetlifePortal,
  type NetlifeJobSample,
  type NetlifePortalSize,
} from '../../../local/simulators/netlife-sample';
import { createSlidingSecond } from '../../../local/simulators/sliding-second';
import type { HttpReply, HttpRequest, Server } from '../connection';

/** A portal's limit. */
export const netlifeCallsPerSecond = 8;

const pageSize = 10;
const notFound: HttpReply = { statusCode: 404, body: '{}' };
const ok = (body: unknown): HttpReply => ({ statusCode: 200, body: JSON.stringify(body) });

/** Of this number of subjects, one has no access key, if `isKeyless`. */
const subjectsPerKeyless = 4;

/** A portal. Of some portals, many subjects have no access key. */
export interface PortalSize extends NetlifePortalSize {
  readonly isKeyless: boolean;
}

/** One portal of Netlife: its contents never change, except for the access keys that we create. */
const createPortal = (seed: number, size: PortalSize, now: () => number) => {
  const sample = createNetlifePortal(seed, size);
  const calls = createSlidingSecond(() => netlifeCallsPerSecond);
  const created = new Map<string, string[]>();
  const origin = `https://${size.name}.example`;
  const basePath = '/api/v1';

  const respond = ({ method, path, body }: HttpRequest): HttpReply => {
    const url = new URL(path, origin);
    const below = url.pathname.slice(basePath.length);
    const request: PageRequest = { origin, basePath, path: below, query: url.searchParams };
    const list = (rows: Rows): HttpReply => ok(pageOf(rows, request, { size: pageSize }));
    const listAll = (rows: readonly unknown[]): HttpReply => list({ count: rows.length, row: (index) => rows[index] });
    if (below === '/activities/search') return listAll(sample.activities);
    const [, kind, first = '', what, id = '', last] = below.split('/').map(decodeURIComponent);
    if (kind === 'users') return ok({ uuid: first, phone_number: '(555) 010-0199' });
    const job = kind === 'jobs' ? sample.job(first) : undefined;
    if (job === undefined) return notFound;
    if (what === undefined) return ok(detailsOf(job));
    if (what === 'users') return listAll(usersOf(job));
    if (id === '') {
      const { from, to } = url.searchParams.get('filter_has_order') === 'true' ? job.buyers : job.nonBuyers;
      return list({ count: to - from, row: (index) => job.subject(from + index) });
    }
    const index = job.indexOf(id);
    if (index === undefined || last !== 'accesskeys') return notFound;
    const keys = created.get(id) ?? [];
    const ours = size.isKeyless && index % subjectsPerKeyless === 0 ? [] : job.accessKeys(index);
    if (method === 'GET') return ok([...ours, ...keys.map((key) => ({ access_key: key }))]);
    const named = JSON.parse(body) as { readonly name?: string };
    if (named.name === undefined) return { statusCode: 422, body: '{}' };
    const key = `NEW${index}-${keys.length + 1}`;
    created.set(id, [...keys, key]);
    return { statusCode: 201, body: JSON.stringify({ access_key: key }) };
  };

  return {
    server: { respond, onSent: () => void calls.take(now()) } satisfies Server,
    /** The job that a request is about. */
    jobOf: (path: string): string | undefined => /\/jobs\/([^/?]+)/.exec(path)?.[1],
    mostCalls: calls.most,
    /** Subjects for whom more than one access key was created. */
    doubledKeys: (): readonly string[] => [...created].flatMap(([id, keys]) => (keys.length > 1 ? [id] : [])),
  };
};

const usersOf = (job: NetlifeJobSample) =>
  Array.from({ length: job.subjects }, (_, index) => job.user(index) ?? []).flat();

const detailsOf = (job: NetlifeJobSample) => ({
  uuid: job.uuid,
  name: job.name,
  subjects: [],
  images: Array.from({ length: job.subjects }, (_, index) => job.images(index)).flat(),
});

/** Netlife's portals. */
export const createNetlife = (seed: number, sizes: readonly PortalSize[], now: () => number) =>
  new Map(sizes.map((size) => [size.name, createPortal(seed, size, now)]));

export type Netlife = ReturnType<typeof createNetlife>;
