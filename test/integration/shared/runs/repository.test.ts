import { createRunRepository, type RunRepository } from '../../../../shared/runs/repository';
import { createClients } from '../../support/clients';
import { createSyncRunsTable } from '../../support/resources';

const clients = createClients();
let runs: RunRepository;
beforeAll(async () => {
  runs = createRunRepository(clients.documents, await createSyncRunsTable(clients));
});
afterAll(() => clients.destroy());

const at = Date.UTC(2026, 10, 22);
const input = (run_id: string) => ({ run_id, dry_run: false });
const start = (run_id: string, executionArn = 'one', startedAtMs = at) =>
  runs.start({ input: input(run_id), executionArn, startedAtMs });
const progress = (done: number, atMs = at) => ({ counter: { done, total: 10 }, message: `${done} of 10`, atMs });

test('a run from its start to its end', async () => {
  await start('whole');
  const owner = { run_id: 'whole', execution_arn: 'one' };
  expect(await runs.recordProgress(owner, 'netlife/a', progress(3))).toBe(true);
  expect(await runs.recordProgress(owner, 'iterable/push', progress(4, at + 1))).toBe(true);
  expect(await runs.recordProgress(owner, 'netlife/a', progress(5, at + 2))).toBe(true);
  await runs.finish(owner, { status: 'SUCCEEDED', message: 'all well', reports: ['x'], finishedAtMs: at + 3 });
  expect(await runs.read('whole')).toEqual({
    run_id: 'whole',
    status: 'SUCCEEDED',
    input: input('whole'),
    execution_arn: 'one',
    started_at: '2026-11-22T00:00:00.000Z',
    updated_at: '2026-11-22T00:00:00.003Z',
    finished_at: '2026-11-22T00:00:00.003Z',
    counters: {
      'netlife/a': { done: 5, total: 10, updated_at: '2026-11-22T00:00:00.002Z' },
      'iterable/push': { done: 4, total: 10, updated_at: '2026-11-22T00:00:00.001Z' },
    },
    message: 'all well',
    reports: ['x'],
  });
});

test('started again, a run keeps its first start and its counters', async () => {
  await start('again');
  await runs.recordProgress({ run_id: 'again', execution_arn: 'one' }, 'netlife/a', progress(3));
  expect(await start('again', 'two', at + 60_000)).toMatchObject({
    execution_arn: 'two',
    started_at: '2026-11-22T00:00:00.000Z',
    counters: { 'netlife/a': { done: 3 } },
  });
});

test('an execution whose run was taken over cannot enter, write or close it', async () => {
  await start('taken');
  await start('taken', 'two');
  const loser = { run_id: 'taken', execution_arn: 'one' };
  await expect(runs.enter(loser, 'netlife/a', 'turn', at)).rejects.toMatchObject({ code: 'RUN_TAKEN_OVER' });
  expect(await runs.recordProgress(loser, 'netlife/a', progress(1))).toBe(false);
  await runs.finish(loser, { status: 'FAILED', message: 'mine', reports: [], finishedAtMs: at });
  expect(await runs.read('taken')).toMatchObject({ status: 'RUNNING', counters: {} });
});

test('a stopped run rejects progress until a worker enters it again', async () => {
  await start('stopped');
  const owner = { run_id: 'stopped', execution_arn: 'one' };
  await runs.stop('stopped', at);
  expect(await runs.recordProgress(owner, 'netlife/a', progress(1))).toBe(false);
  expect(await runs.read('stopped')).toMatchObject({ status: 'STOPPED', finished_at: expect.any(String) });
  const again = await runs.enter(owner, 'netlife/a', 'turn', at);
  expect(await runs.recordProgress(again, 'netlife/a', progress(1))).toBe(true);
  expect(await runs.read('stopped')).not.toHaveProperty('finished_at');
});

test('of two turns at a counter, only the newest can write: a redrive keeps the execution, but not the worker', async () => {
  await start('turns');
  const owner = { run_id: 'turns', execution_arn: 'one' };
  const first = await runs.enter(owner, 'netlife/a', 'first', at);
  const elsewhere = await runs.enter(owner, 'iterable/push', 'elsewhere', at);
  const second = await runs.enter(owner, 'netlife/a', 'second', at);
  expect(await runs.recordProgress(first, 'netlife/a', progress(1))).toBe(false);
  expect(await runs.recordProgress(second, 'netlife/a', progress(2))).toBe(true);
  expect(await runs.recordProgress(elsewhere, 'iterable/push', progress(3))).toBe(true);
});

test('lists all runs', async () => {
  const found: string[] = [];
  for await (const { run_id } of runs.list()) found.push(run_id);
  expect(found).toEqual(expect.arrayContaining(['whole', 'again', 'taken', 'stopped']));
});
