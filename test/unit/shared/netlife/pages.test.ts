import { deepestDescription } from '../../../../shared/netlife/announced';
import {
  type FetchedPage,
  type KeptPages,
  keptPageSchema,
  paginate,
  resolveNext,
} from '../../../../shared/netlife/pages';
import { portalAt } from '../../../support/netlife';

const portal = portalAt();
const simulator = portalAt('http://127.0.0.1:81/{portal}/api/v1');
const current = '/api/v1/jobs/1/subjects?page=1';
const second = '/api/v1/jobs/1/subjects?page=2';

const pageOf = (json: unknown, headers: Record<string, string> = {}, statusCode = 200): FetchedPage => ({
  json,
  headers,
  statusCode,
});

/** Exceeds the pages of every list in this file, so that an undetected loop fails its test before memory runs out. */
const maxFetches = 20;

const collect = async (fetchPage: (path: string) => FetchedPage, first = current): Promise<unknown[]> => {
  const rows: unknown[] = [];
  let fetches = 0;
  const bounded = async (path: string): Promise<FetchedPage> => {
    if (++fetches > maxFetches) throw new Error('The list does not end');
    return fetchPage(path);
  };
  for await (const row of paginate(first, portal, bounded)) rows.push(row);
  return rows;
};

const rowsOf = (pages: Readonly<Record<string, unknown>>): Promise<unknown[]> => collect((path) => pageOf(pages[path]));

test.each([
  ['absolute', `https://nowandforeverphoto.shop${second}`],
  ['absolute, with the default port', `https://nowandforeverphoto.shop:443${second}`],
  ['relative, with the base path', second],
  ['relative, with the base path and no slash', second.slice(1)],
  ['relative, below the base path', '/jobs/1/subjects?page=2'],
  ['relative, without a slash', 'jobs/1/subjects?page=2'],
  ['a query', '?page=2'],
])('next: %s', (_form, next) => {
  expect(resolveNext(next, current, portal)).toBe(second);
});

test.each([
  `http://nowandforeverphoto.shop${second}`,
  `HTTP://NowAndForeverPhoto.shop:80${second}`,
  `http://nowandforeverphoto.shop:443${second}`,
  `http://user:password@nowandforeverphoto.shop${second}#fragment`,
])('next is followed over https for %s', (next) => {
  expect(resolveNext(next, current, portal)).toBe(second);
});

test('next is not followed to https if the portal is a simulator without it', () => {
  expect(() => resolveNext('https://127.0.0.1:81/jobs', current, simulator)).toThrow('own origin');
});

test.each([
  ['the whole path', '/nowandforeverphoto/api/v1/jobs?page=2', '/nowandforeverphoto/api/v1/jobs?page=2'],
  ['the default base path', '/api/v1/jobs?page=2', '/nowandforeverphoto/api/v1/jobs?page=2'],
  ['neither', '/jobs?page=2', '/nowandforeverphoto/api/v1/jobs?page=2'],
  ['a path that only starts like it', '/api/v10/x', '/nowandforeverphoto/api/v1/api/v10/x'],
])('next, with a configured base URL that has another path: %s', (_form, next, path) => {
  expect(resolveNext(next, '/nowandforeverphoto/api/v1/jobs', simulator)).toBe(path);
});

test.each([
  'https://evil.example/api/v1/jobs',
  'http://evil.example/api/v1/jobs',
  'http://nowandforeverphoto.shop:8080/api/v1/jobs',
  'https://nowandforeverphoto.shop:8443/api/v1/jobs',
  'https://nowandforeverphoto.shop.evil.example/',
  'https://nowandforeverphoto.shop@evil.example/',
  '//evil.example/jobs',
  '\\\\evil.example/jobs',
  '/\\evil.example/jobs',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'https://',
])('next is never followed to %s', async (next) => {
  await expect(rowsOf({ [current]: { data: [1], next } })).rejects.toMatchObject({
    code: 'BAD_ANSWER',
    retryable: false,
  });
});

test.each([
  ['a bare list', [1, 2]],
  ['data', { data: [1, 2] }],
  ['data, next null', { data: [1, 2], next: null }],
  ['data, next empty', { data: [1, 2], next: '' }],
  ['data, next false', { data: [1, 2], next: false }],
  ['data, meta', { data: [1, 2], meta: { next: null } }],
  ['results', { results: [1, 2], next: null }],
  ['access_keys', { access_keys: [1, 2] }],
])('one page is read as %s', async (_shape, page) => {
  expect(await rowsOf({ [current]: page })).toEqual([1, 2]);
});

test('a map by uuid is a list whose rows have the keys as uuids', async () => {
  expect(await rowsOf({ [current]: { data: { a: { x: 1 }, b: { uuid: 'c' }, d: 5 } } })).toEqual([
    { uuid: 'a', x: 1 },
    { uuid: 'c' },
    5,
  ]);
});

test('an empty list in a map is a row, because PHP serializes an object without fields as an empty list', async () => {
  expect(await rowsOf({ [current]: { data: { a: { x: 1 }, b: [] } } })).toEqual([{ uuid: 'a', x: 1 }, []]);
});

test('null is an empty list', async () => {
  expect(await rowsOf({ [current]: { data: null } })).toEqual([]);
});

test('follows pages of changing shapes', async () => {
  const third = '/api/v1/jobs/1/subjects?page=3';
  expect(
    await rowsOf({
      [current]: { data: [1], meta: { next: second } },
      [second]: { results: [2], next: '?page=3' },
      [third]: [3],
    }),
  ).toEqual([1, 2, 3]);
});

test.each([[{}], ['text'], [5], [{ error: 'no' }], [{ data: 'text' }]])('%j is not a page', async (page) => {
  await expect(rowsOf({ [current]: page })).rejects.toMatchObject({ code: 'BAD_ANSWER' });
});

test('a next page that is not a string is not treated as the end', async () => {
  await expect(rowsOf({ [current]: { data: [], next: 2 } })).rejects.toMatchObject({ code: 'BAD_ANSWER' });
});

test.each([
  ['a list', (count: number) => Array(count).fill(0)],
  ['a map', (count: number) => Object.fromEntries(Array.from({ length: count }, (_, key) => [`k${key}`, 0]))],
])('a page of 500,000 rows is read, and a page with one row more is an error: %s', async (_form, rows) => {
  expect(await rowsOf({ [current]: { data: rows(500_000) } })).toHaveLength(500_000);
  await expect(rowsOf({ [current]: { data: rows(500_001) } })).rejects.toMatchObject({
    code: 'BAD_ANSWER',
    retryable: false,
    message: 'A list has more than 500000 entries',
  });
});

test.each([
  ['to itself', { [current]: { data: [1], next: '?page=1' } }],
  ['to the first', { [current]: { data: [1], next: second }, [second]: { data: [2], next: current } }],
  [
    'to the first, over http',
    {
      [current]: { data: [1], next: second },
      [second]: { results: [2], next: `http://nowandforeverphoto.shop${current}` },
    },
  ],
])('a page that leads back %s fails the list', async (_where, pages) => {
  await expect(rowsOf(pages)).rejects.toMatchObject({
    code: 'BAD_ANSWER',
    retryable: false,
    message: expect.stringContaining('lead back'),
  });
});

test('10,000 pages are read, and one page more is an error', async () => {
  let pages = 0;
  const endless = async (last: number) => {
    pages = 0;
    const rows = paginate('/p?1', portal, async () => {
      pages++;
      return pageOf({ data: [pages], next: pages < last ? `/p?${pages + 1}` : null });
    });
    for await (const _row of rows);
  };
  await endless(10_000);
  await expect(endless(10_001)).rejects.toMatchObject({ code: 'BAD_ANSWER' });
  expect(pages).toBe(10_000);
});

test('a page is fetched only when its rows are read', async () => {
  const fetchPage = jest.fn(async () => pageOf({ data: [1, 2], next: second }));
  for await (const row of paginate(current, portal, fetchPage)) if (row === 2) break;
  expect(fetchPage).toHaveBeenCalledTimes(1);
});

test.each([
  ['a list of one page is not kept', { [current]: { data: [1] } }, []],
  ['both pages of a list are kept', { [current]: { data: [1], next: second }, [second]: [2] }, [0, 1]],
])('%s', async (_what, pages: Readonly<Record<string, unknown>>, expected) => {
  const kept: number[] = [];
  const keptPages: KeptPages = { read: async () => undefined, write: async (position) => kept.push(position) };
  for await (const _row of paginate(current, portal, async (path) => pageOf(pages[path]), keptPages));
  expect(kept).toEqual(expected);
});

/** Nested descriptions of a page, with the innermost at this depth. */
const nested = (depth: number, innermost: object): object =>
  Array.from({ length: depth }).reduce<object>((inner) => ({ pagination: inner }), innermost);

describe('a response that announces more rows in an unknown way is an error', () => {
  const tooFew = { code: 'BAD_ANSWER', retryable: false, message: 'A list has more rows than its pages lead to' };

  test.each<[string, object]>([
    ['a URL', { next_page_url: 'https://nowandforeverphoto.shop/api/v1/jobs?page=2' }],
    ['the number of a page', { meta: { nextPage: 2 } }],
    ['a cursor', { nextCursor: 'abc' }],
    ['a token', { pagination: { next_page_token: 'abc' } }],
    ['links', { links: { first: '?page=1', next: '?page=2' } }],
    ['links of HAL', { _links: { self: { href: '?page=1' }, next: { href: '?page=2' } } }],
    ['a list of links', { links: [{ rel: 'self' }, { rel: 'next', href: '?page=2' }] }],
    ['OData', { '@odata.nextLink': 'https://nowandforeverphoto.shop/api/v1/jobs?skip=100' }],
    ['a flag', { has_more: true }],
    ['a flag as text', { meta: { hasMore: 'true' } }],
    ['a nested flag', { meta: { page_info: { hasNextPage: true } } }],
    ['a flag at the depth limit', nested(deepestDescription, { has_more: true })],
    ['a list of next pages', { pagination: { next: ['?page=2'] } }],
    ['a flag that this is not the end', { last: false }],
    ['a flag that the list is truncated', { IsTruncated: true }],
    ['a total', { total: 3 }],
    ['a total as text', { meta: { total_count: '3' } }],
    ['a count', { count: 3, next: null }],
    ['the number of the last page', { meta: { current_page: 1, last_page: 2 } }],
    ['the number of pages, as in Spring', { page: { number: 0, totalPages: 2 } }],
    ['the number of remaining rows', { meta: { remaining: 1 } }],
    ['two lists', { results: [3] }],
    ['two next pages', { meta: { next: second }, next: '?page=3' }],
    ['meta without next, and another description with it', { meta: { next: null }, pagination: { next: second } }],
  ])('%s', async (_way, more) => {
    await expect(rowsOf({ [current]: { data: [1, 2], ...more }, [second]: [] })).rejects.toMatchObject(tooFew);
  });

  test.each<[string, Record<string, string>, number]>([
    ['a link', { link: `<https://nowandforeverphoto.shop${second}>; rel="last", <${second}>; rel="next"` }, 200],
    ['a link without quotes', { link: `<${second}>; rel=next` }, 200],
    ['a total', { 'x-total-count': '3' }, 200],
    ['the number of a page', { 'x-next-page': '2' }, 200],
    ['a range', { 'content-range': 'items 0-1/3' }, 200],
    ['the status 206', {}, 206],
  ])('by header or status: %s', async (_way, headers, statusCode) => {
    await expect(collect(() => pageOf([1, 2], headers, statusCode))).rejects.toMatchObject(tooFew);
  });

  test('at the last page, when all pages have fewer rows than were announced', async () => {
    const pages = (total: number) => ({
      [current]: { data: [1, 2], meta: { next: second, total } },
      [second]: { data: [3], meta: { total } },
    });
    expect(await rowsOf(pages(3))).toEqual([1, 2, 3]);
    await expect(rowsOf(pages(4))).rejects.toMatchObject(tooFew);
  });

  test('in every turn that reads the last page', async () => {
    const kept = new Map<number, unknown>();
    const keptPages: KeptPages = {
      read: async (position) => (kept.has(position) ? keptPageSchema.parse(kept.get(position)) : undefined),
      write: async (position, page) => kept.set(position, JSON.parse(JSON.stringify(page))),
    };
    const pages: Record<string, unknown> = {
      [current]: { data: [1], next: second },
      [second]: { data: [2], total: 3 },
    };
    const read = async () => {
      for await (const _row of paginate(current, portal, async (path) => pageOf(pages[path]), keptPages));
    };
    await expect(read()).rejects.toMatchObject(tooFew);
    expect(kept.size).toBe(2);
    await expect(read()).rejects.toMatchObject(tooFew);
  });
});

describe('a last page is accepted with', () => {
  test.each<[string, object]>([
    [
      'Laravel',
      {
        links: { first: '?page=1', last: '?page=1', prev: null, next: null },
        meta: { current_page: 1, last_page: 1, total: 2, links: [{ url: null, label: 'Next', active: false }] },
      },
    ],
    ['Django', { count: 2, next: null, previous: null }],
    ['flags', { has_more: false, hasNext: 'false', next_cursor: '', nextPage: null, last: true }],
    ['HAL', { _links: { self: { href: '?page=1' }, next: { href: null } } }],
    ['a count of the page', { count: 1, total: 2 }],
    ['a total of zero', { total: 0, total_pages: 0 }],
    ['counts of something else', { job: { total: 500, next_of_kin: 'x' }, success: true, nextSteps: 'none' }],
    ['a next page in both places', { meta: { next: second }, next: `https://nowandforeverphoto.shop${second}` }],
    ['a next page and a flag', { next: second, has_more: true, total: 2 }],
    ['white space as the next page', { next: ' ' }],
    ['the number 0 as the next page', { nextPage: 0 }],
    ['an empty list of next pages', { pagination: { next: [] } }],
    ['a flag below the depth limit', nested(deepestDescription + 1, { has_more: true })],
  ])('%s', async (_kind, more) => {
    expect(await rowsOf({ [current]: { data: [1, 2], ...more }, [second]: [] })).toEqual([1, 2]);
  });

  test('headers', async () => {
    const headers = {
      link: `<${second}>; rel="prev"; title="next"`,
      'x-total-count': '2',
      'x-next-page': '',
      'x-nextjs-cache': 'HIT',
      'x-ratelimit-remaining': '7',
      'content-range': 'items 0-1/2',
    };
    expect(await collect(() => pageOf([1, 2], headers))).toEqual([1, 2]);
  });
});

test.each([
  ['results next to null data', { data: null, results: [1, 2] }],
  ['results next to an empty list', { data: [], results: [1, 2] }],
])('the rows are read from %s', async (_what, page) => {
  expect(await rowsOf({ [current]: page })).toEqual([1, 2]);
});

test('a page that is nested in a page is an error', async () => {
  const page = { data: { items: [{ uuid: 'a' }], next: second } };
  await expect(rowsOf({ [current]: page })).rejects.toMatchObject({ code: 'BAD_ANSWER' });
});

test('a map by uuid with a next page among its rows is an error', async () => {
  const page = { data: { a: { x: 1 }, next_page: 2 } };
  await expect(rowsOf({ [current]: page })).rejects.toMatchObject({ code: 'BAD_ANSWER' });
});
