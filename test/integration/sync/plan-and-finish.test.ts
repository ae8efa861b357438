import { type System, startSystem } from './system';

let system: System;
beforeAll(async () => {
  system = await startSystem({});
});
afterAll(() => system.stop());

const portal = 'nowandforeverphoto';
const skipped = { skipped: true };

describe('PlanRun', () => {
  test('an empty input plans both jobs with the defaults, and the run gets the name of the execution', async () => {
    const plan = await system.plan({}, { Id: 'arn:execution:a', Name: 'nightly-2026-11-22' });
    expect(plan).toMatchObject({
      run_id: 'nightly-2026-11-22',
      dry_run: false,
      execution_arn: 'arn:execution:a',
      redrive_count: 0,
      netlife: { portals: expect.arrayContaining([portal]), consent: 'SUBSCRIBE' },
      iterable: { mode: 'bulk', days: 7 },
    });
    expect(JSON.parse((await system.folder('nightly-2026-11-22').readText('input.json')) ?? '')).toEqual({
      run_id: 'nightly-2026-11-22',
      dry_run: false,
      netlife: plan.netlife,
      iterable: plan.iterable,
    });
    expect(await system.runs.read('nightly-2026-11-22')).toMatchObject({
      status: 'RUNNING',
      started_at: plan.started_at,
      counters: {},
    });
  });

  test('a run that is planned again keeps its start; another input is rejected', async () => {
    const input = { run_id: 'again', iterable: { limit: 5 } };
    const first = await system.plan(input, { Id: 'arn:execution:b', Name: 'b' });
    const second = await system.plan(input, { Id: 'arn:execution:c', Name: 'c' });
    expect(second).toEqual({ ...first, execution_arn: 'arn:execution:c' });
    await expect(system.plan({ run_id: 'again', iterable: { limit: 6 } })).rejects.toMatchObject({
      name: 'InvalidInput',
      message: expect.stringContaining('run_id is that of a run with another input: runs/again/input.json'),
    });
  });

  test('an input that an earlier release stored, without keys that are new since, is the same', async () => {
    const stored = { run_id: 'before', iterable: { mode: 'bulk', limit: 5, confirm: 0 } };
    await system.folder('before').putOnce('input.json', JSON.stringify(stored));
    expect(await system.plan({ run_id: 'before', iterable: { limit: 5 } })).toMatchObject({ run_id: 'before' });
    await expect(system.plan({ run_id: 'before', iterable: { limit: 5, only_changed: true } })).rejects.toMatchObject({
      name: 'InvalidInput',
    });
  });

  test.each(['', '{}', '{"run_id":"unreadable","iterable":{"mode":"fax"}}'])(
    'a stored input that cannot be read is another one: %j',
    async (text) => {
      const folder = system.folder('unreadable');
      await folder.put('input.json', text);
      await expect(system.plan({ run_id: 'unreadable', iterable: {} })).rejects.toMatchObject({ name: 'InvalidInput' });
    },
  );

  test('an invalid input is rejected before anything is written', async () => {
    await expect(system.plan({ run_id: 'wrong', iterable: { use_jwt: true } })).rejects.toMatchObject({
      name: 'InvalidInput',
    });
    expect(await system.runs.read('wrong')).toBeUndefined();
    expect([...(await system.folder('wrong').list(''))]).toEqual([]);
  });
});

describe('PlanRun, while another run uses a portal', () => {
  const holder = { run_id: 'holder', netlife: { portals: [portal] } };
  const execution = (Name: string) => ({ Id: `arn:execution:${Name}`, Name });
  const input = (after?: string) => ({ netlife: { portals: [portal, 'nowandgen'] }, ...(after && { after }) });
  beforeAll(() => system.plan(holder, execution('holder')));

  test('the execution fails with the name of the other run', async () => {
    await expect(system.tryPlan(input(), execution('refused'))).rejects.toMatchObject({
      name: 'AlreadyRunning',
      message: `The run holder is using netlife/${portal}`,
    });
    expect(await system.runs.read('refused')).toMatchObject({ status: 'FAILED', finished_at: expect.any(String) });
  });

  test('a run of other portals, and of Iterable, is not affected', async () => {
    await expect(
      system.tryPlan({ netlife: { portals: ['legacyphoto'] } }, execution('other-portal')),
    ).resolves.toMatchObject({ run_id: 'other-portal' });
  });

  test('a scheduled run is skipped', async () => {
    expect(await system.tryPlan(input('skip'), execution('nightly'))).toEqual({
      skipped: true,
      run_id: 'nightly',
      message: `The run holder is using netlife/${portal}`,
    });
    expect(await system.runs.read('nightly')).toMatchObject({ status: 'SKIPPED' });
  });

  test('a run that waits is planned again with its own input, until the other run has ended', async () => {
    const given = input('wait');
    expect(await system.tryPlan(given, execution('patient'))).toEqual({ waiting: { seconds: 60, input: given } });
    expect(await system.runs.read('patient')).toMatchObject({ status: 'WAITING' });
    const end = { status: 'SUCCEEDED', message: 'm', reports: [], finishedAtMs: Date.now() } as const;
    await system.runs.finish({ run_id: 'holder', execution_arn: 'arn:execution:holder' }, end);
    expect(await system.tryPlan(given, execution('patient'))).toMatchObject({
      run_id: 'patient',
      started_at: expect.any(String),
    });
    await system.runs.finish({ run_id: 'patient', execution_arn: 'arn:execution:patient' }, end);
  });

  test('a run waits for at most six hours', async () => {
    await system.plan({ ...holder, run_id: 'long' }, execution('long'));
    expect(await system.tryPlan(input('wait'), execution('tired'))).toHaveProperty('waiting');
    const later = () => Date.now() + 6 * 3_600_000;
    await system.runs.recordProgress({ run_id: 'long', execution_arn: 'arn:execution:long' }, 'netlife/a', {
      counter: { done: 0 },
      message: 'm',
      atMs: later(),
    });
    await expect(system.tryPlan(input('wait'), execution('tired'), { clock: later })).rejects.toMatchObject({
      name: 'AlreadyRunning',
    });
    expect(await system.runs.read('tired')).toMatchObject({ status: 'FAILED' });
  });
});

describe('FinishRun', () => {
  const planned = (run_id: string) => system.plan({ run_id, iterable: {} });
  const succeeded = {
    status: 'SUCCEEDED',
    message: '5 of 5 users sent',
    reports: ['runs/x/iterable/failed.csv'],
    counts: {},
    duration_seconds: 1,
  };
  const lambdaError = (message: string) => ({
    Error: 'PipelineError',
    Cause: JSON.stringify({ errorType: 'PipelineError', errorMessage: message, trace: ['at secret'] }),
  });
  const summaryOf = async (run_id: string) =>
    JSON.parse((await system.folder(run_id).readText('summary.json')) ?? 'null');

  test('a run whose jobs succeeded is SUCCEEDED, with a summary', async () => {
    const run = await planned('good');
    expect(await system.finish(run, { netlife: skipped, iterable: succeeded })).toMatchObject({
      status: 'SUCCEEDED',
      again: false,
    });
    expect(await summaryOf('good')).toMatchObject({
      status: 'SUCCEEDED',
      iterable: succeeded,
      reports: ['runs/good/input.json', 'runs/good/summary.json', 'runs/x/iterable/failed.csv'],
    });
    expect(await summaryOf('good')).not.toHaveProperty('netlife');
    expect(await system.runs.read('good')).toMatchObject({
      status: 'SUCCEEDED',
      message: 'iterable SUCCEEDED: 5 of 5 users sent',
      finished_at: expect.any(String),
    });
  });

  test('accepts outcomes by position, from an execution that the previous release started', async () => {
    const run = await planned('older');
    expect(await system.finish(run, [skipped, succeeded])).toMatchObject({ status: 'SUCCEEDED' });
    expect(await summaryOf('older')).toMatchObject({ status: 'SUCCEEDED', iterable: succeeded });
  });

  describe('a run whose result is not complete is PARTIAL', () => {
    const partial = { ...succeeded, status: 'PARTIAL', message: '4 of 5 users sent, 1 failed' };

    test('its execution succeeds, and a metric reports it', async () => {
      const run = await planned('partial');
      expect(await system.finish(run, { netlife: skipped, iterable: partial })).toMatchObject({ status: 'PARTIAL' });
      expect(await summaryOf('partial')).toMatchObject({ status: 'PARTIAL', iterable: { status: 'PARTIAL' } });
      expect(await system.runs.read('partial')).toMatchObject({
        status: 'PARTIAL',
        message: 'iterable PARTIAL: 4 of 5 users sent, 1 failed',
      });
      expect(system.metrics.values.get('SyncRunPartial')).toBe(1);
    });

    test('a job that failed is worse', async () => {
      const run = await planned('worse');
      const failed = { error: lambdaError('Iterable refused the key with 401') };
      const portals = [{ portal, status: 'PARTIAL', message: '1 of 8 jobs failed', reports: [] }];
      await system.folder('worse').put(`netlife/${portal}/stats.json`, '{}');
      await expect(system.finish(run, { netlife: { portals }, iterable: failed })).rejects.toMatchObject({
        name: 'RunFailed',
      });
      expect(await summaryOf('worse')).toMatchObject({ status: 'FAILED', netlife: { status: 'PARTIAL' } });
    });

    test('on a stage that treats PARTIAL as a failure, its execution fails, and a redrive runs the jobs again', async () => {
      const strict = await startSystem({ failPartial: true });
      const run = await strict.plan({ run_id: 'strict', iterable: {} });
      const outcomes = { netlife: skipped, iterable: partial };
      await expect(strict.finish(run, outcomes)).rejects.toMatchObject({ name: 'RunFailed' });
      expect(await strict.runs.read('strict')).toMatchObject({ status: 'PARTIAL' });
      const redriven = { Id: 'arn:execution:one', Name: 'one', RedriveCount: 1 };
      expect(await strict.finish(run, outcomes, redriven)).toMatchObject({ again: true });
      strict.stop();
    });
  });

  test('if one job failed, the execution fails, and its cause contains both outcomes', async () => {
    const run = await planned('half');
    const portals = [{ portal, collected: { done: true }, error: lambdaError('The portal refused our login (401)') }];
    await expect(system.finish(run, { netlife: { portals }, iterable: succeeded })).rejects.toMatchObject({
      name: 'RunFailed',
      message: `netlife FAILED: ${portal}: The portal refused our login (401)\niterable SUCCEEDED: 5 of 5 users sent`,
    });
    expect(await summaryOf('half')).toMatchObject({
      status: 'FAILED',
      netlife: { portals: [{ portal, status: 'FAILED', failed_jobs: [], statistics: { jobs_processed: 0 } }] },
    });
    expect(await system.runs.read('half')).toMatchObject({ status: 'FAILED' });
  });

  test('if collection and merge failed, the error of the collection comes first', async () => {
    const run = await planned('both');
    const collected = lambdaError('The portal refused our login (401)');
    const portals = [{ portal, collected, error: lambdaError('A part cannot be read') }];
    await expect(system.finish(run, { netlife: { portals }, iterable: skipped })).rejects.toMatchObject({
      message: `netlife FAILED: ${portal}: The portal refused our login (401); ${portal}: A part cannot be read`,
    });
  });

  test('if push and report failed, the error of the push comes first', async () => {
    const run = await planned('unreported');
    const failed = { ...run, fault: lambdaError('Iterable refused the key with 401'), error: lambdaError('No part') };
    await expect(system.finish(run, { netlife: skipped, iterable: failed })).rejects.toMatchObject({
      message: 'iterable FAILED: Iterable refused the key with 401; No part',
    });
  });

  test('reports a branch that failed with an error of Step Functions', async () => {
    const run = await planned('branch');
    await expect(
      system.finish(run, { netlife: { error: { Error: 'States.Timeout', Cause: '' } }, iterable: skipped }),
    ).rejects.toMatchObject({
      message: 'netlife FAILED: States.Timeout',
    });
  });

  test('after a redrive of a failed run, it starts the jobs again', async () => {
    const run = await planned('redriven');
    const failed = { error: lambdaError('Iterable refused the key with 401') };
    await expect(system.finish(run, { netlife: skipped, iterable: failed })).rejects.toMatchObject({
      name: 'RunFailed',
    });
    const again = await system.finish(
      run,
      { netlife: skipped, iterable: failed },
      {
        Id: 'arn:execution:one',
        Name: 'one',
        RedriveCount: 1,
      },
    );
    expect(again).toEqual({ ...run, redrive_count: 1, again: true });
    if (again === 'crashed' || !('run_id' in again)) throw new Error('The result contains no plan');
    const plan = { ...run, redrive_count: 1 };
    await expect(
      system.finish(
        plan,
        { netlife: skipped, iterable: failed },
        { Id: 'arn:execution:one', Name: 'one', RedriveCount: 1 },
      ),
    ).rejects.toMatchObject({ name: 'RunFailed' });
  });

  test('an execution whose run was taken over does not finish it', async () => {
    const run = await planned('lost');
    await system.plan({ run_id: 'lost', iterable: {} }, { Id: 'arn:execution:other', Name: 'other' });
    await system.folder('lost').put('summary.json', '"of the other"');
    await expect(system.finish(run, { netlife: skipped, iterable: succeeded })).rejects.toMatchObject({
      code: 'RUN_TAKEN_OVER',
    });
    const failed = { error: lambdaError('Iterable refused the key with 401') };
    await expect(system.finish(run, { netlife: skipped, iterable: failed })).rejects.toMatchObject({
      name: 'RunFailed',
    });
    expect(await summaryOf('lost')).toBe('of the other');
    expect(await system.runs.read('lost')).toMatchObject({ status: 'RUNNING', execution_arn: 'arn:execution:other' });
  });
});
