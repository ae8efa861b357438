import { type IterableSimulator, startIterableSimulator } from '../../../local/simulators/iterable';
import { type NetlifeSimulator, startNetlifeSimulator } from '../../../local/simulators/netlife';
import { rowsFilePath } from '../../../shared/iterable/rows-file';
import { createSource, row } from './iterable-runs';
import { credentials, type System, setFaults, startSystem, takeRequests } from './system';

const [accepting, refusing] = ['nowandgen', 'legacyphoto'] as const;

let netlife: NetlifeSimulator;
let iterable: IterableSimulator;
let system: System;
let missing: readonly string[] = [];
beforeAll(async () => {
  netlife = await startNetlifeSimulator({
    credentials: credentials.netlife,
    portals: [accepting, refusing].map((name) => ({ name, jobs: 1, activitiesPerJob: 1, subjectsPerJob: 2 })),
  });
  iterable = await startIterableSimulator({ credentials: credentials.iterable });
  const { source } = createSource([row(1), row(2)]);
  system = await startSystem({
    netlifeUrl: netlife.baseUrl,
    iterableUrl: iterable.url,
    source: { ...source, missingColumns: async () => missing },
  });
});
afterAll(async () => {
  system.stop();
  await netlife.stop();
  await iterable.stop();
});
beforeEach(async () => {
  missing = [];
  for (const { controlUrl } of [netlife, iterable]) {
    await setFaults(controlUrl);
    await takeRequests(controlUrl);
  }
});

let runs = 0;
const plan = (input: object = {}, more: object = {}) =>
  system.plan({
    run_id: `preflight-${++runs}`,
    netlife: { portals: [refusing, accepting] },
    iterable: input,
    ...more,
  });
const calls = async () => ({
  netlife: (await takeRequests(netlife.controlUrl)).map(({ path }) => path.replace(/^\/\w+/, '')),
  iterable: (await takeRequests(iterable.controlUrl)).map(({ path, body }) => [path, body]),
});
const nothing = { logins: { faults: [] }, database: { faults: [] }, key: { faults: [] } };

test('a run that lacks nothing makes one call to each portal, and the two bulk calls without users', async () => {
  expect(await system.preflight(await plan())).toEqual(nothing);
  const { netlife: toPortals, iterable: toIterable } = await calls();
  expect(toPortals).toEqual(Array(2).fill('/api/v1/activities/search'));
  expect(toIterable).toEqual([
    ['/api/users/bulkUpdate', '{"users":[]}'],
    ['/api/events/trackBulk', '{"events":[]}'],
  ]);
});

test('everything that is wrong is found at once; the jobs then end without a call', async () => {
  await setFaults(netlife.controlUrl, { kind: 'login_refused', match: { portal: refusing } });
  await setFaults(iterable.controlUrl, { kind: 'bad_api_key' });
  missing = ['customers.candidate', 'page_views.device'];
  const run = await plan();
  const preflight = await system.preflight(run);
  expect(preflight).toEqual({
    logins: {
      faults: [
        {
          check: `netlife/${refusing}`,
          error_code: 'API_REFUSED',
          message: `The portal ${refusing} refused our login or what it asked for (401)`,
        },
      ],
    },
    database: {
      faults: [
        {
          check: 'iterable/database',
          error_code: 'COLUMN_MISSING',
          message: expect.stringContaining('not allowed to read them: customers.candidate, page_views.device'),
        },
      ],
    },
    key: {
      faults: [
        {
          check: 'iterable/key',
          error_code: 'API_REFUSED',
          message: 'Iterable refused the key with 401: BadApiKey',
        },
      ],
    },
  });
  await calls();

  const checked = { ...run, preflight };
  await expect(system.collect(checked, refusing)).rejects.toMatchObject({ code: 'API_REFUSED', retryable: false });
  await expect(system.extract(checked)).rejects.toMatchObject({
    name: 'PreflightFailed',
    message: expect.stringMatching(/page_views\.device \(COLUMN_MISSING\); Iterable refused .* \(API_REFUSED\)$/),
  });
  expect(await calls()).toEqual({ netlife: [], iterable: [] });
  expect(await system.collect(checked, accepting)).toMatchObject({ done: true });
});

test('the summary has the faults', async () => {
  const run = await plan();
  const fault = {
    check: 'iterable/key',
    error_code: 'API_REFUSED' as const,
    message: 'Iterable refused the key with 401',
  };
  const checked = { ...run, preflight: { ...nothing, key: { faults: [fault] } } };
  const error = { Error: 'PreflightFailed', Cause: '' };
  await expect(system.finish(checked, { netlife: { skipped: true }, iterable: { error } })).rejects.toMatchObject({
    name: 'RunFailed',
  });
  const summary = JSON.parse((await system.folder(run.run_id).readText('summary.json')) ?? '');
  expect(summary.preflight).toEqual([fault]);
});

test('what an API does not respond to is left to the jobs, and so is a preflight that failed', async () => {
  await setFaults(iterable.controlUrl, { kind: 'rate_limited', retry_after: 60 });
  const run = await plan();
  expect(await system.preflight(run)).toEqual(nothing);
  await setFaults(iterable.controlUrl);
  const without = { ...run, preflight: { Error: 'States.Timeout', Cause: '' } } as unknown as typeof run;
  expect(await system.extract(without)).toMatchObject({ done: true });
});

test('what a run has done is not checked again', async () => {
  const run = await plan();
  for (const portal of [refusing, accepting]) await system.collect(run, portal);
  await system.extract(run);
  await system.push(run);
  await calls();
  missing = ['customers.email'];
  expect(await system.preflight(run)).toEqual(nothing);
  expect(await calls()).toEqual({ netlife: [], iterable: [] });
});

test('a dry run does not call Iterable, and a run of a file reads its header instead of the database', async () => {
  missing = ['customers.email'];
  const run = await plan({ source: 'rows' }, { dry_run: true });
  expect(await system.preflight(run)).toMatchObject({
    database: { faults: [{ check: 'iterable/database', error_code: 'BAD_PAYLOAD' }] },
    key: { faults: [] },
  });
  expect((await calls()).iterable).toEqual([]);
  await system.folder(run.run_id).put(rowsFilePath, `${Object.keys(row(1)).join(',')}\n`);
  expect(await system.preflight(run)).toEqual(nothing);
});
