import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSampleUsers } from '../../../local/sample/users';
import { type IterableSimulator, startIterableSimulator } from '../../../local/simulators/iterable';
import { queryResultsCsv } from '../../../shared/iterable/report';
import type { SourceRow } from '../../../shared/iterable/rows';
import { rowsFilePath } from '../../../shared/iterable/rows-file';
import { openUserSource, type UserSource } from '../../../shared/iterable/source';
import type { RunPlan } from '../../../shared/runs/plan';
import { unconfigured } from '../../support/unconfigured';
import type { Crash } from '../support/interceptor';
import { createSource, read, results, row, stampOf, turnOf } from './iterable-runs';
import { credentials, type System, setFaults, startSystem, takeRequests } from './system';

const users = 3_500;

let iterable: IterableSimulator;
const systems: System[] = [];
beforeAll(async () => {
  iterable = await startIterableSimulator({
    credentials: credentials.iterable,
    limits: { 'users/update': 1e6, 'users/bulkUpdate': 1e6, 'events/track': 1e6, 'events/trackBulk': 1e6 },
  });
});
afterAll(async () => {
  for (const system of systems) system.stop();
  await iterable.stop();
});
afterEach(async () => {
  await setFaults(iterable.controlUrl);
  await fetch(`${iterable.controlUrl}/arrivals`, { method: 'DELETE' });
  await takeRequests(iterable.controlUrl);
});

const withSource = async (source: UserSource): Promise<System> => {
  const system = await startSystem({ iterableUrl: iterable.url, source });
  systems.push(system);
  return system;
};

let runs = 0;
const planned = (system: System, input: object = {}, more: object = {}): Promise<RunPlan> =>
  system.plan({ run_id: `iterable-${++runs}`, iterable: input, ...more });

const lines = (text: string): string[] => text.trimEnd().split('\n');
/** Number of users and events in Iterable, and how often one of them was sent at most. */
const totals = async () => (await fetch(`${iterable.controlUrl}/arrivals`)).json() as Promise<Record<string, unknown>>;
/** How often each user and their page view was sent to Iterable. */
const sendCounts = async () => (await fetch(`${iterable.controlUrl}/users`)).json() as Promise<Record<string, unknown>>;

test('the sample users of the contract are sent from SQLite to Iterable, and reported', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'users-'));
  const file = join(directory, 'users.sqlite');
  loadSampleUsers(file, Date.now());
  const system = await withSource(await openUserSource({ kind: 'sqlite', file }));
  const run = await planned(system);
  expect(await system.extract(run)).toMatchObject({ done: true });
  expect(await system.push(run)).toMatchObject({ done: true, parts_done: 1, parts_total: 1 });
  const outcome = await system.report(run);
  rmSync(directory, { recursive: true });

  const rows = lines(await read(system, run, `query_results_${stampOf(run)}.csv`));
  const rejected = lines(await read(system, run, 'rejected.csv'));
  const report = await results(system, run);
  expect(rows[0]).toBe('id,email,first_name,last_name,plan_type,candidate,page,device,browser,location,event_time');
  expect(rejected.length).toBeGreaterThan(1);
  expect(report).toMatchObject({
    total_users: rows.length - rejected.length,
    successful: rows.length - rejected.length,
    rejected: rejected.length - 1,
    authentication: 'api_key',
    mode: 'bulk',
    dry_run: false,
    started_at: run.started_at,
  });
  expect(report.records).toHaveLength(report.total_users);
  expect(outcome).toMatchObject({ status: 'SUCCEEDED', counts: { successful: report.successful } });
  expect(system.metrics.values.get('SyncUsersSent')).toBe(report.successful);
  expect(system.metrics.values.get('SyncRejectedRows')).toBe(rejected.length - 1);
});

test('rows are stored in parts of 1,000, and the extraction resumes after the last part', async () => {
  const { source, reads } = createSource(Array.from({ length: users }, (_, index) => row(index + 1)));
  const system = await withSource(source);
  const run = await planned(system);
  let clockReads = 0;
  const shortTurn = { clock: () => Date.now() + 400_000 * clockReads++ };
  expect(await system.extract(run, shortTurn)).toEqual({ done: false, rows: 1_000 });
  clockReads = 0;
  expect(await system.extract(run, shortTurn)).toEqual({ done: false, rows: 2_000 });
  expect(await system.extract(run)).toEqual({ done: true, rows: users });
  expect(reads).toEqual(['0', '1000', '2000']);
  expect(lines(await read(system, run, `query_results_${stampOf(run)}.csv`))).toHaveLength(users + 1);
  expect(await system.extract(run)).toMatchObject({ done: true });
  expect(reads).toHaveLength(3);
});

test('the CSV files of the extraction are written in several turns', async () => {
  const { source, reads } = createSource(Array.from({ length: users }, (_, index) => row(index + 1)));
  const system = await withSource(source);
  const reference = await planned(system);
  await system.extract(reference);
  const run = { ...(await planned(system)), started_at: reference.started_at };
  let turns = 0;
  for (let done = false; !done; turns++) {
    const result = await system.extract(run, turnOf(16));
    if (result === 'crashed') throw new Error('The turn crashed without a configured crash');
    ({ done } = result);
    expect(turns).toBeLessThan(20);
  }
  expect(turns).toBeGreaterThan(1);
  expect(reads).toHaveLength(2);
  const path = `query_results_${stampOf(run)}.csv`;
  expect(await read(system, run, path)).toBe(await read(system, reference, path));
});

test.each([
  ['with other rows: it stops', 2],
  ['with the same rows: it continues', 3],
])('another worker has written the same part %s', async (_, count) => {
  const sourceRows = [row(1), row(2), row(3)];
  const text = sourceRows
    .slice(0, count)
    .map((each) => `${JSON.stringify(each)}\n`)
    .join('');
  let run: RunPlan | undefined;
  const system = await withSource({
    leavers: unconfigured('leavers'),
    customer: unconfigured('customer'),
    missingColumns: unconfigured('missingColumns'),
    async *rows() {
      yield* sourceRows;
      await system.folder(run?.run_id ?? '').putOnce('iterable/parts/rows/000000-last.ndjson', text);
    },
  });
  run = await planned(system);
  const extracting = system.extract(run);
  if (count === sourceRows.length) await expect(extracting).resolves.toMatchObject({ done: true, rows: 3 });
  else await expect(extracting).rejects.toMatchObject({ code: 'RUN_TAKEN_OVER' });
});

test.each([999, 1_000, 1_001])('a limit of %s applies to all turns together', async (limit) => {
  const { source } = createSource(Array.from({ length: users }, (_, index) => row(index + 1)));
  const system = await withSource(source);
  const run = await planned(system, { limit });
  let clockReads = 0;
  await system.extract(run, { clock: () => Date.now() + 400_000 * clockReads++ });
  expect(await system.extract(run)).toMatchObject({ done: true, rows: limit });
  expect(lines(await read(system, run, `query_results_${stampOf(run)}.csv`))).toHaveLength(limit + 1);
});

describe('a run of rows in a file', () => {
  const noDatabase: UserSource = {
    rows: unconfigured('rows'),
    leavers: unconfigured('leavers'),
    customer: unconfigured('customer'),
    missingColumns: unconfigured('missingColumns'),
  };
  const withFile = async (csv: string | undefined, input: object = {}) => {
    const system = await withSource(noDatabase);
    const run = await planned(system, { source: 'rows', ...input });
    if (csv !== undefined) await system.folder(run.run_id).putOnce(rowsFilePath, csv);
    return { system, run };
  };
  const csvOf = (rows: readonly SourceRow[]) => queryResultsCsv.header + rows.map(queryResultsCsv.line).join('');

  test('sends the rows in several turns, without the database', async () => {
    const csv = csvOf([
      ...Array.from({ length: users }, (_, index) => row(index + 1)),
      row(1, { email: 'no address' }),
    ]);
    const { system, run } = await withFile(csv);
    let clockReads = 0;
    const shortTurn = { clock: () => Date.now() + 400_000 * clockReads++ };
    expect(await system.extract(run, shortTurn)).toEqual({ done: false, rows: 1_000 });
    expect(await system.extract(run)).toMatchObject({ done: true, rows: users + 1 });
    expect(await read(system, run, `query_results_${stampOf(run)}.csv`)).toBe(csv);
    await system.push(run);
    expect(await system.report(run)).toMatchObject({
      status: 'SUCCEEDED',
      counts: { successful: users, rejected: 1 },
      warnings: [],
    });
    expect(await totals()).toMatchObject({ users, most_updates_of_a_user: 1 });
  });

  test('sends at most its limit', async () => {
    const { system, run } = await withFile(csvOf([row(1), row(2), row(3)]), { limit: 2 });
    expect(await system.extract(run)).toMatchObject({ done: true, rows: 2 });
  });

  test.each([
    ['is missing', undefined],
    ['has other columns', 'id,email\n1,a@example.com\n'],
  ])('fails if the file %s', async (_case, csv) => {
    const { system, run } = await withFile(csv);
    await expect(system.extract(run)).rejects.toMatchObject({ code: 'BAD_PAYLOAD', retryable: false });
  });
});

test('a run without users succeeds', async () => {
  const system = await withSource(createSource([]).source);
  const run = await planned(system);
  expect(await system.extract(run)).toEqual({ done: true, rows: 0 });
  expect(await system.push(run)).toMatchObject({ done: true });
  expect(await system.report(run)).toMatchObject({ status: 'SUCCEEDED', counts: { total_users: 0 } });
  expect((await results(system, run)).records).toEqual([]);
});

describe('sending', () => {
  const rejectedPart = Array.from({ length: 1_000 }, (_, index) => row(1_001 + index, { email: null }));
  const rows = [
    ...Array.from({ length: 1_000 }, (_, index) => row(1 + index)),
    // A part in the middle without users to send.
    ...rejectedPart,
    ...Array.from({ length: users - 2_000 }, (_, index) => row(2_001 + index)),
  ];
  const sendable = rows.filter(({ email }) => email !== null).map(({ email }) => email);

  const extracted = async (input: object = {}, more: object = {}) => {
    const system = await withSource(createSource(rows).source);
    const run = await planned(system, input, more);
    await system.extract(run);
    return { system, run };
  };
  const written = async (system: System, run: RunPlan): Promise<string[]> => {
    const folder = system.folder(run.run_id);
    const paths = await folder.list('iterable/parts/results/');
    const texts = await Promise.all([...paths].map((path) => folder.readText(path)));
    return texts.flatMap((text = '') =>
      [...text.matchAll(/"record":\{"email":"([^"]+)"/g)].map(([, email = '']) => email),
    );
  };

  test('sends every user once, in the sequence of the rows', async () => {
    const { system, run } = await extracted();
    expect(await system.push(run)).toEqual({ done: true, parts_done: 4, parts_total: 4 });
    expect(await totals()).toMatchObject({
      users: sendable.length,
      events: sendable.length,
      most_updates_of_a_user: 1,
      most_tracks_of_an_event: 1,
    });
    await system.report(run);
    const { records, ...head } = await results(system, run);
    expect(records.map(({ email }: { email: string }) => email)).toEqual(sendable);
    expect(head).toMatchObject({ total_users: sendable.length, successful: sendable.length, rejected: 1_000 });
  });

  test('after a crash before or after any write of results, users with results are not sent again', async () => {
    const { system, run } = await extracted();
    const crashes: readonly [Crash, usersWritten: number][] = [
      [{ when: 'after', call: 'UpdateItem', nth: 2 }, 0],
      [{ when: 'before', call: 'PutObject' }, 0],
      [{ when: 'after', call: 'PutObject' }, 1_000],
      // The part without users to send.
      [{ when: 'before', call: 'PutObject' }, 1_000],
      [{ when: 'after', call: 'PutObject' }, 1_000],
      [{ when: 'before', call: 'PutObject' }, 1_000],
      [{ when: 'after', call: 'PutObject' }, 2_000],
      [{ when: 'before', call: 'PutObject' }, 2_000],
      [{ when: 'after', call: 'PutObject' }, 2_500],
      // The object with the counts that the turn writes after its parts.
      [{ when: 'before', call: 'PutObject' }, 2_500],
      [{ when: 'after', call: 'PutObject' }, 2_500],
    ];
    let expectedCounts: Record<string, unknown> = {};
    for (const [crash, usersWritten] of crashes) {
      expect(await system.push(run, { crash })).toBe('crashed');
      const before = await written(system, run);
      expect(before).toEqual(sendable.slice(0, usersWritten));
      const sent = await sendCounts();
      expect(sent).toMatchObject(expectedCounts);
      expectedCounts = Object.fromEntries(before.map((email) => [email, sent[email]]));
    }
    expect(await system.push(run)).toEqual({ done: true, parts_done: 4, parts_total: 4 });
    expect(await sendCounts()).toEqual(expectedCounts);
    await system.report(run);
    const { records } = await results(system, run);
    expect(records.map(({ email }: { email: string }) => email)).toEqual(sendable);
  });

  test('if the time is up, another turn resumes', async () => {
    const { system, run } = await extracted();
    const result = await system.push(run, turnOf(12));
    expect(result).toMatchObject({ done: false });
    const before = await written(system, run);
    expect(before.length).toBeGreaterThan(0);
    expect(before.length).toBeLessThan(sendable.length);
    expect(await totals()).toMatchObject({ users: before.length });
    expect(await system.push(run)).toMatchObject({ done: true });
    expect(await totals()).toMatchObject({ users: sendable.length, most_updates_of_a_user: 1 });
  });

  test('a dry run sends nothing, and reports every payload', async () => {
    const { system, run } = await extracted({}, { dry_run: true });
    expect(await system.push(run)).toMatchObject({ done: true });
    expect(await takeRequests(iterable.controlUrl)).toEqual([]);
    await system.report(run);
    const { records, dry_run } = await results(system, run);
    expect(dry_run).toBe(true);
    expect(records[0].users_update.response).toMatchObject({
      code: 'DryRun',
      payload: { email: 'user1@example.com', dataFields: { first_name: 'Ada', recent_page_view: true } },
    });
  });

  test('a refused key ends the turn at once', async () => {
    const { system, run } = await extracted();
    await setFaults(iterable.controlUrl, { kind: 'bad_api_key' });
    await expect(system.push(run)).rejects.toMatchObject({ message: 'Iterable refused the key with 401' });
  });

  test('if over half of the users fail, the job fails, and each user has a reason', async () => {
    const failing = Array.from({ length: 10 }, (_, index) =>
      row(index + 1, { email: index < 6 ? `user${index}+invalid@example.com` : `user${index}@example.com` }),
    );
    const system = await withSource(createSource(failing).source);
    const run = await planned(system);
    await system.extract(run);
    await system.push(run);
    expect(await system.report(run)).toMatchObject({ status: 'FAILED', counts: { total_failures: 6, successful: 4 } });
    const failed = lines(await read(system, run, 'failed.csv'));
    expect(failed).toHaveLength(7);
    expect(failed[1]).toMatch(/^1,user0\+invalid@example\.com,.*,users_update,invalidEmails,/);
  });

  test('a report that is written in several turns, with crashes at any call, has the same files', async () => {
    const { system, run } = await extracted();
    await system.push(run);
    for (let nth = 1; nth <= 6; nth++) {
      for (const when of ['before', 'after'] as const) {
        const crash = { when, call: 'PutObject', nth } as const;
        await system.report(run, { crash });
        if (nth === 1) expect(await system.report(run, turnOf(4))).toEqual({ done: false });
      }
    }
    const outcome = await system.report(run);
    expect(outcome).toMatchObject({ done: true, counts: { total_users: sendable.length } });
    const { records, ...head } = await results(system, run);
    expect(records.map(({ email }: { email: string }) => email)).toEqual(sendable);
    expect(head).toMatchObject({ total_users: sendable.length, successful: sendable.length });
    expect(lines(await read(system, run, 'failed.csv'))).toHaveLength(1);
    // A redrive does not change the report.
    expect(await system.report(run)).toEqual(outcome);
  });

  test('retries are counted over all turns', async () => {
    const { system, run } = await extracted();
    await setFaults(iterable.controlUrl, { kind: 'server_error', times: 2, retry_after: 0 });
    await system.push(run);
    await system.report(run);
    expect((await results(system, run)).retries).toBe(2);
  });
});
