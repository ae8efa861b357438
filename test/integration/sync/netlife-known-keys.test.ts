import { type NetlifeSimulator, startNetlifeSimulator } from '../../../local/simulators/netlife';
import { createKnownKeys } from '../../../shared/netlife/known-keys';
import type { RunPlan } from '../../../shared/runs/plan';
import { credentials, type System, setFaults, startSystem, takeRequests } from './system';

const portal = 'nowandforeverphoto';
const jobs = 3;
const dayMs = 86_400_000;

let netlife: NetlifeSimulator;
/** A stage in which earlier runs have read keys, and one without. */
let system: System;
let fresh: System;
beforeAll(async () => {
  netlife = await startNetlifeSimulator({
    credentials: credentials.netlife,
    portals: [{ name: portal, jobs, activitiesPerJob: 2, subjectsPerJob: 8 }],
    rateLimitPerSecond: 100_000,
  });
  [system, fresh] = await Promise.all([
    startSystem({ netlifeUrl: netlife.baseUrl }),
    startSystem({ netlifeUrl: netlife.baseUrl }),
  ]);
});
afterAll(async () => {
  system.stop();
  fresh.stop();
  await netlife.stop();
});

let runs = 0;
const startedAt = (daysLater = 0): string =>
  new Date(Date.parse('2026-11-22T01:02:03Z') + daysLater * dayMs).toISOString();
const planned = async (on: System, daysLater = 0, input: object = {}): Promise<RunPlan> => ({
  ...(await on.plan({ run_id: `keys-${++runs}`, netlife: { portals: [portal], ...input } })),
  started_at: startedAt(daysLater),
});

/** Collects and merges a run. @returns its contacts file, without the start of the run, and its calls for access keys */
const complete = async (on: System, run: RunPlan) => {
  expect(await on.collect(run, portal)).toMatchObject({ done: true });
  const requests = await takeRequests(netlife.controlUrl);
  await on.merge(run, portal);
  const folder = on.folder(run.run_id);
  const [path = ''] = await folder.list(`netlife/${portal}/contacts_`);
  const contacts = ((await folder.readText(path)) ?? '').replaceAll(run.started_at, 'START');
  const { access_keys_known, ...report } = JSON.parse((await folder.readText(`netlife/${portal}/stats.json`)) ?? '');
  return {
    contacts,
    report,
    access_keys_known,
    keyCalls: requests.filter(({ path }) => path.endsWith('/accesskeys')).length,
  };
};

test('later runs write the same contacts without calls for known keys, until the keys are too old', async () => {
  const first = await complete(system, await planned(system));
  expect(first.access_keys_known).toBe(0);
  expect(first.report.contacts_written).toBeGreaterThan(jobs);
  expect(first.report.access_keys_failed).toBeGreaterThan(0);

  for (const day of [1, 6]) {
    const later = await complete(system, await planned(system, day));
    // The first run knew no keys.
    expect(later.contacts).toBe(first.contacts);
    expect(later.access_keys_known).toBe(first.report.access_keys_existing);
    expect(later.report.access_keys_existing).toBe(first.report.access_keys_existing);
    // A missing key is looked for in each run.
    expect(later.keyCalls).toBe(first.report.access_keys_failed);
  }
  const tooOld = await complete(system, await planned(system, 7));
  expect(tooOld).toMatchObject({ contacts: first.contacts, access_keys_known: 0, keyCalls: first.keyCalls });
});

test('a run that reads all keys again replaces the known ones', async () => {
  const run = await planned(system, 20, { max_access_key_age_days: 0 });
  const again = await complete(system, run);
  expect(again.access_keys_known).toBe(0);
  expect((await complete(system, await planned(system, 26))).access_keys_known).toBe(again.report.access_keys_existing);
});

test('a dry run reports how many calls the run after it needs', async () => {
  const stage = await startSystem({ netlifeUrl: netlife.baseUrl, netlifeCallsPerSecond: 1_000 });
  try {
    const options = { run_id: 'dry', dry_run: true, netlife: { portals: [portal], create_access_keys: true } };
    const dry = await complete(stage, await stage.plan(options));
    const { needed } = dry.report;
    expect(needed).toEqual({ jobs, calls: expect.any(Number), minutes: 0.1 });
    const real = await complete(stage, await planned(stage, 0, { create_access_keys: true }));
    expect(real.report.access_keys_created).toBeGreaterThan(0);
    expect(real.report.api_calls_total).toBe(needed.calls);
    expect(real.report).not.toHaveProperty('needed');
  } finally {
    stage.stop();
  }
});

test.each([
  { when: 'before', nth: 3 },
  { when: 'after', nth: 3 },
  { when: 'before', nth: 6 },
  { when: 'after', nth: 6 },
] as const)('a crash $when the PutObject $nth costs only calls', async (crash) => {
  const run = await planned(fresh, 0, { max_access_key_age_days: 0 });
  expect(await fresh.collect(run, portal, { crash: { ...crash, call: 'PutObject' } })).toBe('crashed');
  const { contacts, report } = await complete(fresh, run);
  const later = await complete(fresh, await planned(fresh, 1));
  expect(later.contacts).toBe(contacts);
  expect(later.keyCalls + later.access_keys_known).toBe(report.access_keys_existing + report.access_keys_failed);
});

test('the keys of a failed job are kept', async () => {
  const stage = await startSystem({ netlifeUrl: netlife.baseUrl });
  try {
    await setFaults(netlife.controlUrl, { kind: 'client_error', match: { call: 'access_keys' }, times: 20 });
    const failed = await complete(stage, await planned(stage));
    expect(failed.report.jobs_failed).toBeGreaterThan(0);
    await setFaults(netlife.controlUrl);
    const { access_keys_known, keyCalls } = await complete(stage, await planned(stage));
    expect(access_keys_known).toBeGreaterThan(0);
    expect(access_keys_known + keyCalls).toBe(failed.keyCalls);
  } finally {
    stage.stop();
  }
});

test('an unreadable object, and keys of other days, do not matter', async () => {
  const keys = createKnownKeys(system.clients.s3, system.bucketName, 'nowandgen');
  const open = (daysLater: number, maxAgeDays = 7) =>
    keys.open('constructor', { startedAt: startedAt(daysLater), maxAgeDays });
  const first = await open(0);
  first.add('a', 'A1');
  first.add('toString', 'T1');
  await first.save();
  const second = await open(5);
  expect([second.find('a'), second.find('toString'), second.find('constructor')]).toEqual(['A1', 'T1', undefined]);
  second.add('a', 'A2');
  await second.save();
  expect([(await open(8)).find('a'), (await open(8)).find('toString')]).toEqual(['A2', undefined]);
  expect((await open(8, 30)).find('toString')).toBe('T1');
  // Keys that no run may use are deleted.
  const last = await open(31);
  last.add('b', 'B1');
  await last.save();
  expect((await open(29, 30)).find('toString')).toBeUndefined();
  expect((await open(29, 30)).find('a')).toBe('A2');
});
