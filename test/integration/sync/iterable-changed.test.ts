import { type IterableSimulator, startIterableSimulator } from '../../../local/simulators/iterable';
import type { SourceRow } from '../../../shared/iterable/rows';
import type { UserSource } from '../../../shared/iterable/source';
import type { RunPlan } from '../../../shared/runs/plan';
import { unconfigured } from '../../support/unconfigured';
import { createSource, row, turnOf } from './iterable-runs';
import { credentials, type System, setFaults, startSystem, takeRequests } from './system';

let iterable: IterableSimulator;
let system: System;
/** The database of the tests. */
let rows: SourceRow[] = [];
/** Customers whom the query does not return. */
let customers: SourceRow[] = [];
beforeAll(async () => {
  iterable = await startIterableSimulator({
    credentials: credentials.iterable,
    limits: { 'users/update': 1e6, 'users/bulkUpdate': 1e6, 'events/track': 1e6, 'events/trackBulk': 1e6 },
  });
  const source: UserSource = {
    rows: (query) => createSource(rows).source.rows(query),
    customer: unconfigured('customer'),
    missingColumns: unconfigured('missingColumns'),
    async *leavers(ids) {
      const nothing = { first_name: null, last_name: null, plan_type: null, page: null, device: null, browser: null };
      yield* customers
        .filter(({ id }) => ids.includes(id ?? ''))
        .map((customer) => ({ ...customer, ...nothing, candidate: null, location: null, event_time: null }));
    },
  };
  system = await startSystem({ iterableUrl: iterable.url, source });
});
afterAll(async () => {
  system.stop();
  await iterable.stop();
});
afterEach(async () => {
  await setFaults(iterable.controlUrl);
  await fetch(`${iterable.controlUrl}/arrivals`, { method: 'DELETE' });
  await takeRequests(iterable.controlUrl);
});

let runs = 0;
/** Each test has its own list of sent users, because it selects other pages. */
const planned = (input: object = {}, more: object = {}): Promise<RunPlan> =>
  system.plan({
    run_id: `changed-${++runs}`,
    iterable: { only_changed: true, pages: [expect.getState().currentTestName?.slice(0, 60)], ...input },
    ...more,
  });

const finish = async (run: RunPlan, fault?: object) => {
  await system.extract(run);
  if (fault === undefined) await system.push(run);
  return system.report(run, undefined, fault);
};
const sync = async (input: object = {}, more: object = {}) => finish(await planned(input, more));

/** E-mail addresses whose profiles arrived since the last call, in order, and the number of calls. */
const arrived = async () => {
  const requests = await takeRequests(iterable.controlUrl);
  const emails = requests.flatMap(({ path, body }) =>
    path.startsWith('/api/users/') ? [...body.matchAll(/"email":"([^"]+)"/g)].map(([, email]) => email) : [],
  );
  return { emails, calls: requests.length };
};
const database = (count: number, change: (id: number) => Partial<SourceRow> = () => ({})): SourceRow[] =>
  Array.from({ length: count }, (_, index) => row(index + 1, change(index + 1)));

test('only added and changed users are sent, and the report counts them', async () => {
  rows = database(5);
  expect(await sync()).toMatchObject({ status: 'SUCCEEDED', counts: { added: 5, total_users: 5, successful: 5 } });
  expect((await arrived()).emails).toHaveLength(5);

  rows = [...database(4, (id) => (id === 2 ? { candidate: 'Kim' } : {})), row(6)];
  expect(await sync()).toMatchObject({
    counts: { added: 1, changed: 1, unchanged: 3, removed: 1, total_users: 2, successful: 2 },
    changed_fields: [{ id: '2', fields: ['candidate'] }],
  });
  expect((await arrived()).emails).toEqual(['user2@example.com', 'user6@example.com']);

  expect(await sync()).toMatchObject({ counts: { added: 0, changed: 0, unchanged: 5, removed: 0, total_users: 0 } });
  expect(await arrived()).toEqual({ emails: [], calls: 0 });

  expect(await sync({ full: true })).toMatchObject({ counts: { unchanged: 5, total_users: 5 } });
  expect((await arrived()).emails).toHaveLength(5);
  expect(await sync()).toMatchObject({ counts: { unchanged: 5, total_users: 0 } });
});

test('users that failed or were rejected are sent in the next run', async () => {
  rows = [row(1), row(2, { email: 'user2+invalid@example.com' }), row(3)];
  expect(await sync()).toMatchObject({ counts: { successful: 2, total_failures: 1 } });
  rows = [row(1), row(2), row(3, { email: 'none' })];
  expect(await sync()).toMatchObject({ counts: { changed: 1, unchanged: 1, rejected: 1, successful: 1 } });
  rows = database(3);
  await arrived();
  expect(await sync()).toMatchObject({ counts: { changed: 1, unchanged: 2, successful: 1 } });
  expect((await arrived()).emails).toEqual(['user3@example.com']);
});

test('one user of many that fails every night is reported, and the run has succeeded', async () => {
  const bad = { email: 'user7+forgotten@example.com' };
  for (const total_users of [20, 1]) {
    rows = database(20, (id) => (id === 7 ? bad : {}));
    expect(await sync()).toMatchObject({
      status: 'SUCCEEDED',
      message: expect.stringContaining('1 failed'),
      counts: { total_users, total_failures: 1 },
      warnings: ['1 user failed, or was sent in part: too few to make the run PARTIAL'],
      reasons: [{ outcome: 'failed', error_code: 'API_REFUSED', reason: 'forgottenEmails', count: 1 }],
    });
  }
  rows = database(20, (id) => (id === 7 || id === 8 ? { email: `user${id}+forgotten@example.com` } : {}));
  expect(await sync()).toMatchObject({ status: 'PARTIAL', counts: { total_failures: 2 }, warnings: [] });
});

test('half of the usual users are a warning and a metric, and reasons are counted', async () => {
  const { values } = system.metrics;
  rows = [...database(9), row(10, { email: 'none' })];
  for (let count = 1; count <= 3; count++) await sync();
  expect(values.get('SyncUsersRead')).toBeGreaterThanOrEqual(30);
  const medianBefore = values.get('SyncUsersMedian') ?? 0;
  rows = [row(1), row(2, { email: 'user2+forgotten@example.com' }), row(3, { email: null })];
  expect(await sync()).toMatchObject({
    status: 'PARTIAL',
    authentication: 'api_key',
    warnings: ['The query returned 3 users, less than half of the usual 10'],
    reasons: [
      { outcome: 'rejected', reason: 'no e-mail', count: 1 },
      { outcome: 'failed', error_code: 'API_REFUSED', reason: 'forgottenEmails', count: 1 },
    ],
  });
  expect(values.get('SyncUsersMedian')).toBe(medianBefore + 10);
});

test('`recent_page_view` of users who left the query is set to false, once', async () => {
  rows = database(5);
  await sync({ on_removed: 'clear' });
  await arrived();
  // Customer 3 no longer exists, and 4 has no valid address any more.
  rows = [row(1)];
  customers = [row(2), row(4, { email: 'none' }), row(5, { email: 'user5+forgotten@example.com' })];
  expect(await sync({ on_removed: 'clear' })).toMatchObject({
    counts: { unchanged: 1, removed: 4, clearing: 2, total_users: 2, successful: 1, total_failures: 1 },
  });
  const requests = await takeRequests(iterable.controlUrl);
  expect(requests.map(({ path }) => path)).toEqual(['/api/users/bulkUpdate']);
  expect(JSON.parse(requests[0]?.body ?? '').users[0]).toEqual({
    email: 'user2@example.com',
    dataFields: { recent_page_view: false },
  });
  // Only the failed one is tried again.
  customers = [row(5)];
  expect(await sync({ on_removed: 'clear' })).toMatchObject({ counts: { removed: 1, clearing: 1, successful: 1 } });
  expect(await sync({ on_removed: 'clear' })).toMatchObject({ counts: { removed: 0, clearing: 0 } });
  rows = [row(1), row(2)];
  expect(await sync({ on_removed: 'clear' })).toMatchObject({ counts: { added: 1, unchanged: 1 } });
});

test('a limited run keeps what is known of later users', async () => {
  rows = database(10);
  await sync();
  rows = database(10, (id) => ({ candidate: id === 1 || id === 9 ? 'Kim' : null }));
  expect(await sync({ limit: 4 })).toMatchObject({ counts: { changed: 1, unchanged: 3, removed: 0 } });
  expect(await sync()).toMatchObject({ counts: { added: 0, changed: 1, unchanged: 9, removed: 0 } });
});

test('a dry run reports what would be sent, and changes nothing', async () => {
  rows = database(3);
  expect(await sync({}, { dry_run: true })).toMatchObject({
    counts: { added: 3 },
    needed: { users_update: 1, events_track: 1, minutes: 0.1 },
  });
  expect(await sync()).toMatchObject({ counts: { added: 3 } });
  rows = database(3, () => ({ candidate: 'Kim' }));
  expect(await sync({}, { dry_run: true })).toMatchObject({ counts: { changed: 3, total_users: 3 } });
  expect(await sync()).toMatchObject({ counts: { changed: 3 } });
});

test('the changed users of many parts are packed into one call per endpoint', async () => {
  rows = database(2_500);
  await sync();
  await arrived();
  rows = database(2_500, (id) => (id % 50 === 0 ? { candidate: 'Kim' } : {}));
  expect(await sync()).toMatchObject({ counts: { changed: 50, unchanged: 2_450, successful: 50 } });
  expect((await arrived()).calls).toBe(2);
});

test('a comparison in several turns has the same result', async () => {
  rows = database(2_500);
  await sync();
  rows = [...database(2_000, (id) => (id % 3 === 0 ? { candidate: 'Kim' } : {})), row(9_000)];
  const run = await planned();
  let turns = 0;
  for (let done = false; !done; turns++) {
    const result = await system.extract(run, turnOf(20));
    if (result === 'crashed') throw new Error('The turn crashed without a configured crash');
    ({ done } = result);
    expect(turns).toBeLessThan(20);
  }
  expect(turns).toBeGreaterThan(1);
  await system.push(run);
  expect(await system.report(run)).toMatchObject({
    counts: { added: 1, changed: 666, unchanged: 1_334, removed: 500, successful: 667 },
  });
});

test.each([
  ['other days', { days: 8 }],
  ['another mode', { mode: 'single' }],
])('a run with %s has its own list', async (_, input) => {
  rows = database(2);
  await sync();
  expect(await sync(input)).toMatchObject({ counts: { added: 2 } });
  expect(await sync()).toMatchObject({ counts: { unchanged: 2 } });
});

test('a run that compares nothing makes the next one send everyone', async () => {
  rows = database(2);
  await sync();
  await sync({ only_changed: false });
  expect(await sync()).toMatchObject({ counts: { added: 2, successful: 2 } });
});

test('a run that an error ended makes the next one send everyone, unless it is redriven', async () => {
  rows = database(2);
  await sync();
  rows = database(2, () => ({ candidate: 'Kim' }));
  const run = await planned();
  await system.extract(run);
  await setFaults(iterable.controlUrl, { kind: 'bad_api_key' });
  await expect(system.push(run)).rejects.toMatchObject({ code: 'API_REFUSED' });
  expect(await system.report(run, undefined, { Error: 'PipelineError' })).toMatchObject({ status: 'FAILED' });
  await setFaults(iterable.controlUrl);
  const preview = await sync({}, { dry_run: true });
  expect(preview).toMatchObject({ counts: { added: 2 } });
  expect(await finish(run)).toMatchObject({ status: 'SUCCEEDED', counts: { changed: 2, successful: 2 } });
  expect(await sync()).toMatchObject({ counts: { unchanged: 2 } });
});

test('a run does not send if another one has sent users since it compared', async () => {
  rows = database(2);
  await sync();
  rows = database(2, () => ({ candidate: 'Kim' }));
  const late = await planned();
  await system.extract(late);
  expect(await sync()).toMatchObject({ counts: { changed: 2 } });
  await arrived();
  await expect(system.push(late)).rejects.toMatchObject({ code: 'RUN_TAKEN_OVER' });
  expect((await arrived()).emails).toEqual([]);
  expect(await sync()).toMatchObject({ counts: { unchanged: 2 } });
});

/**
 * The values go from A to B in a run that is killed, and back to A in the database. If the next run believed the list
 * from before the killed run, it would send nothing, and Iterable would keep B.
 */
test.each([
  ['push', 6],
  ['report', 10],
] as const)(
  'wherever a run is killed in %s, the next one leaves Iterable with the values of the database',
  async (state, expected) => {
    const states = ['extract', 'push', 'report'] as const;
    const candidate = async () => {
      const response = await fetch(`${iterable.controlUrl}/users/user1@example.com`);
      return ((await response.json()) as { data_fields: Record<string, unknown> }).data_fields.candidate;
    };
    rows = database(1, () => ({ candidate: 'A' }));
    await sync();
    let crashes = 0;
    for (const when of ['before', 'after'] as const) {
      for (let nth = 1; ; nth++) {
        rows = database(1, () => ({ candidate: 'B' }));
        const killed = await planned();
        let crashed = false;
        for (const each of states) {
          if (crashed) break;
          const turn = each === state ? { crash: { call: 'PutObject', when, nth } } : undefined;
          crashed = (await system[each](killed, turn)) === 'crashed';
        }
        rows = database(1, () => ({ candidate: 'A' }));
        expect(await sync()).toMatchObject({ status: 'SUCCEEDED' });
        expect([when, nth, await candidate()]).toEqual([when, nth, 'A']);
        if (!crashed) break;
        crashes += 1;
      }
    }
    expect(crashes).toBe(expected);
  },
);
