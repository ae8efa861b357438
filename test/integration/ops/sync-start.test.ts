import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { queryResultsCsv } from '../../../shared/iterable/report';
import { toSourceRow } from '../../../shared/iterable/rows';
import { hoursAgo, operate, startStage, type TestStage } from './operators';
import { portal } from './sync-lambdas';

let stage: TestStage;
beforeEach(async () => {
  stage = await startStage();
});
afterEach(() => stage.stop());

const writeInput = (name: string, content: unknown): string => {
  const file = join(stage.localStateDirectory, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
};

describe('sync start', () => {
  it("starts an execution with the run's ID as its name, and adds no defaults", async () => {
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

  it('warns of another run of the job that is in progress', async () => {
    const { executionArn } = stage.workflows.start('nightly-1', { netlife: {} });
    const input = { run_id: 'nightly-1', netlife: {} };
    await stage.runs.start({ input, executionArn, startedAtMs: hoursAgo(0.2), leases: [] });
    const netlife = await stage.operate(['sync', 'start', 'netlife', '--run-id', 'second']);
    expect(netlife).toMatchObject({
      exitCode: 0,
      stderr:
        'Warning: run nightly-1 of netlife has been in progress for 12m 00s: where both use the same limit, this one ' +
        'fails; --wait waits.\n',
    });
    stage.workflows.end('second', 'SUCCEEDED');
    const iterable = await stage.operate(['sync', 'start', 'iterable', '--run-id', 'third', '--wait']);
    expect(iterable).toMatchObject({ exitCode: 0, stderr: '' });
    stage.workflows.end('nightly-1', 'SUCCEEDED');
    stage.workflows.end('third', 'SUCCEEDED');
    expect(await stage.operate(['sync', 'start', 'netlife', '--run-id', 'fourth'])).toMatchObject({ stderr: '' });
  });

  const both = { run_id: 'nightly', dry_run: false, netlife: { audience: 'buyers' }, iterable: { days: 3 } };

  it.each([
    ['the unchanged file', [], both],
    ['one of its jobs', ['netlife'], { run_id: 'nightly', dry_run: false, netlife: { audience: 'buyers' } }],
    ['options that override it', ['--run-id', 'mine', '--dry-run'], { ...both, run_id: 'mine', dry_run: true }],
  ])('takes its input from a file: %s', async (_case, args, expected) => {
    const { exitCode } = await stage.operate(['sync', 'start', ...args, '--input', writeInput('run.json', both)]);
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

  describe('--rows', () => {
    const rows = queryResultsCsv.header + queryResultsCsv.line(toSourceRow(() => '1'));
    const start = (csv: string, ...args: string[]) =>
      stage.operate(['sync', 'start', '--run-id', 'mine', '--rows', writeInput('fixed.csv', csv), ...args]);

    it('stores the rows in the folder of the run, and starts only the job that sends them', async () => {
      const input = { netlife: {}, iterable: { mode: 'single' } };
      expect(await start(rows, '--input', writeInput('run.json', input))).toMatchObject({ exitCode: 0 });
      expect(JSON.parse(stage.workflows.find('mine')?.input ?? '')).toEqual({
        run_id: 'mine',
        iterable: { mode: 'single', source: 'rows' },
      });
      expect(await stage.openFolder('mine').readText('iterable/rows.csv')).toBe(rows);
    });

    it('does not replace the rows of another run', async () => {
      await stage.openFolder('mine').putOnce('iterable/rows.csv', 'those of another run');
      const { exitCode, stderr } = await start(rows);
      expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining('has rows already') });
      expect(stage.workflows.list()).toEqual([]);
    });

    it.each([
      ['other columns', 'id\n1\n', [], 'the column email is missing'],
      ['no rows', queryResultsCsv.header, [], 'has no rows'],
      ['the other job', rows, ['netlife'], '--rows needs the job iterable'],
    ])('refuses %s before it stores anything', async (_case, csv, args, expected) => {
      const { exitCode, stderr } = await start(csv, ...args);
      expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(expected) });
      expect(await stage.openFolder('mine').readText('iterable/rows.csv')).toBeUndefined();
    });
  });

  it('starts nothing and lists every fault if the input is invalid', async () => {
    const file = writeInput('run.json', {
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
    ['does not exist', undefined, 'cannot be read (ENOENT)'],
    ['is not JSON', '{', 'is not JSON'],
    ['is not an object', '[]', 'the input must be a JSON object'],
  ])('exits 2 when the file %s', async (_case, content, expected) => {
    const file = content === undefined ? 'nowhere.json' : writeInput('run.json', content);
    const { exitCode, stderr } = await stage.operate(['sync', 'start', '--input', file]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(expected) });
  });

  it("accepts an extra portal of the stage's configuration", async () => {
    const { outputs } = stage;
    stage.announce({
      outputs: { ...outputs, 'dev-SyncJobs': { ...outputs['dev-SyncJobs'], NetlifeExtraPortals: 'newportal, other' } },
    });
    const file = writeInput('run.json', { netlife: { portals: ['newportal'] } });
    expect((await stage.operate(['sync', 'start', '--input', file])).exitCode).toBe(0);
  });

  it('does not start a run twice', async () => {
    stage.workflows.start('nightly');
    stage.workflows.end('nightly', 'FAILED');
    const { exitCode, stderr } = await stage.operate(['sync', 'start', '--run-id', 'nightly']);
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      'error: The sync run nightly already exists: use "sync redrive nightly" to resume it if it failed, ' +
        'or another --run-id to start a new run.\n',
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
