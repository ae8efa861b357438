import * as z from 'zod';
import type { ApiResponse } from '../http/api-client';
import { type Announced, announcedByHeaders, announcedIn, deepestDescription, mergeAnnounced } from './announced';
import { badAnswer } from './bad-answer';
import type { Portal } from './portals';
import { entriesOf } from './schemas';

const maxPages = 10_000;
const repeatedBasePath = '/api/v1';

/** A page as the portal sent it. */
export interface FetchedPage extends Pick<ApiResponse, 'statusCode' | 'headers'> {
  readonly json: unknown;
}

/** A page of a list. */
export interface Page {
  readonly rows: readonly unknown[];
  /** Address of the next page. */
  readonly next?: string | undefined;
  readonly announced?: Announced | undefined;
}

const isFilled = (next: unknown): boolean =>
  next != null && next !== false && !(typeof next === 'string' && next.trim() === '');

const count = z.number().optional();
export const keptPageSchema: z.ZodType<Page> = z.object({
  rows: z.array(z.unknown()),
  next: z
    .unknown()
    .optional()
    .transform((next) => (typeof next === 'string' && isFilled(next) ? next : undefined)),
  announced: z.object({ rows: count, pages: count, more: z.boolean().optional() }).optional(),
});

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const noPage = (): Error => badAnswer('The response is not a list');
const moreRows = (): Error => badAnswer('A list has more rows than its pages lead to');

const rowKeys = ['data', 'results', 'access_keys'];

/** The rows of a page that is an object, and the key under which they are. */
const rowsIn = (page: Readonly<Record<string, unknown>>) => {
  const lists = rowKeys.flatMap((key) => {
    const rows = key in page ? entriesOf(page[key]) : undefined;
    return rows === undefined ? [] : [{ key, rows }];
  });
  const filled = lists.filter(({ rows }) => rows.length > 0);
  // Only one of two lists could be read.
  if (filled.length > 1) throw moreRows();
  return filled[0] ?? lists[0];
};

/** Reads the body of a page: rows, the forms of `next` that we follow, and what else it announces. */
const readBody = (json: unknown) => {
  // The rows are validated one by one later; there can be many.
  if (Array.isArray(json)) return { rows: entriesOf(json) ?? [], nexts: [], announced: {} };
  const found = isObject(json) ? rowsIn(json) : undefined;
  if (!isObject(json) || found === undefined) throw noPage();
  const { next, meta, [found.key]: list, ...rest } = json;
  const map = isObject(list) ? list : {};
  // A map by uuid has no lists: this is a page within the page.
  if (Object.values(map).some((entry) => Array.isArray(entry) && entry.length > 0)) throw noPage();
  const { next: nextInMeta, ...restOfMeta } = isObject(meta) ? meta : {};
  const described = { ...rest, meta: isObject(meta) ? restOfMeta : meta };
  return {
    rows: found.rows,
    nexts: [nextInMeta, next].filter(isFilled),
    announced: mergeAnnounced([announcedIn(described), announcedIn(map, deepestDescription)]),
  };
};

/**
 * @param resolve returns the path that a `next` leads to
 * @throws {PipelineError} `BAD_ANSWER` for a response that is no page, and for a page that could be read only in part
 */
const readPage = ({ json, statusCode, headers }: FetchedPage, resolve: (next: string) => string): Page => {
  const body = readBody(json);
  const nexts = body.nexts.map((next) => {
    if (typeof next === 'string') return next.trim();
    throw badAnswer('The next page of a list has an unreadable address');
  });
  const [next] = nexts;
  // Only one of two next pages could be read.
  if (new Set(nexts.map(resolve)).size > 1) throw moreRows();
  return {
    rows: body.rows,
    next,
    announced: mergeAnnounced([body.announced, announcedByHeaders(statusCode, headers)]),
  };
};

/** Stores the pages of a list that has more than one, so that a later turn does not fetch them again. */
export interface KeptPages {
  /** @param position of the page, from 0 */
  read(position: number): Promise<Page | undefined>;
  write(position: number, page: Page): Promise<unknown>;
}

/**
 * The path and query that a page's `next` leads to. `next` is absolute, or relative to the page (`?page=2`) or to the
 * base URL, whose path it may repeat. A `next` with `http` instead of the portal's `https` is followed over `https`
 * (docs/contracts/netlife.md, "Pagination").
 *
 * @throws {PipelineError} `BAD_ANSWER` if it leaves the portal's own origin, or is no address
 */
export const resolveNext = (next: string, currentPath: string, { origin, basePath }: Portal): string => {
  const isAbsolute = /^([a-z][a-z\d+.-]*:|[\\/]{2})/i.test(next);
  const startsWithPath = (path: string, start: string) => path === start || /^[/?]/.test(path.slice(start.length));
  const belowOrigin = (): string => {
    if (isAbsolute) return next;
    if (next.startsWith('?')) return currentPath.replace(/\?.*$/s, '') + next;
    const path = `/${next.replace(/^[\\/]+/, '')}`;
    if (path.startsWith(basePath) && startsWithPath(path, basePath)) return path;
    const repeated = path.startsWith(repeatedBasePath) && startsWithPath(path, repeatedBasePath);
    return basePath + (repeated ? path.slice(repeatedBasePath.length) : path);
  };
  const written = URL.parse(belowOrigin(), origin);
  const isDowngrade = written?.protocol === 'http:' && origin.startsWith('https:');
  const url = isDowngrade ? URL.parse(written.href.replace(/^http:/, 'https:')) : written;
  if (url === null) throw badAnswer('The next page of a list has an unreadable address');
  if (url.origin !== origin) throw badAnswer("The next page of a list is not on the portal's own origin");
  return url.pathname + url.search;
};

/**
 * The rows of a list, over all its pages: `{data, meta:{next}}`, `{results, next}`, `{data, next}`, `{access_keys}` or
 * a bare list. A page is fetched only when its rows are read.
 *
 * @param path path and query of the first page, from the origin
 * @param kept stored pages, read from and added to
 * @throws {PipelineError} `BAD_ANSWER` for a response of another shape, a foreign origin, a repeated page, more than
 * 500,000 rows on a page, more than 10,000 pages, or more rows announced than there are
 */
export async function* paginate(
  path: string,
  portal: Portal,
  fetchPage: (path: string) => Promise<FetchedPage>,
  kept?: KeptPages,
): AsyncGenerator<unknown, void, undefined> {
  const fetchAndKeep = async (current: string, position: number): Promise<Page> => {
    const page = readPage(await fetchPage(current), (next) => resolveNext(next, current, portal));
    if (position > 0 || page.next !== undefined) await kept?.write(position, page);
    return page;
  };

  const seen = new Set<string>();
  let rows = 0;
  for (let current = path; ; ) {
    const position = seen.size;
    if (seen.has(current)) throw badAnswer('The pages of a list lead back to one of them');
    if (position >= maxPages) throw badAnswer(`A list has more than ${maxPages} pages`);
    seen.add(current);
    const page = (await kept?.read(position)) ?? (await fetchAndKeep(current, position));
    yield* page.rows;
    rows += page.rows.length;
    if (page.next === undefined) {
      const { rows: allRows = 0, pages: allPages = 0, more = false } = page.announced ?? {};
      if (more || allRows > rows || allPages > seen.size) throw moreRows();
      return;
    }
    current = resolveNext(page.next, current, portal);
  }
}
