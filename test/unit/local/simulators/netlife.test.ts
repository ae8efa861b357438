import { type NetlifeSimulator, startNetlifeSimulator } from '../../../../local/simulators/netlife';
import type { PageOptions } from '../../../../local/simulators/netlife-pages';
import { basicAuthorization } from '../../../support/webhook-calls';

const credentials = { username: 'user', password: 'pass' };
const authorization = basicAuthorization('user', 'pass');
const portals = ['one', 'two'].map((name) => ({ name, jobs: 2, activitiesPerJob: 2, subjectsPerJob: 30 }));

let netlife: NetlifeSimulator;
afterEach(() => netlife.stop());

const start = async (pages?: PageOptions, rateLimitPerSecond = 1_000) => {
  netlife = await startNetlifeSimulator({
    credentials,
    portals,
    rateLimitPerSecond,
    ...(pages === undefined ? {} : { pages }),
  });
};

const sendRequest = async (path: string, options: RequestInit & { portal?: string } = {}) => {
  const { portal = 'one', ...init } = options;
  const url = path.startsWith('http') ? path : `${netlife.baseUrl.replace('{portal}', portal)}${path}`;
  const response = await fetch(url, { headers: { authorization }, ...init });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
};
const control = async (method: string, path: string, body?: unknown) => {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  return JSON.parse(await (await fetch(`${netlife.controlUrl}${path}`, init)).text());
};
const search = '/activities/search?status_id=in-webshop';
const firstJob = async (): Promise<string> => {
  const { body } = await sendRequest(search);
  return (body.data ?? body.results ?? body)[0].job.uuid;
};

test('requires credentials, and serves its portals and jobs', async () => {
  await start();
  expect((await sendRequest(search, { headers: {} })).status).toBe(401);
  expect((await sendRequest(search, { portal: 'three' })).status).toBe(404);
  expect((await sendRequest('/jobs/unknown')).status).toBe(404);
  expect((await sendRequest(`/jobs/${await firstJob()}/subjects/unknown/accesskeys`)).status).toBe(404);
});

test('the same seed gives the same portal, and portals differ', async () => {
  await start({ shape: 'list' });
  const [one, again, two] = [
    await sendRequest(search),
    await sendRequest(search),
    await sendRequest(search, { portal: 'two' }),
  ];
  expect(one.body).toHaveLength(4);
  expect(again.body).toEqual(one.body);
  expect(two.body[0].uuid).not.toBe(one.body[0].uuid);
});

test.each([
  ['meta', 'absolute'],
  ['results', 'relative'],
  ['data', 'query'],
  ['meta', 'repeated'],
] as const)('pages as %s, next as %s', async (shape, next) => {
  await start({ shape, next, size: 7 });
  const job = await firstJob();
  const { body } = await sendRequest(`/jobs/${job}/subjects?filter_has_order=false`);
  const link = shape === 'meta' ? body.meta.next : body.next;
  expect((shape === 'results' ? body.results : body.data).length).toBe(7);
  const below = `/jobs/${job}/subjects?filter_has_order=false&page=2`;
  expect(link).toBe(
    {
      absolute: netlife.baseUrl.replace('{portal}', 'one') + below,
      relative: below,
      repeated: `/api/v1${below}`,
      query: '?filter_has_order=false&page=2',
    }[next],
  );
});

test.each([0, 1, 2, 3, 17, 30])('order %s has every row once', async (order) => {
  await start({ shape: 'data', size: 4, order });
  const job = await firstJob();
  const uuids: string[] = [];
  for (let path = `/jobs/${job}/users?page=1`, page = 1; path !== ''; page++) {
    const { body } = await sendRequest(path);
    uuids.push(...body.data.map((row: { subjectUuid: string }) => row.subjectUuid));
    path = body.next === null ? '' : `/jobs/${job}/users?page=${page + 1}`;
  }
  expect(uuids.length).toBeGreaterThan(4);
  expect(new Set(uuids).size).toBe(uuids.length);
});

test.each([true, false])('details with maps: %s', async (maps) => {
  await start({ maps });
  const { body } = await sendRequest(`/jobs/${await firstJob()}`);
  expect(Array.isArray(body.images)).toBe(!maps);
});

test('keeps all created access keys, in order', async () => {
  await start({ shape: 'list' });
  const job = await firstJob();
  const { body } = await sendRequest(`/jobs/${job}/subjects?filter_has_order=true`);
  const path = `/jobs/${job}/subjects/${body[0].uuid}/accesskeys`;
  expect((await sendRequest(path, { method: 'POST', body: '{}' })).status).toBe(422);
  const created = await sendRequest(path, { method: 'POST', body: '{"name":"Ada"}' });
  expect(created.status).toBe(201);
  const again = await sendRequest(path, { method: 'POST', body: '{"name":"Ada"}' });
  const listed = JSON.stringify((await sendRequest(path)).body);
  expect(again.body.access_key).not.toBe(created.body.access_key);
  expect(listed.indexOf(created.body.access_key)).toBeGreaterThan(0);
  expect(listed.indexOf(again.body.access_key)).toBeGreaterThan(listed.indexOf(created.body.access_key));
});

test('refuses calls beyond the rate limit of a portal, and reports the arrivals', async () => {
  await start({ shape: 'list' }, 3);
  const responses = await Promise.all(Array.from({ length: 5 }, () => sendRequest(search)));
  const refused = responses.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(2);
  expect(refused[0]?.headers.get('retry-after')).toBe('1');
  expect((await sendRequest(search, { portal: 'two' })).status).toBe(200);
  expect(await control('GET', '/arrivals/one')).toMatchObject({ calls: 5, refused: 2, most_in_a_second: 5 });
  await control('DELETE', '/arrivals/one');
  await control('PUT', '/rate-limit', { calls_per_second: 100 });
  expect((await sendRequest(search)).status).toBe(200);
  expect(await control('GET', '/arrivals/one')).toMatchObject({ calls: 1, refused: 0, most_in_a_second: 1 });
});

test('applies its own faults by the facts of a request', async () => {
  await start({ shape: 'data', size: 2 });
  const job = await firstJob();
  await control('PUT', '/faults', [
    { kind: 'login_refused', match: { portal: 'two' } },
    { kind: 'page_loop', match: { call: 'subjects', has_order: 'true' } },
    { kind: 'foreign_next', match: { call: 'subjects', page: '2' } },
  ]);
  expect((await sendRequest(search, { portal: 'two' })).status).toBe(401);
  const subjects = `/jobs/${job}/subjects`;
  expect((await sendRequest(`${subjects}?filter_has_order=true`)).body).toEqual({ data: [], next: '?page=loop' });
  expect((await sendRequest(`${subjects}?page=2`)).body.meta.next).toMatch(/^https:\/\/foreign/);
  expect((await sendRequest(`${subjects}?page=1`)).status).toBe(200);
});
