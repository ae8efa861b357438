import { claimMs, leaseMarginMs, leaseMs, noticeMs } from '../../../../shared/runs/leases';
import { createRunRepository, type RunRepository } from '../../../../shared/runs/repository';
import { createClients } from '../../support/clients';
import { createOperationsTable, createSyncRunsTable } from '../../support/resources';

const clients = createClients();
let runs: RunRepository;
const slept: number[] = [];
beforeAll(async () => {
  runs = createRunRepository(
    clients.documents,
    await createSyncRunsTable(clients),
    await createOperationsTable(clients),
    async (ms) => void slept.push(ms),
  );
});
afterAll(() => clients.destroy());

const at = Date.UTC(2026, 10, 22);
const input = (run_id: string) => ({ run_id, dry_run: false });
const start = (run_id: string, executionArn = 'one', startedAtMs = at, leases: readonly string[] = []) =>
  runs.start({ input: input(run_id), executionArn, startedAtMs, leases });
const progress = (done: number, atMs = at) => ({ counter: { done, total: 10 }, message: `${done} of 10`, atMs });

test('records a run from its start to its end', async () => {
  await start('whole');
  const owner = { run_id: 'whole', execution_arn: 'one' };
  expect(await runs.recordProgress(owner, 'netlife/a', progress(3))).toBe(at + leaseMs);
  expect(await runs.recordProgress(owner, 'iterable/push', progress(4, at + 1))).toBe(at + 1 + leaseMs);
  expect(await runs.recordProgress(owner, 'netlife/a', progress(5, at + 2))).toBe(at + 2 + leaseMs);
  await runs.finish(owner, { status: 'SUCCEEDED', message: 'all succeeded', reports: ['x'], finishedAtMs: at + 3 });
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
    message: 'all succeeded',
    reports: ['x'],
    leases: [],
    lease_generation: 1,
  });
});

test('a run that is started again keeps its start time and its counters', async () => {
  await start('again');
  await runs.recordProgress({ run_id: 'again', execution_arn: 'one' }, 'netlife/a', progress(3));
  expect(await start('again', 'two', at + 60_000)).toMatchObject({
    execution_arn: 'two',
    started_at: '2026-11-22T00:00:00.000Z',
    counters: { 'netlife/a': { done: 3 } },
  });
});

test('an execution whose run was taken over cannot enter, update or finish it', async () => {
  await start('taken');
  await start('taken', 'two');
  const formerOwner = { run_id: 'taken', execution_arn: 'one' };
  await expect(runs.enter(formerOwner, 'netlife/a', 'turn', at)).rejects.toMatchObject({ code: 'RUN_TAKEN_OVER' });
  expect(await runs.recordProgress(formerOwner, 'netlife/a', progress(1))).toBeUndefined();
  await runs.finish(formerOwner, { status: 'FAILED', message: 'mine', reports: [], finishedAtMs: at });
  expect(await runs.read('taken')).toMatchObject({ status: 'RUNNING', counters: {} });
});

test('a stopped run rejects progress until a worker enters it again', async () => {
  await start('stopped');
  const owner = { run_id: 'stopped', execution_arn: 'one' };
  await runs.stop('stopped', at);
  expect(await runs.recordProgress(owner, 'netlife/a', progress(1))).toBeUndefined();
  expect(await runs.read('stopped')).toMatchObject({ status: 'STOPPED', finished_at: expect.any(String) });
  const again = await runs.enter(owner, 'netlife/a', 'turn', at);
  expect(await runs.recordProgress(again, 'netlife/a', progress(1))).toBe(at + leaseMs);
  expect(await runs.read('stopped')).not.toHaveProperty('finished_at');
});

test('of two turns with the same counter, only the newest can write: after a redrive, an old process may still run', async () => {
  await start('turns');
  const owner = { run_id: 'turns', execution_arn: 'one' };
  const first = await runs.enter(owner, 'netlife/a', 'first', at);
  const otherCounter = await runs.enter(owner, 'iterable/push', 'otherCounter', at);
  const second = await runs.enter(owner, 'netlife/a', 'second', at);
  expect(await runs.recordProgress(first, 'netlife/a', progress(1))).toBeUndefined();
  expect(await runs.recordProgress(second, 'netlife/a', progress(2))).toBe(at + leaseMs);
  expect(await runs.recordProgress(otherCounter, 'iterable/push', progress(3))).toBe(at + leaseMs);
});

test('a turn waits for an earlier one at the same counter that has not recorded its end', async () => {
  await start('open');
  const owner = { run_id: 'open', execution_arn: 'one' };
  const waitsOf = async (enter: () => Promise<unknown>): Promise<readonly number[]> => {
    slept.length = 0;
    await enter();
    return [...slept];
  };
  const enter = (counter: string, turn: string) => waitsOf(() => runs.enter(owner, counter, turn, at));
  const close = (counter: string, turn: string) =>
    runs.recordProgress({ ...owner, turn }, counter, { ...progress(1), endsTurn: true });
  expect(await enter('netlife/a', 'first')).toEqual([]);
  expect(await enter('netlife/b', 'other')).toEqual([]);
  expect(await enter('netlife/a', 'second')).toEqual([noticeMs]);
  await close('netlife/a', 'first');
  expect(await enter('netlife/a', 'third')).toEqual([noticeMs]);
  await close('netlife/a', 'third');
  expect(await enter('netlife/a', 'fourth')).toEqual([]);
  // The new turn has not written its counter, which still records the end of the one before.
  expect(await enter('netlife/a', 'fifth')).toEqual([noticeMs]);
  // A write whose response was lost is repeated.
  expect(await enter('netlife/a', 'fifth')).toEqual([noticeMs]);
  await close('netlife/a', 'fifth');
  await close('netlife/a', 'fifth');
  expect(await waitsOf(() => start('open', 'two'))).toEqual([noticeMs]);
  expect(await waitsOf(() => runs.enter({ ...owner, execution_arn: 'two' }, 'netlife/a', 'sixth', at))).toEqual([]);
  expect((await runs.read('open'))?.counters['netlife/a']).not.toHaveProperty('ended_turn');
});

test('lists all runs', async () => {
  const found: string[] = [];
  for await (const { run_id } of runs.list()) found.push(run_id);
  expect(found).toEqual(expect.arrayContaining(['whole', 'again', 'taken', 'stopped']));
});

describe('leases', () => {
  const owner = (run_id: string, execution_arn = run_id) => ({ run_id, execution_arn });
  const begin = (run_id: string, lease: string, atMs = at) => start(run_id, run_id, atMs, [lease]);
  const work = (run_id: string, atMs: number) => runs.recordProgress(owner(run_id), 'netlife/a', progress(1, atMs));
  const done = (run_id: string, atMs: number) =>
    runs.finish(owner(run_id), { status: 'SUCCEEDED', message: 'm', reports: [], finishedAtMs: atMs });

  test('a run is refused while another one holds a lease, and nothing of it is written', async () => {
    await begin('l1', 'one');
    await expect(begin('l2', 'one')).rejects.toMatchObject({ name: 'AlreadyRunning', holder: 'l1' });
    expect(await runs.read('l2')).toBeUndefined();
    await done('l1', at + 1);
    await expect(begin('l2', 'one', at + 2)).resolves.toMatchObject({ status: 'RUNNING', leases: ['one'] });
  });

  test('every write of a worker renews the leases; without one, they end', async () => {
    await begin('l3', 'two');
    await work('l3', at + claimMs - 1);
    const endMs = at + claimMs - 1 + leaseMs;
    await expect(begin('l4', 'two', endMs + leaseMarginMs - 1)).rejects.toMatchObject({ holder: 'l3' });
    await begin('l4', 'two', endMs + leaseMarginMs);
    expect(await work('l3', endMs + leaseMarginMs)).toBeUndefined();
    await expect(runs.enter(owner('l3'), 'netlife/a', 'turn', endMs + leaseMarginMs)).rejects.toMatchObject({
      name: 'AlreadyRunning',
      message: 'The run l4 is using two',
    });
  });

  test('a worker whose leases ended takes them again if they are free', async () => {
    await begin('l5', 'three');
    const lateMs = at + 2 * leaseMs;
    expect(await work('l5', lateMs)).toBe(lateMs + claimMs);
    expect(await runs.enter(owner('l5'), 'netlife/a', 'turn', lateMs + leaseMs)).toMatchObject({ turn: 'turn' });
    expect(await runs.read('l5')).toMatchObject({ lease_generation: 3 });
  });

  test('a run that waits for its vendor keeps its leases', async () => {
    await begin('l6', 'four');
    const idleMs = 3_600_000;
    await runs.recordProgress(owner('l6'), 'iterable/push', { ...progress(1), idleMs });
    await expect(begin('l7', 'four', at + idleMs + leaseMs)).rejects.toMatchObject({ holder: 'l6' });
  });

  test('a stop frees the leases once the workers have noticed it, and a redrive takes them again', async () => {
    await begin('l8', 'five');
    await runs.stop('l8', at + 1_000);
    slept.length = 0;
    await begin('l9', 'five', at + 2_000);
    expect(slept).toEqual([noticeMs]);
    await expect(runs.enter(owner('l8'), 'netlife/a', 'turn', at + 3_000)).rejects.toMatchObject({ holder: 'l9' });
    await done('l9', at + 4_000);
    await runs.enter(owner('l8'), 'netlife/a', 'turn', at + 5_000);
    await expect(begin('l10', 'five', at + 6_000)).rejects.toMatchObject({ holder: 'l8' });
  });

  test('a second start of the same run continues with its leases, after the first has noticed it', async () => {
    await begin('l11', 'six');
    slept.length = 0;
    await start('l11', 'another execution', at + 1, ['six']);
    expect(slept).toEqual([noticeMs]);
    expect(await work('l11', at + 2)).toBeUndefined();
    await expect(begin('l12', 'six', at + 3)).rejects.toMatchObject({ holder: 'l11' });
  });

  test('two workers of a run that take its leases at the same time both continue', async () => {
    await start('l13', 'l13', at, ['seven', 'eight']);
    const lateMs = at + 2 * leaseMs;
    const turns = ['netlife/a', 'netlife/b', 'iterable/push'];
    await Promise.all(turns.map((turn) => runs.enter(owner('l13'), turn, turn, lateMs)));
    for (const turn of turns)
      expect(await runs.recordProgress({ ...owner('l13'), turn }, turn, progress(1, lateMs))).toBe(lateMs + leaseMs);
    for (const lease of ['seven', 'eight'])
      await expect(begin('l14', lease, lateMs + leaseMs)).rejects.toMatchObject({ holder: 'l13' });
  });

  test('a refused run is recorded; a run that was started before keeps its record', async () => {
    const refused = (run_id: string, status: 'WAITING' | 'SKIPPED' | 'FAILED', startedAtMs: number) =>
      runs.refuse({ input: input(run_id), executionArn: 'new', startedAtMs, status, message: 'The run x is using y' });
    expect(await refused('l15', 'WAITING', at)).toBe(at);
    expect(await refused('l15', 'WAITING', at + 60_000)).toBe(at);
    expect(await runs.read('l15')).toMatchObject({ status: 'WAITING', message: 'The run x is using y' });
    await refused('l15', 'SKIPPED', at + 120_000);
    expect(await runs.read('l15')).toMatchObject({ status: 'SKIPPED', finished_at: '2026-11-22T00:02:00.000Z' });
    await start('l15', 'new', at + 180_000);
    expect(await runs.read('l15')).not.toHaveProperty('waiting_since');

    await begin('l16', 'nine');
    await done('l16', at + 1);
    await refused('l16', 'FAILED', at + 2);
    expect(await runs.read('l16')).toMatchObject({ status: 'SUCCEEDED', message: 'm' });
  });
});
