import { type IterableSimulator, startIterableSimulator } from '../../../local/simulators/iterable';
import { createLogger } from '../../../shared/observability/logger';
import type { RunPlan } from '../../../shared/runs/plan';
import { captureLogs } from '../../support/logs';
import { createSource, results, row, turnOf } from './iterable-runs';
import { credentials, type System, setFaults, startSystem } from './system';

const sendable = Array.from({ length: 2_500 }, (_, index) => row(index + 1));
const rejected = row(2_501, { email: null });

let iterable: IterableSimulator;
let system: System;
beforeAll(async () => {
  iterable = await startIterableSimulator({
    credentials: credentials.iterable,
    limits: { 'users/update': 1e6, 'users/bulkUpdate': 1e6, 'events/track': 1e6, 'events/trackBulk': 1e6 },
  });
  system = await startSystem({ iterableUrl: iterable.url, source: createSource([...sendable, rejected]).source });
});
afterAll(async () => {
  system.stop();
  await iterable.stop();
});

const emailsIn = async (run: RunPlan) =>
  (await results(system, run)).records.map(({ email }: { email: string }) => email);

/** Sends this many parts, then Iterable refuses the key. @returns the error that the state machine catches */
const refusedAfter = async (parts: number, run: RunPlan) => {
  await system.push(run, { crash: { when: 'after', call: 'PutObject', nth: parts } });
  await setFaults(iterable.controlUrl, { kind: 'bad_api_key' });
  try {
    await system.push(run);
  } catch (error) {
    return { Error: 'PipelineError', Cause: JSON.stringify({ errorMessage: error instanceof Error && error.message }) };
  } finally {
    await setFaults(iterable.controlUrl);
  }
  throw new Error('The key was not refused');
};

test('users sent before a key was refused are reported, and the others after a redrive', async () => {
  const run = await system.plan({ run_id: 'refused', iterable: {} });
  await system.extract(run);
  const fault = await refusedAfter(1, run);
  const counted = async () => (await system.runs.read(run.run_id))?.counters['iterable/push'];
  expect(await system.report(run, turnOf(1), fault)).toEqual({ done: false });
  expect(await counted()).toMatchObject({ done: 1_000, total: 2_500 });
  expect(await system.report(run, {}, fault)).toMatchObject({
    done: true,
    status: 'FAILED',
    message: 'Iterable refused the key with 401, 1000 of 2500 users sent, 0 in part, 0 failed, 1 rows rejected',
    reports: [
      expect.stringContaining('runs/refused/iterable/query_results_'),
      'runs/refused/iterable/rejected.csv',
      expect.stringContaining('runs/refused/iterable/integration_results_'),
      'runs/refused/iterable/failed.csv',
    ],
    counts: { total_users: 1_000, successful: 1_000, rejected: 1 },
    duration_seconds: expect.any(Number),
  });
  const emails = sendable.map(({ email }) => email);
  expect(await emailsIn(run)).toEqual(emails.slice(0, 1_000));
  expect(await counted()).toMatchObject({ done: 1_000, total: 2_500 });

  const redriven = { ...run, redrive_count: 1 };
  const refusedAgain = await refusedAfter(1, redriven);
  expect(await system.report(redriven, {}, refusedAgain)).toMatchObject({ counts: { total_users: 2_000 } });
  expect(await emailsIn(run)).toEqual(emails.slice(0, 2_000));

  const last = { ...run, redrive_count: 2 };
  await system.push(last);
  expect(await system.report(last)).toMatchObject({ status: 'SUCCEEDED', counts: { total_users: 2_500 } });
  expect(await emailsIn(run)).toEqual(emails);
});

test('for more than a hundred failed users, the report logs their number by kind of failure', async () => {
  const logs = captureLogs();
  const failing = (id: number) => row(id, { email: `user${id}+${id % 3 === 0 ? 'forgotten' : 'newlist'}@example.com` });
  const rows = Array.from({ length: 1_600 }, (_, index) => (index < 150 ? failing(index + 1) : row(index + 1)));
  const failingSystem = await startSystem({
    iterableUrl: iterable.url,
    source: createSource(rows).source,
    logger: createLogger({ STAGE: 'test', SERVICE_VERSION: '1.2.3' }),
  });
  const run = await failingSystem.plan({ run_id: 'many-failures', iterable: {} });
  await failingSystem.extract(run);
  await failingSystem.push(run);
  await failingSystem.report(run, turnOf(1));
  const counts = () => logs.lines().filter(({ message }) => message === 'users failed');
  expect(counts()).toEqual([]);
  await failingSystem.report(run);
  logs.stop();
  failingSystem.stop();
  expect(logs.lines().filter(({ message }) => message === 'user failed')).toHaveLength(100);
  expect(counts()).toMatchObject([
    { level: 'WARN', run_id: 'many-failures', error_code: 'API_REFUSED', reason: 'other', count: 100 },
    { level: 'WARN', run_id: 'many-failures', error_code: 'API_REFUSED', reason: 'forgottenEmails', count: 50 },
  ]);
});

test('an unreadable database is reported, with the existing files', async () => {
  const run = await system.plan({ run_id: 'unread', iterable: {} });
  expect(await system.report(run, {}, { Error: 'States.Timeout', Cause: '' })).toMatchObject({
    status: 'FAILED',
    message: 'States.Timeout, 0 of 0 users sent, 0 in part, 0 failed, 0 rows rejected',
    reports: [expect.stringContaining('runs/unread/iterable/integration_results_'), 'runs/unread/iterable/failed.csv'],
    counts: { total_users: 0 },
  });
  expect(await emailsIn(run)).toEqual([]);
});
