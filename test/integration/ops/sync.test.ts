import { setTimeout as wait } from 'node:timers/promises';
import { nowMs, startStage, type TestStage } from './operators';
import { portal, simulateLambdas } from './sync-lambdas';

let stage: TestStage;
beforeEach(async () => {
  stage = await startStage();
});
afterEach(() => stage.stop());

const lambdas = (runId: string, executionName?: string) => simulateLambdas(stage, runId, executionName);

/** Waits for an execution with this name. */
const waitForExecution = async (name: string): Promise<void> => {
  for (const deadlineMs = Date.now() + 120_000; stage.workflows.find(name) === undefined; await wait(20)) {
    if (Date.now() > deadlineMs) throw new Error(`No execution ${name}`);
  }
};

describe('--watch', () => {
  it('shows the progress of each counter, and ends with the report', async () => {
    const operating = stage.operate(['sync', 'start', '--run-id', 'mine', '--watch']);
    await waitForExecution('mine');
    const run = lambdas('mine');
    await run.plan();
    await run.progress(`netlife/${portal}`, 8, 8);
    await run.progress('iterable/push', 4, 5);
    await run.finish('SUCCEEDED');
    const { exitCode, stdout, stderr } = await operating;
    expect(exitCode).toBe(0);
    expect(stderr).toContain('Started the sync run mine in dev on this machine.\n');
    expect(stderr).toMatch(/^netlife\/nowandforeverphoto {2}100% {2}8 of 8 +done$/m);
    expect(stderr).toMatch(/^iterable\/push +80% {2}4 of 5 {2}2\.0\/s {2}1s left$/m);
    expect(stdout).toMatch(/^status +SUCCEEDED$/m);
    expect(stdout).toMatch(/^duration +1m 20s$/m);
    expect(stdout).toMatch(
      /^netlife\/nowandforeverphoto +SUCCEEDED +1m 23s +nowandforeverphoto: 256\n +contacts of 8 jobs$/m,
    );
    expect(stdout).toMatch(/^iterable +SUCCEEDED +5 of 5 users sent$/m);
    expect(stdout).toContain('netlife/nowandforeverphoto: contacts written 256\niterable: total users 5\n');
    expect(stdout).toContain(`Reports in s3://${stage.artifactsBucketName}/runs/mine/:\n  summary.json\n`);
    expect(stdout).toMatch(/\n\nFINAL STATS - of the portal\n$/);
  });

  it('exits 1 if the run fails, and lists what failed', async () => {
    stage.workflows.start('mine');
    const run = lambdas('mine');
    await run.plan();
    const summary = await run.finish('FAILED');
    const { exitCode, stdout } = await stage.operate(['sync', 'watch', 'mine', '--json']);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      stage: 'dev',
      run_id: 'mine',
      status: 'FAILED',
      started_at: '2026-01-31T12:00:00.000Z',
      finished_at: '2026-01-31T12:01:20.000Z',
      execution: { arn: stage.workflows.arnOf('mine'), error: 'RunFailed' },
      input: { netlife: { portals: [portal] } },
      summary,
      reports: [`s3://${stage.artifactsBucketName}/runs/mine/summary.json`, expect.stringContaining('/stats.txt')],
      final_stats: { [portal]: 'FINAL STATS - of the portal\n' },
    });
    const { stdout: short } = await stage.operate(['sync', 'get', 'mine']);
    expect(short).toContain('mine  FAILED  took 1m 20s, ended');
    expect(short).toContain('netlife/nowandforeverphoto: Netlife answered 500\n');
    const { stdout: shown } = await stage.operate(['sync', 'get', 'mine', '--full']);
    expect(shown).toContain('Failed jobs of netlife/nowandforeverphoto:\n  job-7  Netlife answered 500\n');
    expect(shown).toContain(
      `echo '{"netlife":{"portals":["${portal}"],"job_ids":["job-7"]}}' | pipeline sync start --input /dev/stdin\n`,
    );
  });

  it('reports why an execution ended before its run started', async () => {
    const operating = stage.operate(['sync', 'start', '--run-id', 'mine', '--watch']);
    await waitForExecution('mine');
    const cause = JSON.stringify({ errorType: 'InvalidInput', errorMessage: 'another\ninput', trace: [] });
    stage.workflows.end('mine', 'FAILED', { error: 'InvalidInput', cause });
    const { exitCode, stdout, stderr } = await operating;
    expect(exitCode).toBe(1);
    expect(stderr).toContain('\nplanning\n');
    expect(stdout).toMatch(/^error +InvalidInput\ncause +another input$/m);
  });

  it('follows the execution that it started, not an earlier one of the same run', async () => {
    stage.workflows.start('from-the-console');
    const earlier = lambdas('mine', 'from-the-console');
    await earlier.plan();
    await earlier.finish('FAILED');
    const operating = stage.operate(['sync', 'start', '--run-id', 'mine', '--watch', '--json']);
    await waitForExecution('mine');
    await wait(300);
    const run = lambdas('mine');
    await run.plan();
    await run.finish('SUCCEEDED', nowMs + 1_000);
    const { exitCode, stdout } = await operating;
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'SUCCEEDED',
      execution: { arn: stage.workflows.arnOf('mine') },
    });
  });

  it('does not stop the run at Ctrl-C', async () => {
    stage.workflows.start('mine');
    await lambdas('mine').plan();
    const { exitCode, stdout } = await stage.operate(['sync', 'watch', 'mine'], { interruptAfterMs: 200 });
    expect({ exitCode, stdout }).toEqual({
      exitCode: 130,
      stdout: 'The run continues; "sync watch mine" follows it.\n',
    });
    expect(stage.workflows.find('mine')).toMatchObject({ status: 'RUNNING' });
  });
});

describe('sync get', () => {
  it('shows the progress of a run', async () => {
    stage.workflows.start('mine');
    const run = lambdas('mine');
    await run.plan(nowMs - 60_000);
    await run.progress(`netlife/${portal}`, 3, 8);
    const { exitCode, stdout } = await stage.operate(['sync', 'get', 'mine']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^status +RUNNING\nstarted +2026-01-31T11:59:00.000Z \(1m ago\)\nduration +1m 00s$/m);
    expect(stdout).toMatch(/^netlife\/nowandforeverphoto {2}37% {2}3 of 8 {2}2\.0\/s {2}3s left$/m);
    expect(stdout).toMatch(/^iterable\/push +waiting$/m);
  });

  it('shows the status of an execution whose end no Lambda recorded', async () => {
    stage.workflows.start('mine');
    await lambdas('mine').plan();
    stage.workflows.end('mine', 'TIMED_OUT', { error: 'States.Timeout' });
    const { stdout } = await stage.operate(['sync', 'get', 'mine', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'TIMED_OUT', summary: null, reports: [] });
  });

  it.each([['get'], ['watch'], ['stop'], ['redrive']])('%s exits 1 when there is no such run', async (verb) => {
    const { exitCode, stderr } = await stage.operate(['sync', verb, 'nobody']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: 'error: There is no sync run nobody in dev.\n' });
  });
});

describe('sync list', () => {
  it('lists runs, newest first, and executions that started no run', async () => {
    stage.workflows.start('scheduled');
    await lambdas('nightly', 'scheduled').plan(nowMs - 7_200_000);
    stage.workflows.start('stopped');
    await lambdas('stopped').plan(nowMs - 3_600_000);
    stage.workflows.end('stopped', 'ABORTED');
    const done = lambdas('done');
    stage.workflows.start('done');
    await done.plan(nowMs - 1_800_000);
    await done.finish('SUCCEEDED', nowMs - 1_740_000);
    stage.workflows.start('refused');
    stage.workflows.end('refused', 'FAILED', { error: 'InvalidInput' });

    const { exitCode, stdout } = await stage.operate(['sync', 'list', '--json']);
    expect(exitCode).toBe(0);
    const { total, runs } = JSON.parse(stdout);
    expect(total).toBe(4);
    expect(runs.map(({ run_id, status }: Record<string, string>) => [run_id, status])).toEqual([
      ['refused', 'FAILED'],
      ['done', 'SUCCEEDED'],
      ['stopped', 'STOPPED'],
      ['nightly', 'RUNNING'],
    ]);
    const table = (await stage.operate(['sync', 'list', '--limit', '2'])).stdout;
    expect(table).toMatch(/^RUN +STATUS +STARTED +DURATION +JOBS$/m);
    expect(table).toMatch(/^done +SUCCEEDED +30m ago +1m 00s +netlife iterable\n {2}netlife iterable$/m);
    expect(table).not.toContain('nightly');
  });

  it('reports that there are none', async () => {
    const { stdout } = await stage.operate(['sync', 'list']);
    expect(stdout).toBe('There are no sync runs in dev on this machine.\n');
  });
});

describe('sync stop', () => {
  beforeEach(async () => {
    stage.workflows.start('mine');
    await lambdas('mine').plan();
  });

  it('stops the execution, and marks the item for its Lambdas', async () => {
    const { exitCode, stdout, stderr } = await stage.operate(['sync', 'stop', 'mine'], { answer: 'y\n' });
    expect(exitCode).toBe(0);
    expect(stderr).toContain('Stop the sync run mine in dev on this machine? [y/N]');
    expect(stdout).toContain('Stopped the sync run mine.');
    expect(stage.workflows.find('mine')).toMatchObject({ status: 'ABORTED', cause: 'Stopped by an operator' });
    expect(await stage.runs.read('mine')).toMatchObject({ status: 'STOPPED' });
    expect(await lambdas('mine').progress('iterable/push', 1, 2)).toBeUndefined();
  });

  it('marks the item if the execution was stopped elsewhere', async () => {
    stage.workflows.end('mine', 'ABORTED');
    const { exitCode, stdout } = await stage.operate(['sync', 'stop', 'mine', '--yes', '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ stage: 'dev', run_id: 'mine', status_before: 'STOPPED', stopped: true });
    expect(await stage.runs.read('mine')).toMatchObject({ status: 'STOPPED' });
  });

  it('stops nothing unless the operator confirms', async () => {
    const { exitCode, stdout } = await stage.operate(['sync', 'stop', 'mine']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 130, stdout: 'The sync run mine was not changed.\n' });
    expect(stage.workflows.find('mine')).toMatchObject({ status: 'RUNNING' });
  });

  it('does nothing if the run has ended', async () => {
    await lambdas('mine').finish('SUCCEEDED');
    const { exitCode, stdout } = await stage.operate(['sync', 'stop', 'mine']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'Nothing to do: the sync run mine is SUCCEEDED.\n' });
  });
});

describe('sync redrive', () => {
  beforeEach(async () => {
    stage.workflows.start('scheduled');
    await lambdas('mine', 'scheduled').plan();
  });

  it('redrives the execution that failed', async () => {
    await lambdas('mine', 'scheduled').finish('FAILED');
    const { exitCode, stdout, stderr } = await stage.operate(['sync', 'redrive', 'mine'], { answer: 'y\n' });
    expect(exitCode).toBe(0);
    expect(stderr).toContain('Redrive the sync run mine in dev on this machine?');
    expect(stdout).toBe('Redrove the sync run mine; "sync watch mine" follows it.\n');
    expect(stage.workflows.find('scheduled')).toMatchObject({ status: 'RUNNING', redriveCount: 1 });
    // Until the first Lambda starts, the item still shows the previous end.
    const { stdout: document } = await stage.operate(['sync', 'get', 'mine', '--json']);
    expect(JSON.parse(document)).toMatchObject({ status: 'RUNNING', finished_at: null, summary: null });
  });

  it('does nothing unless the operator confirms', async () => {
    await lambdas('mine', 'scheduled').finish('FAILED');
    expect((await stage.operate(['sync', 'redrive', 'mine'])).exitCode).toBe(130);
    expect(stage.workflows.find('scheduled')).toMatchObject({ status: 'FAILED' });
  });

  it('does nothing while the run is running', async () => {
    const { exitCode, stdout } = await stage.operate(['sync', 'redrive', 'mine', '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ status_before: 'RUNNING', redriven: false });
  });
});
