import { type System, startSystem } from './system';

let system: System;
beforeAll(async () => {
  system = await startSystem({});
});
afterAll(() => system.stop());

const portal = 'nowandforeverphoto';
const skipped = { skipped: true };

describe('PlanRun', () => {
  test('an empty input runs both jobs with the defaults, under the name of the execution', async () => {
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

  test('the same run again keeps its start; with another input it is refused', async () => {
    const input = { run_id: 'again', iterable: { limit: 5 } };
    const first = await system.plan(input, { Id: 'arn:execution:b', Name: 'b' });
    const second = await system.plan(input, { Id: 'arn:execution:c', Name: 'c' });
    expect(second).toEqual({ ...first, execution_arn: 'arn:execution:c' });
    await expect(system.plan({ run_id: 'again', iterable: { limit: 6 } })).rejects.toMatchObject({
      name: 'InvalidInput',
      message: expect.stringContaining('run_id is that of a run with another input: runs/again/input.json'),
    });
  });

  test('a wrong input is refused before anything is written', async () => {
    await expect(system.plan({ run_id: 'wrong', iterable: { use_jwt: true } })).rejects.toMatchObject({
      name: 'InvalidInput',
    });
    expect(await system.runs.read('wrong')).toBeUndefined();
    expect([...(await system.folder('wrong').list(''))]).toEqual([]);
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

  test('a run whose jobs succeeded', async () => {
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

  test('an execution that started under the previous release lists its outcomes by position', async () => {
    const run = await planned('older');
    expect(await system.finish(run, [skipped, succeeded])).toMatchObject({ status: 'SUCCEEDED' });
    expect(await summaryOf('older')).toMatchObject({ status: 'SUCCEEDED', iterable: succeeded });
  });

  test('if one job failed, the execution fails, and its cause has both outcomes', async () => {
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

  test('if collecting and merging failed, the fault of the collecting comes first', async () => {
    const run = await planned('both');
    const collected = lambdaError('The portal refused our login (401)');
    const portals = [{ portal, collected, error: lambdaError('A part cannot be read') }];
    await expect(system.finish(run, { netlife: { portals }, iterable: skipped })).rejects.toMatchObject({
      message: `netlife FAILED: ${portal}: The portal refused our login (401); ${portal}: A part cannot be read`,
    });
  });

  test('if sending and reporting failed, the fault of the sending comes first', async () => {
    const run = await planned('unreported');
    const failed = { ...run, fault: lambdaError('Iterable refused the key with 401'), error: lambdaError('No part') };
    await expect(system.finish(run, { netlife: skipped, iterable: failed })).rejects.toMatchObject({
      message: 'iterable FAILED: Iterable refused the key with 401; No part',
    });
  });

  test('a whole branch failed with an error that is not of a Lambda', async () => {
    const run = await planned('branch');
    await expect(
      system.finish(run, { netlife: { error: { Error: 'States.Timeout', Cause: '' } }, iterable: skipped }),
    ).rejects.toMatchObject({
      message: 'netlife FAILED: States.Timeout',
    });
  });

  test('redriven after a failure, it sends the run through its jobs again', async () => {
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
    if (again === 'died' || !('run_id' in again)) throw new Error('It has no plan');
    const plan = { ...run, redrive_count: 1 };
    await expect(
      system.finish(
        plan,
        { netlife: skipped, iterable: failed },
        { Id: 'arn:execution:one', Name: 'one', RedriveCount: 1 },
      ),
    ).rejects.toMatchObject({ name: 'RunFailed' });
  });

  test('an execution whose run was taken over does not close it', async () => {
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
