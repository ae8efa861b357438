import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { NetlifeSimulator } from '../../../../local/simulators/netlife';
import type { NextForm, PageShape } from '../../../../local/simulators/netlife-pages';
import type { NetlifeJob } from '../../../../shared/netlife/activities';
import type { NetlifeClient } from '../../../../shared/netlife/client';
import { contactLines, contactsHeader } from '../../../../shared/netlife/contacts';
import { type CollectOptions, collectJob, type JobPart } from '../../../../shared/netlife/job';
import { addStatistics, type Statistics } from '../../../../shared/netlife/stats';
import { clientAt, collectAll, collectOptions, portalName, startPortal } from '../../../support/netlife';

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const stop of cleanups.splice(0).toReversed()) await stop();
});

const start = async (options: Parameters<typeof startPortal>[0] = {}) => {
  const netlife = await startPortal(options);
  cleanups.push(netlife.stop);
  return netlife;
};

const connect = (netlife: NetlifeSimulator, options: Parameters<typeof clientAt>[1] = {}): NetlifeClient => {
  const client = clientAt(netlife.baseUrl, { random: () => 0, ...options });
  cleanups.push(() => client.close());
  return client;
};

const faults = (netlife: NetlifeSimulator, list: readonly object[]) =>
  fetch(`${netlife.controlUrl}/faults`, { method: 'PUT', body: JSON.stringify(list) }).then(({ status }) =>
    expect(status).toBe(200),
  );

/** The file, with the origin of the simulator replaced by that of the portal. */
const fileOf = (parts: readonly JobPart[], client: NetlifeClient): string =>
  (contactsHeader + parts.map(({ contacts }) => contactLines(contacts)).join('')).replaceAll(
    client.origin,
    `https://${portalName}.shop`,
  );

const collect = async (netlife: NetlifeSimulator, options: Partial<CollectOptions> = {}) => {
  const client = connect(netlife);
  const parts = await collectAll(client, await client.getJobs(), options);
  return { client, parts, file: fileOf(parts, client), rows: parts.flatMap(({ contacts }) => contacts) };
};

test('the golden contacts file', async () => {
  const { file, parts } = await collect(await start());
  const golden = join(__dirname, 'golden', 'contacts.csv');
  // `UPDATE_GOLDEN=1` writes it again: review the difference before you commit it.
  if (process.env.UPDATE_GOLDEN) writeFileSync(golden, file);
  expect(file).toBe(readFileSync(golden, 'utf8'));
  expect(parts.map(({ done }) => done)).toEqual([true, true]);
});

test('property: every page shape, size and order gives the same rows', async () => {
  const { file } = await collect(await start());
  const arrangement = fc.record({
    shape: fc.constantFrom<PageShape>('meta', 'results', 'data', 'list'),
    next: fc.constantFrom<NextForm>('absolute', 'relative', 'repeated', 'query'),
    size: fc.integer({ min: 1, max: 40 }),
    order: fc.nat(1_000),
    maps: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(arrangement, fc.integer({ min: 1, max: 40 }), async (pages, subjectsPerPart) => {
      const netlife = await startPortal({ pages });
      const client = clientAt(netlife.baseUrl);
      try {
        const parts = await collectAll(client, await client.getJobs(), { subjectsPerPart });
        expect(fileOf(parts, client)).toBe(file);
      } finally {
        await client.close();
        await netlife.stop();
      }
    }),
    { numRuns: 25 },
  );
});

test('a job needs four calls, and one per subject', async () => {
  const netlife = await start({ jobs: 1, pages: { shape: 'list' } });
  const { client, parts } = await collect(netlife);
  const { subjects_total, rows_rejected, api_calls_total } = client.getStatsSummary();
  expect(rows_rejected).toBe(parts[0]?.rejected.length);
  expect(api_calls_total).toBe(1 + 4 + subjects_total);
});

describe('audience', () => {
  test('a subject in both lists is a buyer, once', async () => {
    // Every fiftieth buyer is also listed as a non-buyer.
    const netlife = await start({ jobs: 1, subjects: 200 });
    const uuidsOf = async (audience: CollectOptions['audience']) => {
      const { rows } = await collect(netlife, { audience });
      return rows.map(({ subject_uuid, activity_uuid, buyer }) => `${subject_uuid} ${activity_uuid} ${buyer}`);
    };
    const [both, buyers, nonBuyers] = [await uuidsOf('both'), await uuidsOf('buyers'), await uuidsOf('non-buyers')];
    expect(buyers.every((row) => row.endsWith('Yes'))).toBe(true);
    expect(nonBuyers.every((row) => row.endsWith('No'))).toBe(true);
    expect(new Set(both).size).toBe(both.length);
    expect([...buyers, ...nonBuyers].toSorted()).toEqual(both.toSorted());
  });
});

describe('filters', () => {
  let netlife: NetlifeSimulator;
  beforeEach(async () => {
    netlife = await start({ jobs: 1 });
  });

  test('phone-only and email-only fetch no access keys for other subjects', async () => {
    const { rows, client } = await collect(netlife, { contactFilter: 'phone-only' });
    expect(rows.every((row) => row.phone_number !== '' || row.phone_number_2 !== '')).toBe(true);
    const { subjects_with_phones, access_keys_existing, access_keys_failed } = client.getStatsSummary();
    expect(access_keys_existing + access_keys_failed).toBe(subjects_with_phones);
  });

  test('registered_only fetches the users, whatever check_registered_users is', async () => {
    const { rows } = await collect(netlife, { registeredOnly: true, checkRegisteredUsers: false });
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.every(({ registered_user }) => registered_user === 'Yes')).toBe(true);
  });

  test('without the check, no user is fetched', async () => {
    const { rows, client } = await collect(netlife, { checkRegisteredUsers: false });
    expect(rows.every(({ registered_user }) => registered_user === 'No')).toBe(true);
    expect(client.getStatsSummary()).toMatchObject({ registered_users_checked: 0, registered_users_found: 0 });
  });

  test('access keys are created on demand, and found in the next run', async () => {
    const before = (await collect(netlife)).client.getStatsSummary();
    expect(before.access_keys_failed).toBeGreaterThan(0);
    const created = (await collect(netlife, { createAccessKeys: true })).client.getStatsSummary();
    expect(created).toMatchObject({ access_keys_created: before.access_keys_failed, access_keys_failed: 0 });
    const after = (await collect(netlife)).client.getStatsSummary();
    expect(after).toMatchObject({ access_keys_existing: after.subjects_total, access_keys_failed: 0 });
  });

  test('an access key is found if the response to its creation was lost', async () => {
    await faults(netlife, [{ kind: 'lost_answer', match: { call: 'create_access_key' }, times: 1 }]);
    const { rows, client } = await collect(netlife, { createAccessKeys: true });
    expect(client.getStatsSummary()).toMatchObject({ access_keys_failed: 0, retries: 1 });
    const keysOf = (contacts: typeof rows) => contacts.map(({ access_code }) => access_code);
    expect(keysOf((await collect(netlife)).rows)).toEqual(keysOf(rows));
  });
});

describe('parts', () => {
  const jobOf = async (client: NetlifeClient): Promise<NetlifeJob> => {
    const [job] = await client.getJobs();
    if (job === undefined) throw new Error('The portal has no job');
    return job;
  };

  test('a job that is interrupted anywhere and resumed has the same file and statistics', async () => {
    const netlife = await start({ jobs: 1, subjects: 60 });
    const whole = await collect(netlife);
    const parts: JobPart[] = [];
    const rest: Statistics[] = [];
    for (let turn = 1; parts.at(-1)?.done !== true; turn++) {
      const client = connect(netlife);
      const job = await jobOf(client);
      client.takeStats();
      let checks = 0;
      const isTimeUp = () => checks++ > turn * 7;
      const after = parts.at(-1)?.through;
      const options = { ...collectOptions, after, isTimeUp, subjectsPerPart: 11 };
      const done = await collectJob(client, job, options, async (part) => parts.push(part));
      expect(done).toBe(parts.at(-1)?.done ?? false);
      rest.push(client.takeStats().statistics);
    }
    expect(parts.length).toBeGreaterThan(5);
    expect(fileOf(parts, whole.client).replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, `https://${portalName}.shop`)).toBe(
      whole.file,
    );
    expect(parts.flatMap(({ rejected }) => rejected)).toEqual(whole.parts.flatMap(({ rejected }) => rejected));
    const calls = { api_calls_total: 0, cache_hits: 0, cache_misses: 0, duration_seconds: 0, activities_found: 0 };
    const sum = addStatistics(...parts.map(({ statistics }) => statistics), ...rest);
    expect({ ...sum, ...calls }).toEqual({ ...whole.client.getStatsSummary(), ...calls });
  });

  test('if the time is up before the start, nothing is called', async () => {
    const netlife = await start();
    const client = connect(netlife);
    const job = await jobOf(client);
    const calls = client.getStatsSummary().api_calls_total;
    const options = { ...collectOptions, isTimeUp: () => true };
    expect(await collectJob(client, job, options, () => Promise.reject(new Error('no part')))).toBe(false);
    expect(client.getStatsSummary().api_calls_total).toBe(calls);
  });

  test('a call that runs out of time is not counted as a failure', async () => {
    const netlife = await start();
    const client = connect(netlife);
    const job = await jobOf(client);
    await faults(netlife, [{ kind: 'server_error', match: { call: 'job' } }]);
    let calls = 0;
    const options = { ...collectOptions, isTimeUp: () => calls++ > 0 };
    expect(await collectJob(client, job, options, () => Promise.reject(new Error('no part')))).toBe(false);
    expect(client.getStatsSummary()).toMatchObject({ jobs_failed: 0, subjects_total: 0, rows_rejected: 0 });
  });

  test('at most 10 jobs are in progress at a time', async () => {
    const netlife = await start({ jobs: 15, subjects: 2 });
    const client = connect(netlife);
    let inProgress = 0;
    let maxInProgress = 0;
    let release = () => {};
    const tenInProgress = new Promise<void>((resolve) => {
      // Slightly later, so that an eleventh job would be counted.
      release = () => setTimeout(resolve, 50);
    });
    await Promise.all(
      (await client.getJobs()).map((job) =>
        collectJob(client, job, collectOptions, async () => {
          maxInProgress = Math.max(maxInProgress, ++inProgress);
          if (inProgress === 10) release();
          await tenInProgress;
          inProgress--;
        }),
      ),
    );
    expect(maxInProgress).toBe(10);
  });

  test('an empty job has one part', async () => {
    const { parts } = await collect(await start({ jobs: 1, subjects: 0 }));
    expect(parts).toMatchObject([{ after: undefined, through: undefined, done: true, contacts: [] }]);
  });
});

describe('faults', () => {
  let netlife: NetlifeSimulator;
  let client: NetlifeClient;
  let jobs: NetlifeJob[];

  beforeEach(async () => {
    netlife = await start();
    client = connect(netlife);
    jobs = await client.getJobs();
  });

  test('temporary faults change nothing', async () => {
    const { file, rows } = await collect(netlife);
    const subjects = [...new Set(rows.map(({ subject_uuid }) => subject_uuid))].slice(0, 20);
    const calls = [
      ...jobs.flatMap(({ uuid: job }) => [
        { call: 'job', job },
        { call: 'subjects', job, has_order: 'true' },
        { call: 'subjects', job, has_order: 'false' },
        { call: 'job_users', job },
      ]),
      ...subjects.map((subject) => ({ call: 'access_keys', subject })),
    ];
    const transient = ['rate_limited', 'server_error', 'hang_up', 'lost_answer', 'garbage'];
    // A call has three attempts, so each of these succeeds, whatever the order of the calls.
    await faults(
      netlife,
      calls.map((match, index) => ({ kind: transient[index % transient.length], match, times: 2 })),
    );
    const parts = await collectAll(client, jobs);
    expect(fileOf(parts, client)).toBe(file);
    expect(client.getStatsSummary().retries).toBe(2 * calls.length);
  });

  test.each([
    ['job', 'not_found', 'API_REFUSED'],
    ['subjects', 'page_loop', 'BAD_ANSWER'],
    ['job_users', 'foreign_next', 'BAD_ANSWER'],
    ['subjects', 'server_error', 'API_UNAVAILABLE'],
  ])('a fault of the call %s fails the job: %s', async (call, kind, code) => {
    // Limited, so that an undetected loop of pages ends and fails the test.
    await faults(netlife, [{ kind, match: { call, job: jobs[0]?.uuid }, times: 30 }]);
    await expect(collectAll(client, jobs.slice(0, 1))).rejects.toMatchObject({ code });
    expect(client.takeStats(jobs[0]?.uuid)).toMatchObject({ statistics: { subjects_total: 0 }, rejected: [] });
    expect(await collectAll(client, jobs.slice(1))).toMatchObject([{ done: true }]);
  });

  test('a contact without a key is omitted and counted', async () => {
    const [whole] = await collectAll(client, jobs.slice(0, 1));
    const lost = whole?.contacts[0]?.subject_uuid;
    await faults(netlife, [{ kind: 'server_error', match: { call: 'access_keys', subject: lost } }]);
    const [part] = await collectAll(client, jobs.slice(0, 1));
    expect(part?.contacts).toEqual(whole?.contacts.filter(({ subject_uuid }) => subject_uuid !== lost));
    expect(part?.statistics.access_keys_failed).toBe(1 + (whole?.statistics.access_keys_failed ?? 0));
    expect(part?.statistics.errors).toEqual(['The netlife API answered 503']);
  });

  test('if most keys cannot be fetched, the job fails', async () => {
    await faults(netlife, [{ kind: 'client_error', match: { call: 'access_keys' } }]);
    await expect(collectAll(client, jobs)).rejects.toMatchObject({ code: 'API_REFUSED' });
  });

  test('a refused login ends the job immediately', async () => {
    await faults(netlife, [{ kind: 'login_refused', match: { call: 'access_keys' }, status: 403 }]);
    await expect(collectAll(client, jobs)).rejects.toMatchObject({ statusCode: 403 });
    await expect(client.getUserDetails('u1')).rejects.toMatchObject({ statusCode: 403 });
  });

  test('a part that cannot be written fails the job', async () => {
    const [job] = jobs;
    if (job === undefined) throw new Error('The portal has no job');
    const write = () => Promise.reject(new Error('no bucket'));
    await expect(collectJob(client, job, collectOptions, write)).rejects.toThrow('no bucket');
  });
});
