import { paginate, resolveNext } from '../../../../shared/netlife/pages';
import { portalAt } from '../../../support/netlife';

const portal = portalAt();
const standIn = portalAt('http://127.0.0.1:81/{portal}/api/v1');
const current = '/api/v1/jobs/1/subjects?page=1';
const second = '/api/v1/jobs/1/subjects?page=2';

const rowsOf = async (pages: Readonly<Record<string, unknown>>, first = current): Promise<unknown[]> => {
  const rows: unknown[] = [];
  for await (const row of paginate(first, portal, async (path) => pages[path])) rows.push(row);
  return rows;
};

test.each([
  ['absolute', `https://nowandforeverphoto.shop${second}`],
  ['absolute, with a port that is the usual one', `https://nowandforeverphoto.shop:443${second}`],
  ['relative, with the base path', second],
  ['relative, with the base path and no slash', second.slice(1)],
  ['relative, below the base path', '/jobs/1/subjects?page=2'],
  ['relative, without a slash', 'jobs/1/subjects?page=2'],
  ['a query', '?page=2'],
])('next: %s', (_form, next) => {
  expect(resolveNext(next, current, portal)).toBe(second);
});

test.each([
  ['the whole path', '/nowandforeverphoto/api/v1/jobs?page=2', '/nowandforeverphoto/api/v1/jobs?page=2'],
  ['the usual base path', '/api/v1/jobs?page=2', '/nowandforeverphoto/api/v1/jobs?page=2'],
  ['neither', '/jobs?page=2', '/nowandforeverphoto/api/v1/jobs?page=2'],
  ['something that only begins like it', '/api/v10/x', '/nowandforeverphoto/api/v1/api/v10/x'],
])('next, where a base URL of our own has another path: %s', (_form, next, path) => {
  expect(resolveNext(next, '/nowandforeverphoto/api/v1/jobs', standIn)).toBe(path);
});

test.each([
  'https://evil.example/api/v1/jobs',
  'http://nowandforeverphoto.shop/api/v1/jobs',
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
])('one page as %s', async (_shape, page) => {
  expect(await rowsOf({ [current]: page })).toEqual([1, 2]);
});

test('a map by uuid is a list whose rows have the keys for uuids', async () => {
  expect(await rowsOf({ [current]: { data: { a: { x: 1 }, b: { uuid: 'c' }, d: 5 } } })).toEqual([
    { uuid: 'a', x: 1 },
    { uuid: 'c' },
    5,
  ]);
});

test('nothing is no rows', async () => {
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

test.each([[{}], ['text'], [5], [{ error: 'no' }], [{ data: 'text' }]])('%j is no page', async (page) => {
  await expect(rowsOf({ [current]: page })).rejects.toMatchObject({ code: 'BAD_ANSWER' });
});

test('a next page that is no text is not taken for the end', async () => {
  await expect(rowsOf({ [current]: { data: [], next: 2 } })).rejects.toMatchObject({ code: 'BAD_ANSWER' });
});

test.each([
  ['a list', (count: number) => Array(count).fill(0)],
  ['a map', (count: number) => Object.fromEntries(Array.from({ length: count }, (_, key) => [`k${key}`, 0]))],
])('a page of 500,000 rows is read, of one more is an error: %s', async (_form, rows) => {
  expect(await rowsOf({ [current]: { data: rows(500_000) } })).toHaveLength(500_000);
  await expect(rowsOf({ [current]: { data: rows(500_001) } })).rejects.toMatchObject({
    code: 'BAD_ANSWER',
    retryable: false,
    message: 'A list has more than 500000 entries',
  });
});

test('a page loop ends with an error', async () => {
  await expect(
    rowsOf({ [current]: { data: [1], next: second }, [second]: { data: [2], next: current } }),
  ).rejects.toMatchObject({ code: 'BAD_ANSWER', message: expect.stringContaining('lead back') });
});

test('10,000 pages are read, one more is an error', async () => {
  let pages = 0;
  const endless = async (last: number) => {
    pages = 0;
    const rows = paginate('/p?1', portal, async () => {
      pages++;
      return { data: [pages], next: pages < last ? `/p?${pages + 1}` : null };
    });
    for await (const _row of rows);
  };
  await endless(10_000);
  await expect(endless(10_001)).rejects.toMatchObject({ code: 'BAD_ANSWER' });
  expect(pages).toBe(10_000);
});

test('a page is fetched only when its rows are asked for', async () => {
  const fetchPage = jest.fn(async () => ({ data: [1, 2], next: second }));
  for await (const row of paginate(current, portal, fetchPage)) if (row === 2) break;
  expect(fetchPage).toHaveBeenCalledTimes(1);
});
