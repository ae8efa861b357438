import { type NetlifeSimulator, startNetlifeSimulator } from '../../../local/simulators/netlife';
import type { RunPlan } from '../../../shared/runs/plan';
import { credentials, type System, setFaults, startSystem, takeRequests } from './system';

const portal = 'nowandforeverphoto';
const jobs = 12;
const subjects = 6;

let netlife: NetlifeSimulator;
let system: System;
/** An undisturbed run: every other run must have the same result. */
let undisturbed: { run: RunPlan; contacts: string[]; results: object };
beforeAll(async () => {
  netlife = await startNetlifeSimulator({
    credentials: credentials.netlife,
    portals: [{ name: portal, jobs, activitiesPerJob: 2, subjectsPerJob: subjects }],
    rateLimitPerSecond: 100_000,
  });
  system = await startSystem({ netlifeUrl: netlife.baseUrl });
  const run = await planned();
  await system.collect(run, portal);
  await system.merge(run, portal);
  undisturbed = { run, contacts: await contactsOf(run), results: await resultsOf(run) };
});
afterAll(async () => {
  system.stop();
  await netlife.stop();
});
afterEach(async () => {
  await setFaults(netlife.controlUrl);
  await takeRequests(netlife.controlUrl);
});

let runs = 0;
const planned = (input: object = {}): Promise<RunPlan> =>
  system.plan({ run_id: `netlife-${++runs}`, netlife: { portals: [portal], ...input } });

const folderOf = (run: RunPlan) => system.folder(run.run_id);
const contactsOf = async (run: RunPlan): Promise<string[]> => {
  const [path = ''] = await folderOf(run).list(`netlife/${portal}/contacts_`);
  return ((await folderOf(run).readText(path)) ?? '').trimEnd().split('\n');
};
const readReport = async (run: RunPlan) =>
  JSON.parse((await folderOf(run).readText(`netlife/${portal}/stats.json`)) ?? 'null');
/** The report without the values that depend on the number of calls. */
const resultsOf = async (run: RunPlan): Promise<object> => {
  const { api_calls_total, cache_hits, cache_misses, duration_seconds, ...results } = await readReport(run);
  return results;
};
/** The jobs whose last part is written. */
const collected = async (run: RunPlan): Promise<string[]> =>
  [...(await folderOf(run).list(`netlife/${portal}/parts/job/`))].flatMap(
    (path) => /job\/([^/]+)\/\d+-last\.json$/.exec(path)?.[1] ?? [],
  );

test('a portal is collected and merged', async () => {
  const run = await planned();
  const countedBefore = system.metrics.values.get('SyncContactsWritten') ?? 0;
  expect(await system.collect(run, portal)).toEqual({ done: true, jobs_done: jobs, jobs_total: jobs });
  const outcome = await system.merge(run, portal);
  const stamp = run.started_at.replaceAll(/[-:]|\.\d+Z/g, '').replace('T', '_');
  const root = `runs/${run.run_id}/netlife/${portal}`;
  expect(outcome).toMatchObject({
    portal,
    status: 'SUCCEEDED',
    reports: [
      `${root}/contacts_${portal}_both_any_${stamp}.csv`,
      `${root}/stats.json`,
      `${root}/stats.txt`,
      `${root}/rejected.ndjson`,
    ],
  });

  const [header, ...lines] = await contactsOf(run);
  // A cell may contain a line break.
  const rows = lines.filter((line) => line.startsWith(`${portal},`));
  expect(header).toMatch(/^portal,job_uuid,.*,resolution_strategy$/);
  const report = await readReport(run);
  expect(rows).toHaveLength(report.contacts_written);
  expect(report).toMatchObject({
    activities_found: 2 * jobs,
    jobs_processed: jobs,
    jobs_failed: 0,
    failed_jobs: [],
  });
  expect(await folderOf(run).readText(`netlife/${portal}/stats.txt`)).toContain(`Jobs Processed: ${jobs}\n`);
  expect(system.metrics.values.get('SyncContactsWritten')).toBe(countedBefore + rows.length);
  expect(await system.runs.read(run.run_id)).toMatchObject({
    status: 'RUNNING',
    counters: { [`netlife/${portal}`]: { done: jobs, total: jobs } },
    message: expect.stringContaining(`${rows.length} contacts of ${jobs} jobs`),
  });
});

test('a call is counted once over all turns', async () => {
  const run = await planned();
  await system.collect(run, portal);
  const calls = (await takeRequests(netlife.controlUrl)).length;
  await system.merge(run, portal);
  expect((await readReport(run)).api_calls_total).toBe(calls);
});

test('when the time is up another turn resumes, and the file is the same', async () => {
  const run = { ...(await planned()), started_at: undisturbed.run.started_at };
  let turns = 0;
  for (let done = false; !done; turns++) {
    let clockReads = 0;
    // Each read of the clock takes 5 s in the first turn, 2.5 s in the second, and so on.
    const readMs = 5_000 / (turns + 1);
    const result = await system.collect(run, portal, { clock: () => Date.now() + readMs * clockReads++ });
    if (result === 'died') throw new Error('It died without a configured death');
    ({ done } = result);
    expect(turns).toBeLessThan(100);
  }
  expect(turns).toBeGreaterThan(1);
  await system.merge(run, portal);
  expect(await contactsOf(run)).toEqual(undisturbed.contacts);
  expect(await resultsOf(run)).toEqual(undisturbed.results);
});

/** A clock on which a turn ends after this many reads of the clock. */
const turnOf = (clockReads: number) => {
  let readSoFar = 0;
  return { clock: () => Date.now() + (++readSoFar > clockReads ? 600_000 : 0) };
};

test('merged turn by turn, killed at any call, the files are the same', async () => {
  const run = { ...(await planned()), started_at: undisturbed.run.started_at };
  await system.collect(run, portal);
  expect(await system.merge(run, portal, turnOf(5))).toEqual({ done: false });
  for (const when of ['before', 'after'] as const) {
    for (let nth = 1; nth <= 5; nth++) {
      const death = { when, call: 'PutObject', nth } as const;
      expect(await system.merge(run, portal, { ...turnOf(12), death: { ...death, nth: 1 } })).toBe('died');
      const outcome = await system.merge(run, portal, { death });
      if (outcome !== 'died') expect(outcome).toMatchObject({ done: true });
    }
  }
  expect(await system.merge(run, portal)).toMatchObject({ done: true, status: 'SUCCEEDED' });
  expect(await contactsOf(run)).toEqual(undisturbed.contacts);
  expect(await resultsOf(run)).toEqual(undisturbed.results);
});

describe('lists of many pages', () => {
  let large: NetlifeSimulator;
  let lister: System;
  beforeAll(async () => {
    large = await startNetlifeSimulator({
      credentials: credentials.netlife,
      portals: [{ name: portal, jobs: 1, activitiesPerJob: 2, subjectsPerJob: 60 }],
      rateLimitPerSecond: 100_000,
      pages: { shape: 'meta', size: 3 },
    });
    lister = await startSystem({ netlifeUrl: large.baseUrl });
  });
  afterAll(async () => {
    lister.stop();
    await large.stop();
  });

  const plan = (run_id: string) => lister.plan({ run_id, netlife: { portals: [portal] } });
  const mergedFile = async (run: RunPlan) => {
    await lister.merge(run, portal);
    const folder = lister.folder(run.run_id);
    const [path = ''] = await folder.list(`netlife/${portal}/contacts_`);
    return folder.readText(path);
  };

  test('are read in several turns, each page once', async () => {
    const whole = await plan('in-one-turn');
    await lister.collect(whole, portal);
    await takeRequests(large.controlUrl);

    const run = { ...(await plan('in-many-turns')), started_at: whole.started_at };
    let turns = 0;
    for (let done = false; !done; turns++) {
      // Not enough time for any of its lists.
      const result = await lister.collect(run, portal, turnOf(100));
      if (result === 'died') throw new Error('It died without a configured death');
      ({ done } = result);
      expect(turns).toBeLessThan(50);
    }
    expect(turns).toBeGreaterThan(1);
    const pages = (await takeRequests(large.controlUrl)).flatMap(({ facts: { call, page, has_order } }) =>
      call === 'subjects' || call === 'job_users' ? [`${call} ${has_order} ${page}`] : [],
    );
    expect(pages.length).toBeGreaterThan(20);
    expect(new Set(pages).size).toBe(pages.length);
    expect(await mergedFile(run)).toBe(await mergedFile(whole));
  });

  test('are read again by another attempt at the run', async () => {
    const run = await plan('fixed');
    await setFaults(large.controlUrl, { kind: 'page_loop', match: { call: 'subjects' }, times: 30 });
    await lister.collect(run, portal);
    await setFaults(large.controlUrl);
    expect(await lister.collect({ ...run, redrive_count: 1 }, portal)).toMatchObject({ jobs_done: 1 });
    expect(await lister.folder(run.run_id).list(`netlife/${portal}/parts/page/one.1.1/`)).not.toEqual(new Set());
    expect(((await mergedFile({ ...run, redrive_count: 1 })) ?? '').split('\n').length).toBeGreaterThan(40);
  });
});

describe('the worker is killed', () => {
  const deaths = ['before', 'after'].flatMap((when) =>
    [
      { call: 'ListObjectsV2', nth: 1 },
      ...[1, 2, 3, 7, jobs + 1].map((nth) => ({ call: 'PutObject', nth })),
      { call: 'UpdateItem', nth: 2 },
    ].map((death) => ({ ...death, when: when as 'before' | 'after' })),
  );

  test.each(deaths)('$when $call $nth: no job is fetched again once its part is written', async (death) => {
    const run = { ...(await planned()), started_at: undisturbed.run.started_at };
    expect(await system.collect(run, portal, { death })).toBe('died');
    // Calls in flight when the process died have arrived by now.
    await new Promise((resolve) => setTimeout(resolve, 100));
    const before = await collected(run);
    await takeRequests(netlife.controlUrl);

    expect(await system.collect(run, portal)).toMatchObject({ done: true });
    const fetched = (await takeRequests(netlife.controlUrl)).map(({ path }) => path);
    for (const job of before) expect(fetched.filter((path) => path.includes(job))).toEqual([]);
    await system.merge(run, portal);
    expect(await contactsOf(run)).toEqual(undisturbed.contacts);
    expect(await resultsOf(run)).toEqual(undisturbed.results);
  });
});

describe('failures', () => {
  const jobIds = async (): Promise<string[]> => {
    const run = await planned();
    await system.collect(run, portal);
    return collected(run);
  };

  test('a failed job is named, does not affect others, and is collected by another attempt', async () => {
    const [job = ''] = await jobIds();
    await setFaults(netlife.controlUrl, { kind: 'client_error', match: { call: 'subjects', job } });
    const run = await planned();
    expect(await system.collect(run, portal)).toMatchObject({ done: true });
    expect(await system.merge(run, portal)).toMatchObject({
      status: 'SUCCEEDED',
      message: expect.stringContaining('1 jobs failed'),
    });
    expect(await readReport(run)).toMatchObject({
      jobs_processed: jobs - 1,
      jobs_failed: 1,
      failed_jobs: [{ job_uuid: job, error: 'The netlife API answered 400', error_code: 'API_REFUSED' }],
      errors: ['The netlife API answered 400'],
    });

    await takeRequests(netlife.controlUrl);
    expect(await system.collect(run, portal)).toMatchObject({ done: true });
    expect(await takeRequests(netlife.controlUrl)).toEqual([]);

    await setFaults(netlife.controlUrl);
    const again = { ...run, redrive_count: 1 };
    expect(await system.collect(again, portal)).toMatchObject({ done: true });
    expect(await system.merge(again, portal)).toMatchObject({ status: 'SUCCEEDED' });
    expect(await readReport(again)).toMatchObject({
      jobs_processed: jobs,
      jobs_failed: 0,
      failed_jobs: [],
      errors: [],
    });
  });

  test('a portal has failed if over half of its jobs failed, and its contacts are kept', async () => {
    const ids = await jobIds();
    const bad = ids.slice(0, jobs / 2 + 1);
    await setFaults(netlife.controlUrl, ...bad.map((job) => ({ kind: 'not_found', match: { call: 'job', job } })));
    const run = await planned();
    await system.collect(run, portal);
    expect(await system.merge(run, portal)).toMatchObject({ status: 'FAILED' });
    expect(await readReport(run)).toMatchObject({ jobs_failed: bad.length, jobs_processed: jobs - bad.length });
    expect((await contactsOf(run)).length).toBeGreaterThan(1);
  });

  test('a redrive of a stopped execution tries failed jobs again, although its plan is unchanged', async () => {
    const [job = ''] = await jobIds();
    await setFaults(netlife.controlUrl, { kind: 'client_error', match: { call: 'subjects', job } });
    const run = await planned();
    await system.collect(run, portal);
    await setFaults(netlife.controlUrl);
    await system.collect(run, portal, {}, 1);
    expect(await collected(run)).toContain(job);
  });

  test('a redrive that starts at the merge reports the newest failure of a job', async () => {
    const [job = ''] = await jobIds();
    await setFaults(netlife.controlUrl, { kind: 'client_error', match: { call: 'subjects', job } });
    const run = await planned();
    await system.collect(run, portal, {}, 2);
    await setFaults(netlife.controlUrl, { kind: 'not_found', match: { call: 'job', job } });
    await system.collect(run, portal, {}, 10);
    await system.merge(run, portal, {}, { done: true }, 11);
    expect(await readReport(run)).toMatchObject({
      failed_jobs: [{ job_uuid: job, error: expect.stringContaining('404') }],
    });
  });

  test('the second attempt within one redrive collects and merges what failed in the first', async () => {
    const [job = ''] = await jobIds();
    await setFaults(netlife.controlUrl, { kind: 'client_error', match: { call: 'subjects', job } });
    const stopped = await planned();
    await system.collect(stopped, portal, {}, 1);
    await system.merge(stopped, portal, {}, { done: true }, 1);
    expect(await readReport(stopped)).toMatchObject({ jobs_failed: 1 });
    await setFaults(netlife.controlUrl);
    const again = { ...stopped, redrive_count: 1 };
    await system.collect(again, portal);
    await system.merge(again, portal);
    expect(await readReport(again)).toMatchObject({ jobs_processed: jobs, jobs_failed: 0, failed_jobs: [] });
  });

  test('a login refused during the run keeps the collected contacts, and is reported', async () => {
    const run = await planned();
    await setFaults(netlife.controlUrl, {
      kind: 'login_refused',
      match: { call: 'job', job: (await jobIds())[3] ?? '' },
    });
    const error = await system.collect(run, portal).catch((thrown: unknown) => thrown);
    const Cause = JSON.stringify({ errorMessage: error instanceof Error ? error.message : '' });
    const outcome = await system.merge(run, portal, {}, { Error: 'PipelineError', Cause });
    const { failed_jobs, jobs_processed, errors } = await readReport(run);
    expect(outcome).toMatchObject({ status: 'FAILED', message: expect.stringContaining('refused our login') });
    expect(outcome).toMatchObject({ reports: expect.arrayContaining([expect.stringContaining('/stats.json')]) });
    expect(failed_jobs).toHaveLength(jobs - jobs_processed);
    expect(failed_jobs.length).toBeGreaterThan(0);
    expect(errors[0]).toContain('refused our login');
  });

  test('a refused login ends the portal at once', async () => {
    await setFaults(netlife.controlUrl, { kind: 'login_refused' });
    const run = await planned();
    await expect(system.collect(run, portal)).rejects.toMatchObject({
      name: 'PipelineError',
      message: expect.stringMatching(/refused our login.*401/),
    });
    expect((await takeRequests(netlife.controlUrl)).length).toBeLessThanOrEqual(2);
  });

  test('a worker whose run was stopped ends its turn, and a later one resumes the run', async () => {
    const run = await planned();
    let clockReads = 0;
    const clock = () => Date.now() + 3_000 * clockReads++;
    const pause = () => system.runs.stop(run.run_id, Date.now());
    await expect(system.collect(run, portal, { clock, pause })).rejects.toMatchObject({ code: 'RUN_TAKEN_OVER' });
    expect(await system.runs.read(run.run_id)).toMatchObject({ status: 'STOPPED' });
    expect(await system.collect(run, portal)).toMatchObject({ done: true });
    expect(await system.runs.read(run.run_id)).toMatchObject({ status: 'RUNNING' });
  });

  test('a worker of an execution whose run was taken over does nothing', async () => {
    const run = await planned();
    await system.plan({ run_id: run.run_id, netlife: { portals: [portal] } }, { Id: 'arn:execution:two', Name: 'two' });
    await expect(system.collect(run, portal)).rejects.toMatchObject({ code: 'RUN_TAKEN_OVER' });
    expect(await takeRequests(netlife.controlUrl)).toEqual([]);
  });
});

test('a dry run creates no access key', async () => {
  const run = await system.plan({
    run_id: 'dry',
    dry_run: true,
    netlife: { portals: [portal], create_access_keys: true },
  });
  await system.collect(run, portal);
  await system.merge(run, portal);
  expect((await readReport(run)).access_keys_created).toBe(0);
});
