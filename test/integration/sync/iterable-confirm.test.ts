import { type IterableSimulator, startIterableSimulator } from '../../../local/simulators/iterable';
import type { SourceRow } from '../../../shared/iterable/rows';
import type { RunPlan } from '../../../shared/runs/plan';
import { createSource, row } from './iterable-runs';
import { credentials, setFaults, startSystem, takeRequests } from './system';

let iterable: IterableSimulator;
beforeAll(async () => {
  iterable = await startIterableSimulator({ credentials: credentials.iterable, limits: { 'users/getByEmail': 1e5 } });
});
afterAll(() => iterable.stop());
afterEach(async () => {
  await setFaults(iterable.controlUrl);
  await takeRequests(iterable.controlUrl);
});

const users = (change: Partial<SourceRow> = {}) => Array.from({ length: 30 }, (_, index) => row(index + 1, change));
const sendAll = async (rows: readonly SourceRow[], input: object = { confirm: 20 }, dry_run = false) => {
  const { source } = createSource(rows);
  const system = await startSystem({ iterableUrl: iterable.url, source });
  const run = await system.plan({ run_id: 'confirm', dry_run, iterable: input });
  const push = (turn: object = {}) => system.push(run, { pause: async () => undefined, ...turn });
  await system.extract(run);
  return { system, run, push, report: (of: RunPlan = run) => system.report(of) };
};
const readBack = async () =>
  (await takeRequests(iterable.controlUrl)).filter(({ path }) => path === '/api/users/getByEmail').length;

test.each(['bulk', 'single'])('a sample of the users is read back once (%s)', async (mode) => {
  const { system, push, report } = await sendAll(users(), { mode, confirm: 20 });
  expect(await push()).toMatchObject({ done: true });
  expect(await readBack()).toBe(20);
  expect(await push()).toMatchObject({ done: true });
  expect(await readBack()).toBe(0);
  expect(await report()).toMatchObject({
    status: 'SUCCEEDED',
    counts: { confirmed: 20, unconfirmed: 0 },
    confirmation: { checked: 20, confirmed: 20, differences: [] },
    warnings: [],
  });
  expect(system.metrics.values.get('SyncUsersUnconfirmed')).toBe(0);
  system.stop();
});

test('an update that was accepted, but not applied, is a warning and a metric', async () => {
  const rows = users().map(({ id, ...rest }) => ({ ...rest, id, email: `user${id}+unapplied@example.com` }));
  const { system, push, report } = await sendAll(rows, { confirm: 3 });
  await push();
  const outcome = await report();
  expect(outcome).toMatchObject({
    status: 'SUCCEEDED',
    counts: { confirmed: 0, unconfirmed: 3 },
    warnings: ['3 of 3 users that were read back differ from what Iterable accepted'],
  });
  if (outcome === 'crashed' || !outcome.done) throw new Error('The report is not complete');
  for (const { fields } of outcome.confirmation?.differences ?? []) expect(fields).toContain('last_name');
  expect(JSON.stringify(outcome)).not.toMatch(/Ada|Example|@example/);
  expect(system.metrics.values.get('SyncUsersUnconfirmed')).toBe(3);
  system.stop();
});

test('a key without the right to read users does not fail the run', async () => {
  await setFaults(iterable.controlUrl, { kind: 'forbidden', match: { call: 'users/getByEmail' } });
  const { system, push, report } = await sendAll(users());
  await push();
  expect(await report()).toMatchObject({
    status: 'SUCCEEDED',
    confirmation: { checked: 0 },
    warnings: ['Users could not be read back: Iterable refused the key with 403'],
  });
  system.stop();
});

test.each<[string, object, boolean]>([
  ['with confirm 0', { confirm: 0 }, false],
  ['in a dry run', { confirm: 20 }, true],
])('no user is read back %s', async (_when, input, isDryRun) => {
  const { system, push, report } = await sendAll(users(), input, isDryRun);
  await push();
  expect(await readBack()).toBe(0);
  expect(await report()).not.toHaveProperty('confirmation');
  system.stop();
});

test('a turn that has no time left leaves the check to the next one', async () => {
  const { system, push } = await sendAll(users());
  // The time is up after the users were sent.
  let isSent = false;
  const clock = () => Date.now() + (isSent ? 600_000 : 0);
  const requests = setInterval(async () => {
    isSent ||= (system.metrics.values.get('SyncUsersSent') ?? 0) > 0;
  }, 1);
  expect(await push({ clock })).toMatchObject({ done: false });
  clearInterval(requests);
  expect(await push()).toMatchObject({ done: true });
  expect(await readBack()).toBe(20);
  system.stop();
});
