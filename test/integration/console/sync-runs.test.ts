import { syncRunRoutes } from '../../../ops/console/server/routes/sync-runs';
import { failedCsv } from '../../../shared/iterable/report';
import { nowMs, startStage, type TestStage } from '../ops/operators';
import { portal, simulateLambdas } from '../ops/sync-lambdas';
import { serveRoutes } from './routes';

let stage: TestStage;
let routes: Awaited<ReturnType<typeof serveRoutes>>;
beforeEach(async () => {
  stage = await startStage();
  routes = await serveRoutes(stage, syncRunRoutes);
});
afterEach(async () => {
  routes.close();
  await stage.stop();
});

const dayMs = 86_400_000;
const recorded = async () => JSON.parse((await stage.operate(['actions', '--json'])).stdout).actions;
const finishRun = async (runId: string, startedAtMs: number, seconds: number) => {
  stage.workflows.start(runId);
  const run = simulateLambdas(stage, runId);
  await run.plan(startedAtMs);
  await run.finish('SUCCEEDED', startedAtMs + seconds * 1_000);
};

test('lists runs with what they read and sent, and their duration against the median', async () => {
  for (const [day, seconds] of [60, 80, 100, 300].entries()) {
    await finishRun(`day-${day}`, nowMs - (9 - day) * dayMs, seconds);
  }
  const { body } = await routes.get('/?limit=2');
  expect(body).toMatchObject({ total: 4, runs: [{ run_id: 'day-3' }, { run_id: 'day-2' }] });
  expect(body.runs[0]).toMatchObject({
    status: 'SUCCEEDED',
    jobs: ['netlife', 'iterable'],
    is_dry_run: false,
    trigger: 'operator',
    seconds: 300,
    usual_seconds: 80,
    totals: { read: 5, sent: 256, failed: 0, rejected: 0 },
  });
});

test('shows a run while it works: progress, time left, and the last run that it is compared with', async () => {
  await finishRun('last', nowMs - dayMs, 80);
  stage.workflows.start('mine');
  const run = simulateLambdas(stage, 'mine');
  await run.plan(nowMs - 60_000);
  await run.progress(`netlife/${portal}`, 4, 8);
  const { body } = await routes.get('/mine');
  expect(body).toMatchObject({
    run_id: 'mine',
    status: 'RUNNING',
    has_ended: false,
    seconds: 60,
    usual_seconds: null,
    can_stop: true,
    can_redrive: false,
    outcomes: [],
    files: [],
    previous: { run_id: 'last', differences: [] },
    graph: { states: [], transitions: [] },
  });
  expect(body.progress[0]).toEqual({
    name: `netlife/${portal}`,
    done: 4,
    total: 8,
    has_begun: true,
    rate_per_second: 2,
    seconds_left: 2,
  });
  expect(body.progress[1]).toMatchObject({ has_begun: false, total: null, seconds_left: null });
});

test('shows what failed, and what repeats it', async () => {
  stage.workflows.start('mine');
  const run = simulateLambdas(stage, 'mine');
  await run.plan();
  const summary = await run.finish('FAILED');
  const preflight = [
    { check: `netlife/${portal}`, error_code: 'API_REFUSED', message: 'The portal refused our login' },
  ];
  await stage.openFolder('mine').put('summary.json', JSON.stringify({ ...summary, preflight }));
  const { body } = await routes.get('/mine');
  expect(body).toMatchObject({ status: 'FAILED', has_ended: true, can_stop: false, can_redrive: true, preflight });
  expect(body.outcomes[0]).toMatchObject({
    failed_jobs: [{ job_uuid: 'job-7' }],
    repeat: { netlife: { portals: [portal], job_ids: ['job-7'] } },
  });
});

test('sends the failed users of a run to Iterable again, in another run with the same settings', async () => {
  stage.workflows.start('mine');
  const run = simulateLambdas(stage, 'mine');
  await run.plan();
  const { iterable, ...others } = await run.finish('FAILED');
  expect((await routes.get('/mine')).body.outcomes[1]).toMatchObject({ name: 'iterable', can_resend: false });
  expect(await routes.post('/mine/resend')).toMatchObject({ status: 404 });

  const folder = stage.openFolder('mine');
  await folder.put(
    'summary.json',
    JSON.stringify({ ...others, iterable: { ...iterable, counts: { total_failures: 1 } } }),
  );
  const rows = `${failedCsv.header}7,p@example.com\n`;
  await folder.put('iterable/failed.csv', rows);
  expect((await routes.get('/mine')).body.outcomes[1]).toMatchObject({ can_resend: true });
  const { body } = await routes.post('/mine/resend', { reason: 'Iterable is back' });
  expect(JSON.parse(stage.workflows.find(body.run_id)?.input ?? '')).toEqual({
    run_id: body.run_id,
    iterable: { source: 'rows', mode: 'bulk', use_jwt: false },
  });
  expect(await stage.openFolder(body.run_id).readText('iterable/rows.csv')).toBe(rows);
  expect((await recorded()).at(-1)).toMatchObject({
    verb: 'sync start',
    ids: [body.run_id],
    reason: 'Iterable is back',
  });
});

test('a file is downloaded with a record of who reads it, also from a read-only console', async () => {
  await finishRun('mine', nowMs, 80);
  const readOnly = await serveRoutes(stage, syncRunRoutes, { write: false });
  const path = `netlife/${portal}/stats.txt`;
  expect(await readOnly.post('/mine/files', { path, reason: 'check' })).toEqual({
    status: 200,
    body: 'FINAL STATS - of the portal\n',
  });
  expect(await recorded()).toMatchObject([{ verb: 'sync files', ids: ['mine', path], reason: 'check' }]);
  expect(await readOnly.post('/mine/files', { path: 'input.json' })).toMatchObject({ status: 404 });
  readOnly.close();
});

test('starts a run after its input is checked, and refuses a wrong one with every fault', async () => {
  const input = { dry_run: true, netlife: { portals: ['unknown'] }, iterable: { days: 0 } };
  const { status, body } = await routes.post('/', { input });
  expect(status).toBe(400);
  expect(body.error.faults).toHaveLength(2);
  const started = await routes.post('/', { input: { run_id: 'mine', dry_run: true }, reason: 'rehearsal' });
  expect(started).toEqual({ status: 200, body: { run_id: 'mine' } });
  expect(JSON.parse(stage.workflows.find('mine')?.input ?? '')).toEqual({ run_id: 'mine', dry_run: true });
  expect(await recorded()).toMatchObject([{ verb: 'sync start', ids: ['mine'], reason: 'rehearsal' }]);
});

test('stops and redrives a run', async () => {
  stage.workflows.start('mine');
  expect(await routes.post('/mine/stop')).toMatchObject({ status: 200 });
  expect(stage.workflows.find('mine')?.status).toBe('ABORTED');
  expect(await routes.post('/mine/redrive')).toMatchObject({ status: 200 });
  expect(stage.workflows.find('mine')).toMatchObject({ status: 'RUNNING', redriveCount: 1 });
  expect((await recorded()).map(({ verb }: { readonly verb: string }) => verb)).toEqual(['sync stop', 'sync redrive']);
});

test('serves the schema of the input with the portals of the stage', async () => {
  const { body } = await routes.get('/input-schema');
  expect(Object.keys(body.schema.properties)).toEqual(expect.arrayContaining(['run_id', 'dry_run', 'netlife']));
  expect(body.portals).toContain(portal);
  expect(await routes.get('/absent')).toMatchObject({ status: 404 });
});
