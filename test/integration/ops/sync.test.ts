import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createPortals } from '../../../shared/netlife/portals';
import { readRunInput } from '../../../shared/runs/input';
import { nowMs, operate, startStage, type TestStage } from './operators';

let stage: TestStage;
beforeEach(async () => {
  stage = await startStage();
});
afterEach(() => stage.stop());

const portal = 'nowandforeverphoto';
const written = (name: string, content: unknown): string => {
  const file = join(stage.localStateDirectory, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
};

/** Plays the Lambdas of a run. */
const lambdas = (runId: string, executionName = runId) => {
  const owner = { run_id: runId, execution_arn: stage.workflows.arnOf(executionName) };
  const folder = stage.openFolder(runId);
  return {
    plan: (startedAtMs = nowMs) =>
      stage.runs.start({
        input: readRunInput({ netlife: { portals: [portal] }, iterable: {} }, runId, createPortals()),
        executionArn: owner.execution_arn,
        startedAtMs,
      }),
    progress: (part: string, done: number, total: number) =>
      stage.runs.recordProgress(owner, part, {
        counter: { done, total, rate_per_second: 2 },
        message: `${part}: ${done} of ${total}`,
        atMs: nowMs,
      }),
    finish: async (status: 'SUCCEEDED' | 'FAILED', finishedAtMs = nowMs + 80_000) => {
      const reports = ['summary.json', `netlife/${portal}/stats.txt`].map(folder.keyOf);
      await folder.put(`netlife/${portal}/stats.txt`, 'FINAL STATS - of the portal\n');
      const summary = {
        finished_at: new Date(finishedAtMs).toISOString(),
        netlife: {
          status,
          message: 'what became of the portals',
          portals: [
            {
              portal,
              status,
              message: `${portal}: 256 contacts of 8 jobs`,
              statistics: { contacts_written: 256, jobs_failed: 0, duration_seconds: 83, errors: [] },
              failed_jobs: status === 'FAILED' ? [{ job_uuid: 'job-7', error: 'Netlife answered 500' }] : [],
            },
          ],
        },
        iterable: { status: 'SUCCEEDED', message: '5 of 5 users sent', counts: { total_users: 5 } },
      };
      await folder.put('summary.json', JSON.stringify(summary));
      await stage.runs.finish(owner, { status, message: 'netlife\niterable', reports, finishedAtMs });
      stage.workflows.end(executionName, status, status === 'FAILED' ? { error: 'RunFailed', cause: 'netlife' } : {});
      return summary;
    },
  };
};

/** Waits until there is an execution of this name. */
const begun = async (name: string): Promise<void> => {
  for (const deadlineMs = Date.now() + 10_000; stage.workflows.find(name) === undefined; await wait(20)) {
    if (Date.now() > deadlineMs) throw new Error(`No execution ${name}`);
  }
};

describe('sync start', () => {
  it('starts an execution of the name of the run, and leaves the defaults to it', async () => {
    const { exitCode, stdout } = await stage.operate(['sync', 'start', '--json']);
    expect(exitCode).toBe(0);
    const document = JSON.parse(stdout);
    expect(document).toEqual({
      stage: 'dev',
      run_id: expect.stringMatching(/^manual-20260131_120000-[0-9a-f]{4}$/),
      status: 'RUNNING',
      execution_arn: stage.workflows.arnOf(document.run_id),
      input: { run_id: document.run_id },
    });
    expect(JSON.parse(stage.workflows.find(document.run_id)?.input ?? '')).toEqual({ run_id: document.run_id });
  });

  const both = { run_id: 'nightly', dry_run: false, netlife: { audience: 'buyers' }, iterable: { days: 3 } };

  it.each([
    ['the file as it is', [], both],
    ['one job of it', ['netlife'], { run_id: 'nightly', dry_run: false, netlife: { audience: 'buyers' } }],
    ['options over it', ['--run-id', 'mine', '--dry-run'], { ...both, run_id: 'mine', dry_run: true }],
  ])('takes its input from a file: %s', async (_case, args, expected) => {
    const { exitCode } = await stage.operate(['sync', 'start', ...args, '--input', written('run.json', both)]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stage.workflows.find(expected.run_id)?.input ?? '')).toEqual(expected);
  });

  it('starts a job that the file does not name', async () => {
    const { stdout } = await stage.operate(['sync', 'start', 'iterable', '--run-id', 'mine', '--dry-run']);
    expect(stdout).toBe('Started the sync run mine in dev on this machine; "sync watch mine" follows it.\n');
    expect(JSON.parse(stage.workflows.find('mine')?.input ?? '')).toEqual({
      run_id: 'mine',
      dry_run: true,
      iterable: {},
    });
  });

  it('starts nothing, and names every fault, when the input is wrong', async () => {
    const file = written('run.json', {
      run_id: 'night ly',
      netlife: { portals: [portal, 'evil.example'] },
      iterable: { mode: 'bulk', use_jwt: true, days: 0, color: 'red' },
      extra: 1,
    });
    const { exitCode, stdout, stderr } = await stage.operate(['sync', 'start', 'netlife', '--input', file, '--json']);
    expect(exitCode).toBe(2);
    const { faults } = JSON.parse(stdout).error;
    for (const named of ['run_id', 'netlife.portals.1', 'iterable.days', '"color"', '"extra"', 'iterable.use_jwt']) {
      expect(faults).toContainEqual(expect.stringMatching(new RegExp(`^--input ${file}: .*${named}`)));
      expect(stderr).toContain(named);
    }
    expect(stage.workflows.list()).toEqual([]);
  });

  it.each([
    ['is not there', undefined, 'cannot be read (ENOENT)'],
    ['is not JSON', '{', 'is not JSON'],
    ['is not an object', '[]', 'the input must be a JSON object'],
  ])('exits 2 when the file %s', async (_case, content, expected) => {
    const file = content === undefined ? 'nowhere.json' : written('run.json', content);
    const { exitCode, stderr } = await stage.operate(['sync', 'start', '--input', file]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(expected) });
  });

  it('takes a portal that the stage knows by its configuration', async () => {
    const { outputs } = stage;
    stage.announce({
      outputs: { ...outputs, 'dev-SyncJobs': { ...outputs['dev-SyncJobs'], NetlifeExtraPortals: 'newportal, other' } },
    });
    const file = written('run.json', { netlife: { portals: ['newportal'] } });
    expect((await stage.operate(['sync', 'start', '--input', file])).exitCode).toBe(0);
  });

  it('does not start a run twice', async () => {
    stage.workflows.start('nightly');
    stage.workflows.end('nightly', 'FAILED');
    const { exitCode, stderr } = await stage.operate(['sync', 'start', '--run-id', 'nightly']);
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      'error: There is a sync run nightly already: "sync redrive nightly" goes on where it stopped; ' +
        'another --run-id starts anew.\n',
    );
  });

  it.each([
    [['sync', 'start', 'both'], '<job> "both" must be netlife or iterable'],
    [['sync', 'start', '--run-id', 'a b'], '--run-id "a b" must be 1 to 80 letters'],
    [['sync', 'list', '--limit', '0'], '--limit "0" must be a whole number'],
    [['sync', 'get', 'a/b'], '<run> "a/b" must be 1 to 80 letters'],
  ])('%j is refused', async (args, expected) => {
    const { exitCode, stderr } = await operate(args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(expected) });
  });
});

describe('--watch', () => {
  it('shows how far each part is, and ends with the report', async () => {
    const operating = stage.operate(['sync', 'start', '--run-id', 'mine', '--watch']);
    await begun('mine');
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
      /^netlife\/nowandforeverphoto +SUCCEEDED +1m 23s +nowandforeverphoto: 256 contacts of 8 jobs$/m,
    );
    expect(stdout).toMatch(/^iterable +SUCCEEDED +5 of 5 users sent$/m);
    expect(stdout).toContain('netlife/nowandforeverphoto: contacts written 256\niterable: total users 5\n');
    expect(stdout).toContain(`Reports in s3://${stage.artifactsBucketName}/runs/mine/:\n  summary.json\n`);
    expect(stdout).toMatch(/\n\nFINAL STATS - of the portal\n$/);
  });

  it('exits 1 when the run fails, and names what failed', async () => {
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
    expect((await stage.operate(['sync', 'get', 'mine'])).stdout).toContain(
      'Failed jobs of netlife/nowandforeverphoto:\n  job-7  Netlife answered 500\n',
    );
  });

  it('says why a run ended before it began', async () => {
    const operating = stage.operate(['sync', 'start', '--run-id', 'mine', '--watch']);
    await begun('mine');
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
    await begun('mine');
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

  it('leaves the run alone at Ctrl-C', async () => {
    stage.workflows.start('mine');
    await lambdas('mine').plan();
    const { exitCode, stdout } = await stage.operate(['sync', 'watch', 'mine'], { interruptAfterMs: 200 });
    expect({ exitCode, stdout }).toEqual({
      exitCode: 130,
      stdout: 'The run goes on without you; "sync watch mine" follows it.\n',
    });
    expect(stage.workflows.find('mine')).toMatchObject({ status: 'RUNNING' });
  });
});

describe('sync get', () => {
  it('shows how far a run is', async () => {
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

  it('knows of an end that no Lambda heard of', async () => {
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
  it('lists runs, newest first, and executions that began none', async () => {
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
    expect(table).toMatch(/^RUN +STATUS +STARTED +DURATION +JOBS +NEWEST$/m);
    expect(table).toMatch(
      /^done +SUCCEEDED +2026-01-31T11:30:00.000Z \(30m ago\) +1m 00s +netlife iterable +netlife iterable$/m,
    );
    expect(table).not.toContain('nightly');
  });

  it('says that there is none', async () => {
    const { stdout } = await stage.operate(['sync', 'list']);
    expect(stdout).toBe('There is no sync run in dev on this machine.\n');
  });
});

describe('sync stop', () => {
  beforeEach(async () => {
    stage.workflows.start('mine');
    await lambdas('mine').plan();
  });

  it('stops the execution, and tells the workers', async () => {
    const { exitCode, stdout, stderr } = await stage.operate(['sync', 'stop', 'mine'], { answer: 'y\n' });
    expect(exitCode).toBe(0);
    expect(stderr).toContain('Stop the sync run mine in dev on this machine? [y/N]');
    expect(stdout).toContain('Stopped the sync run mine.');
    expect(stage.workflows.find('mine')).toMatchObject({ status: 'ABORTED', cause: 'Stopped by an operator' });
    expect(await stage.runs.read('mine')).toMatchObject({ status: 'STOPPED' });
    expect(await lambdas('mine').progress('iterable/push', 1, 2)).toBe(false);
  });

  it('tells the workers of an execution that was stopped elsewhere', async () => {
    stage.workflows.end('mine', 'ABORTED');
    const { exitCode, stdout } = await stage.operate(['sync', 'stop', 'mine', '--yes', '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ stage: 'dev', run_id: 'mine', status_before: 'STOPPED', stopped: true });
    expect(await stage.runs.read('mine')).toMatchObject({ status: 'STOPPED' });
  });

  it('stops nothing unless the operator agrees', async () => {
    const { exitCode, stdout } = await stage.operate(['sync', 'stop', 'mine']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 130, stdout: 'The sync run mine was left as it is.\n' });
    expect(stage.workflows.find('mine')).toMatchObject({ status: 'RUNNING' });
  });

  it('has nothing to do when the run has ended', async () => {
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
    // Before its first worker begins, the item still tells of the end before.
    const { stdout: document } = await stage.operate(['sync', 'get', 'mine', '--json']);
    expect(JSON.parse(document)).toMatchObject({ status: 'RUNNING', finished_at: null, summary: null });
  });

  it('leaves it unless the operator agrees', async () => {
    await lambdas('mine', 'scheduled').finish('FAILED');
    expect((await stage.operate(['sync', 'redrive', 'mine'])).exitCode).toBe(130);
    expect(stage.workflows.find('scheduled')).toMatchObject({ status: 'FAILED' });
  });

  it('has nothing to do while it runs', async () => {
    const { exitCode, stdout } = await stage.operate(['sync', 'redrive', 'mine', '--json']);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ status_before: 'RUNNING', redriven: false });
  });
});
