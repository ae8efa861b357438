import * as z from 'zod';
import { type PageRequest, pageOf, type Rows } from '../../../local/simulators/netlife-pages';
import {
  createNetlifePortal,
  type NetlifeJobSample,
  type NetlifePortalSize,
} from '../../../local/simulators/netlife-sample';
import { createSlidingSecond } from '../../../local/simulators/sliding-second';
import type { HttpReply, HttpRequest, Server } from '../connection';
import { activitiesPerJob, type ContentPlace, type ContentValue, phoneOf, subjectsPerKeyless } from './contents';

/** A portal's limit. */
export const netlifeCallsPerSecond = 8;

const pageSize = 10;
const notFound: HttpReply = { statusCode: 404, body: '{}' };
const ok = (body: unknown): HttpReply => ({ statusCode: 200, body: JSON.stringify(body) });

/** A portal. Of some portals, many subjects have no access key. */
export interface PortalSize extends NetlifePortalSize {
  readonly isKeyless: boolean;
}

/** One portal of Netlife. */
const createPortal = (seed: number, size: PortalSize, now: () => number, contentAt: ContentValue) => {
  const sample = createNetlifePortal(seed, size);
  const calls = createSlidingSecond(() => netlifeCallsPerSecond);
  const created = new Map<string, string[]>();
  const origin = `https://${size.name}.example`;
  const basePath = '/api/v1';

  const jobUuids = sample.activities
    .filter((_, index) => index % activitiesPerJob === 0)
    .map((activity) => activitySchema.parse(activity).job.uuid);
  const valueIn = (kind: ContentPlace['kind'], job: string, index: number): number | undefined =>
    contentAt({ portal: size.name, kind, job: jobUuids.indexOf(job), index });
  const activities = (): readonly unknown[] =>
    sample.activities.filter((_, index) => {
      const job = jobUuids[Math.floor(index / activitiesPerJob)] ?? '';
      return valueIn('activity', job, index % activitiesPerJob) !== 0;
    });
  const subjectOf = (job: NetlifeJobSample, index: number): unknown => {
    const row = job.subject(index);
    const value = valueIn('phone', job.uuid, index);
    if (value === undefined) return row;
    const place = { portal: size.name, kind: 'phone', job: jobUuids.indexOf(job.uuid), index } as const;
    const { delivery_1: delivery } = deliverySchema.parse(row);
    return Object.assign({}, row, { delivery_1: { ...delivery, mobile_phone: phoneOf(place, value) } });
  };

  const respond = ({ method, path, body }: HttpRequest): HttpReply => {
    const url = new URL(path, origin);
    const below = url.pathname.slice(basePath.length);
    const request: PageRequest = { origin, basePath, path: below, query: url.searchParams };
    const list = (rows: Rows): HttpReply => ok(pageOf(rows, request, { size: pageSize }));
    const listAll = (rows: readonly unknown[]): HttpReply => list({ count: rows.length, row: (index) => rows[index] });
    if (below === '/activities/search') return listAll(activities());
    const [, kind, first = '', what, id = '', last] = below.split('/').map(decodeURIComponent);
    if (kind === 'users') return ok({ uuid: first, phone_number: '(555) 010-0199' });
    const job = kind === 'jobs' ? sample.job(first) : undefined;
    if (job === undefined) return notFound;
    if (what === undefined) return ok(detailsOf(job));
    if (what === 'users') return listAll(usersOf(job));
    if (id === '') {
      const { from, to } = url.searchParams.get('filter_has_order') === 'true' ? job.buyers : job.nonBuyers;
      return list({ count: to - from, row: (index) => subjectOf(job, from + index) });
    }
    const index = job.indexOf(id);
    if (index === undefined || last !== 'accesskeys') return notFound;
    const keys = created.get(id) ?? [];
    const ours = size.isKeyless && index % subjectsPerKeyless === 0 ? [] : job.accessKeys(index);
    const theirs = valueIn('key', job.uuid, index) === 1 ? [{ key: `LATER${index}` }] : [];
    if (method === 'GET') return ok([...ours, ...keys.map((key) => ({ access_key: key })), ...theirs]);
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
    /** The uuid of an activity or of a subject; null if a subject's cannot be read. */
    uuidOf: ({ kind, job, index }: ContentPlace): string | null => {
      const row =
        kind === 'activity'
          ? sample.activities[job * activitiesPerJob + index]
          : sample.job(jobUuids[job] ?? '')?.subject(index);
      return rowSchema.parse(row).uuid;
    },
    mostCalls: calls.most,
    /** Subjects for whom more than one access key was created. */
    doubledKeys: (): readonly string[] => [...created].flatMap(([id, keys]) => (keys.length > 1 ? [id] : [])),
  };
};

const activitySchema = z.object({ job: z.object({ uuid: z.string() }) });
const deliverySchema = z.object({ delivery_1: z.record(z.string(), z.unknown()).catch({}) });
const rowSchema = z.object({ uuid: z.string().nullable() });

const usersOf = (job: NetlifeJobSample) =>
  Array.from({ length: job.subjects }, (_, index) => job.user(index) ?? []).flat();

const detailsOf = (job: NetlifeJobSample) => ({
  uuid: job.uuid,
  name: job.name,
  subjects: [],
  images: Array.from({ length: job.subjects }, (_, index) => job.images(index)).flat(),
});

/** Netlife's portals. @param contentAt what they contain now, as far as it changes */
export const createNetlife = (
  seed: number,
  sizes: readonly PortalSize[],
  now: () => number,
  contentAt: ContentValue = () => undefined,
) => new Map(sizes.map((size) => [size.name, createPortal(seed, size, now, contentAt)]));

export type Netlife = ReturnType<typeof createNetlife>;
