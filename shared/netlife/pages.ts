import * as z from 'zod';
import { badAnswer } from './bad-answer';
import type { Portal } from './portals';
import { entriesOf } from './schemas';

const maxPages = 10_000;
const repeatedBasePath = '/api/v1';

const pageSchema = z.union([
  // As a whole: the rows are read one by one later, and may be many.
  z.custom<readonly unknown[]>(Array.isArray).transform((rows) => ({ rows: entriesOf(rows) ?? [], next: undefined })),
  z
    .looseObject({
      meta: z.object({ next: z.unknown().optional() }).optional().catch(undefined),
      next: z.unknown().optional(),
    })
    .transform((page, context) => {
      const name = ['data', 'results', 'access_keys'].find((key) => key in page);
      const rows = name === undefined ? undefined : entriesOf(page[name]);
      if (rows !== undefined) return { rows, next: page.meta?.next ?? page.next };
      context.addIssue('is no page');
      return z.NEVER;
    }),
]);

/** A page of a list, as it came. */
export interface Page {
  readonly rows: readonly unknown[];
  readonly next?: unknown;
}

export const keptPageSchema: z.ZodType<Page> = z.object({ rows: z.array(z.unknown()), next: z.unknown().optional() });

/** Keeps the pages of a list that has more than one, so that whoever reads it later does not ask for them again. */
export interface KeptPages {
  /** @param position of the page, from 0 */
  read(position: number): Promise<Page | undefined>;
  write(position: number, page: Page): Promise<unknown>;
}

/**
 * The path and query that a page's `next` leads to: it is absolute, or relative to the page (`?page=2`) or to the base
 * URL, whose path it may repeat.
 *
 * @throws {PipelineError} `BAD_ANSWER` when it leads away from the portal's own origin, or nowhere
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
  const url = URL.parse(belowOrigin(), origin);
  if (url === null) throw badAnswer('The next page of a list has an unreadable address');
  if (url.origin !== origin) throw badAnswer("The next page of a list is not on the portal's own origin");
  return url.pathname + url.search;
};

/**
 * The rows of a list, over all its pages: `{data, meta:{next}}`, `{results, next}`, `{data, next}`, `{access_keys}` or a
 * bare list. A page is fetched only when its rows are asked for.
 *
 * @param path path and query of the first page, from the origin on
 * @param kept gives the pages that were read before, and gets those that are read now
 * @throws {PipelineError} `BAD_ANSWER` for an answer of another shape, a foreign origin, a page seen before, more than
 * 500,000 rows on a page, or more than 10,000 pages
 */
export async function* paginate(
  path: string,
  portal: Portal,
  fetchPage: (path: string) => Promise<unknown>,
  kept?: KeptPages,
): AsyncGenerator<unknown, void, undefined> {
  const isLast = ({ next }: Page): boolean => next == null || next === '' || next === false;
  const fetchAndKeep = async (current: string, position: number): Promise<Page> => {
    const page: Page | undefined = pageSchema.safeParse(await fetchPage(current)).data;
    if (page === undefined) throw badAnswer('A list was asked for, and something else answered');
    if (position > 0 || !isLast(page)) await kept?.write(position, page);
    return page;
  };

  const seen = new Set<string>();
  for (let current = path; ; ) {
    const position = seen.size;
    if (seen.has(current)) throw badAnswer('The pages of a list lead back to one of them');
    if (position >= maxPages) throw badAnswer(`A list has more than ${maxPages} pages`);
    seen.add(current);
    const page = (await kept?.read(position)) ?? (await fetchAndKeep(current, position));
    yield* page.rows;
    if (isLast(page)) return;
    if (typeof page.next !== 'string') throw badAnswer('The next page of a list has an unreadable address');
    current = resolveNext(page.next.trim(), current, portal);
  }
}
