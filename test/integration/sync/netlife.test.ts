import { type NetlifeSimulator, startNetlifeSimulator } from '../../../local/simulators/netlife';
import type { RunPlan } from '../../../shared/runs/plan';
import { createUsual } from '../../../shared/runs/usual';
import { credentials, type System, setFaults, startSystem, takeRequests } from './system';

const portal = 'nowandforeverphoto';
const jobs = 12;
const subjects = 6;

let netlife: NetlifeSimulator;
let system: System;
/** A run without faults. Every other run must have the same result. */
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
/** Each run reads the access keys, as if it were the first. */
const selection = { portals: [portal], max_access_key_age_days: 0 };
const planned = (input: object = {}): Promise<RunPlan> =>
  system.plan({ run_id: `netlife-${++runs}`, netlife: { ...selection, ...input } });

const folderOf = (run: RunPlan) => system.folder(run.run_id);
const contactsOf = async (run: RunPlan): Promise<string[]> => {
  const [path = ''] = await folderOf(run).list(`netlife/${portal}/contacts_`);
  return ((await folderOf(run).readText(path)) ?? '').trimEnd().split('\n');
};
const readReport = async (run: RunPlan) =>
  JSON.parse((await folderOf(run).readText(`netlife/${portal}/stats.json`)) ?? 'null');
/** The report without the values that depend on the number of calls. */
const resultsOf = async (run: RunPlan): Promise<object> => {
  const { api_calls_total, cache_hits, cache_misses, duration_seconds, usual_contacts, warnings, ...results } =
    await readReport(run);
  return results;
};
/** The jobs whose last part is written. */
const collected = async (run: RunPlan): Promise<string[]> =>
  [...(await folderOf(run).list(`netlife/${portal}/parts/job/`))].flatMap(
    (path) => /job\/([^/]+)\/\d+-last\.json$/.exec(path)?.[1] ?? [],
  );

test('a portal is collected and merged', async () => {
  const run = await planned();
  const writtenBefore = system.metrics.values.get('SyncContactsWritten') ?? 0;
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
  expect(system.metrics.values.get('SyncContactsWritten')).toBe(writtenBefore + rows.length);
  expect(await system.runs.read(run.run_id)).toMatchObject({
    status: 'RUNNING',
    counters: { [`netlife/${portal}`]: { done: jobs, total: jobs } },
    message: expect.stringContaining(`${rows.length} contacts of ${jobs} jobs`),
  });
});

test('a portal with less than half of its usual contacts is reported with a warning', async () => {
  const usual = createUsual(system.clients.s3, system.bucketName, `netlife/${portal}`);
  for (let earlier = 0; earlier < 7; earlier++) {
    await usual.compare({ kind: 'both/any', runId: `earlier-${earlier}`, value: 10_000 });
  }
  const run = await planned();
  await system.collect(run, portal);
  await system.merge(run, portal);
  const { contacts_written, ...report } = await readReport(run);
  expect(report).toMatchObject({
    usual_contacts: 10_000,
    warnings: [`${contacts_written} contacts, less than half of the usual 10000`],
  });
  // A run of some jobs only is not comparable.
  const some = await planned({ job_ids: (await collected(run)).slice(0, 1) });
  await system.collect(some, portal);
  await system.merge(some, portal);
  expect(await readReport(some)).toMatchObject({ warnings: [] });
});

test('a call is counted once in all turns together', async () => {
  const run = await planned();
  await system.collect(run, portal);
  const calls = (await takeRequests(netlife.controlUrl)).length;
  await system.merge(run, portal);
  expect((await readReport(run)).api_calls_total).toBe(calls);
});

test('if the time is up, another turn resumes, and the file is the same', async () => {
  const run = { ...(await planned()), started_at: undisturbed.run.started_at };
  let turns = 0;
  for (let done = false; !done; turns++) {
    let clockReads = 0;
    // Each read of the clock takes 5 s in the first turn, 2.5 s in the second, and so on.
    const readMs = 5_000 / (turns + 1);
    const result = await system.collect(run, portal, { clock: () => Date.now() + readMs * clockReads++ });
    if (result === 'crashed') throw new Error('The turn crashed without a configured crash');
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

test('a merge in several turns, with crashes at any call, has the same files', async () => {
  const run = { ...(await planned()), started_at: undisturbed.run.started_at };
  await system.collect(run, portal);
  expect(await system.merge(run, portal, turnOf(5))).toEqual({ done: false });
  for (const when of ['before', 'after'] as const) {
    for (let nth = 1; nth <= 5; nth++) {
      const crash = { when, call: 'PutObject', nth } as const;
      expect(await system.merge(run, portal, { ...turnOf(12), crash: { ...crash, nth: 1 } })).toBe('crashed');
      const outcome = await system.merge(run, portal, { crash });
      if (outcome !== 'crashed') expect(outcome).toMatchObject({ done: true });
    }
  }
  expect(await system.merge(run, portal)).toMatchObject({ done: true, status: 'SUCCEEDED' });
  expect(await contactsOf(run)).toEqual(undisturbed.contacts);
  expect(await resultsOf(run)).toEqual(undisturbed.results);
});

describe('lists of many pages', () => {
  let large: NetlifeSimulator;
  let pagedSystem: System;
  beforeAll(async () => {
    large = await startNetlifeSimulator({
      credentials: credentials.netlife,
      portals: [{ name: portal, jobs: 1, activitiesPerJob: 2, subjectsPerJob: 60 }],
      rateLimitPerSecond: 100_000,
      pages: { shape: 'meta', size: 3 },
    });
    pagedSystem = await startSystem({ netlifeUrl: large.baseUrl });
  });
  afterAll(async () => {
    pagedSystem.stop();
    await large.stop();
  });

  const plan = (run_id: string) => pagedSystem.plan({ run_id, netlife: { portals: [portal] } });
  const mergedFile = async (run: RunPlan) => {
    await pagedSystem.merge(run, portal);
    const folder = pagedSystem.folder(run.run_id);
    const [path = ''] = await folder.list(`netlife/${portal}/contacts_`);
    return folder.readText(path);
  };

  test('are read in several turns, each page once', async () => {
    const whole = await plan('in-one-turn');
    await pagedSystem.collect(whole, portal);
    await takeRequests(large.controlUrl);

    const run = { ...(await plan('in-many-turns')), started_at: whole.started_at };
    let turns = 0;
    for (let done = false; !done; turns++) {
      // A turn is too short for a whole list.
      const result = await pagedSystem.collect(run, portal, turnOf(100));
      if (result === 'crashed') throw new Error('The turn crashed without a configured crash');
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

  test('are read again by the next attempt of the run', async () => {
    const run = await plan('fixed');
    await setFaults(large.controlUrl, { kind: 'page_loop', match: { call: 'subjects' }, times: 30 });
    await pagedSystem.collect(run, portal);
    await setFaults(large.controlUrl);
    expect(await pagedSystem.collect({ ...run, redrive_count: 1 }, portal)).toMatchObject({ jobs_done: 1 });
    expect(await pagedSystem.folder(run.run_id).list(`netlife/${portal}/parts/page/one.1.1/`)).not.toEqual(new Set());
    expect(((await mergedFile({ ...run, redrive_count: 1 })) ?? '').split('\n').length).toBeGreaterThan(40);
  });
});

describe('the worker crashes', () => {
  const crashes = ['before', 'after'].flatMap((when) =>
    [
      { call: 'ListObjectsV2', nth: 1 },
      ...[1, 2, 3, 7, jobs + 1].map((nth) => ({ call: 'PutObject', nth })),
      { call: 'UpdateItem', nth: 2 },
    ].map((crash) => ({ ...crash, when: when as 'before' | 'after' })),
  );

  test.each(crashes)('$when $call $nth: a job whose last part is written is not fetched again', async (crash) => {
    const run = { ...(await planned()), started_at: undisturbed.run.started_at };
    expect(await system.collect(run, portal, { crash })).toBe('crashed');
    // Wait for calls that were in flight at the crash.
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

  test('a failed job is reported, does not affect other jobs, and is collected by the next attempt', async () => {
    const [job = ''] = await jobIds();
    await setFaults(netlife.controlUrl, { kind: 'client_error', match: { call: 'subjects', job } });
    const run = await planned();
    expect(await system.collect(run, portal)).toMatchObject({ done: true });
    expect(await system.merge(run, portal)).toMatchObject({
      status: 'PARTIAL',
      message: expect.stringContaining('1 jobs failed'),
    });
    expect(await readReport(run)).toMatchObject({
      jobs_processed: jobs - 1,
      jobs_failed: 1,
      failed_jobs: [{ job_uuid: job, error: 'The netlife API answered 400', error_code: 'API_REFUSED' }],
      jobs_to_repeat: expect.arrayContaining([job]),
      reasons: expect.arrayContaining([
        { outcome: 'failed', error_code: 'API_REFUSED', reason: 'jobs: The netlife API answered 400', count: 1 },
      ]),
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

  test('if over half of its jobs fail, the portal fails, and its contacts are kept', async () => {
    const ids = await jobIds();
    const bad = ids.slice(0, jobs / 2 + 1);
    await setFaults(netlife.controlUrl, ...bad.map((job) => ({ kind: 'not_found', match: { call: 'job', job } })));
    const run = await planned();
    await system.collect(run, portal);
    expect(await system.merge(run, portal)).toMatchObject({ status: 'FAILED' });
    expect(await readReport(run)).toMatchObject({ jobs_failed: bad.length, jobs_processed: jobs - bad.length });
    expect((await contactsOf(run)).length).toBeGreaterThan(1);
  });

  test('a redrive of a stopped execution collects failed jobs again, although its plan is unchanged', async () => {
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

  test('the second attempt within one redrive collects and merges the jobs that failed in the first', async () => {
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

  test('if the login is refused during the run, the collected contacts are kept, and the failure is reported', async () => {
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

  test('if the login is refused, the portal fails at once', async () => {
    await setFaults(netlife.controlUrl, { kind: 'login_refused' });
    const run = await planned();
    await expect(system.collect(run, portal)).rejects.toMatchObject({
      name: 'PipelineError',
      message: expect.stringMatching(/refused our login.*401/),
    });
    expect((await takeRequests(netlife.controlUrl)).length).toBeLessThanOrEqual(2);
  });

  test('a worker whose run was stopped ends its turn, and a later turn resumes the run', async () => {
    const run = await planned();
    let clockReads = 0;
    const clock = () => Date.now() + 3_000 * clockReads++;
    const pause = () => system.runs.stop(run.run_id, Date.now());
    await expect(system.collect(run, portal, { clock, pause })).rejects.toMatchObject({ code: 'RUN_TAKEN_OVER' });
    expect(await system.runs.read(run.run_id)).toMatchObject({ status: 'STOPPED' });
    expect(await system.collect(run, portal)).toMatchObject({ done: true });
    expect(await system.runs.read(run.run_id)).toMatchObject({ status: 'RUNNING' });
  });

  test('a worker whose run was taken over by another execution makes no call', async () => {
    const run = await planned();
    await system.plan({ run_id: run.run_id, netlife: selection }, { Id: 'arn:execution:two', Name: 'two' });
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
