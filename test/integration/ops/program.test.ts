import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { operate } from './operators';

describe('the command line', () => {
  it.each([
    [['--help'], ['orders', 'dlq', 'sync', '--stage <stage>', '--local', '--state <folder>', '--json']],
    [
      ['orders', 'replay', '--help'],
      ['--rate <count>', '--yes', '--stage <stage>', '(default)', '--from raw', '--force', 'Asks twice'],
    ],
    [
      ['mapping', 'try', '--help'],
      ['--file <file>', 'Sends nothing', 'names, addresses, phone numbers'],
    ],
    [
      ['mapping', 'diff', '--help'],
      ['--since <when>', '--out <file>', 'orders replay --from raw --ids'],
    ],
    [
      ['prove', '--help'],
      ['--since <when>', '--wait <seconds>', 'It checks every order', 'It cannot see', 'It changes nothing'],
    ],
    [['dlq', 'redrive', '--help'], ['download or processing']],
    [
      ['sync', 'start', '--help'],
      ['--input <file>', '--run-id <id>', '--dry-run', '--watch'],
    ],
  ])('%j documents the options and the exit codes', async (args, expected) => {
    const { exitCode, stdout, stderr } = await operate(args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    for (const part of [...expected, 'Exit codes:', '  2    wrong usage', '  130  aborted']) {
      expect(stdout).toContain(part);
    }
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it.each([
    [['--version'], 0],
    [[], 2],
    [['orders'], 2],
    [['order', 'get', 'QO-1'], 2],
    [['orders', 'get'], 2],
    [['orders', 'get', 'QO-1', 'QO-2'], 2],
    [['orders', 'list', '--sinc', '1h'], 2],
    [['orders', 'list', '--since'], 2],
  ])('%j exits %d', async (args, expected) => {
    expect((await operate(args)).exitCode).toBe(expected);
  });

  it('reports unknown words with a suggestion', async () => {
    const { stdout, stderr } = await operate(['orders', 'list', '--sinc', '1h', '--json']);
    expect(stderr).toBe("error: unknown option '--sinc'\n(Did you mean --since?)\n");
    expect(JSON.parse(stdout)).toEqual({ error: { kind: 'usage', message: expect.stringContaining("'--sinc'") } });
  });

  it('lists all faults in one error', async () => {
    const args = ['orders', 'list', '--stage', 'qa', '--status', 'DONE', '--since', 'soon', '--limit', '0', '--json'];
    const { exitCode, stdout, stderr } = await operate(args);
    expect(exitCode).toBe(2);
    for (const option of ['--stage "qa"', '--status "DONE"', '--since "soon"', '--limit "0"']) {
      expect(stderr).toContain(`\n  ${option}`);
    }
    expect(stderr.match(/error:/g)).toHaveLength(1);
    expect(JSON.parse(stdout).error.faults).toHaveLength(4);
  });
});

describe('the `pipeline` bin', () => {
  const pipeline = async (args: readonly string[], environment: Readonly<Record<string, string>> = {}) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'bin/pipeline.ts', ...args], {
      cwd: path.join(__dirname, '../../..'),
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    const [stdout, stderr, [exitCode]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ]);
    return { exitCode, stdout, stderr };
  };

  it('reports an error without a stack', async () => {
    expect(await pipeline(['orders', 'get', 'no/id'])).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: 'error: <id> "no/id" must be 1 to 128 letters, digits, "-" or "_".\n',
    });
  });

  it('exits 3 if the stage cannot be reached', async () => {
    const unreachable = {
      AWS_ENDPOINT_URL_CLOUDFORMATION: 'http://127.0.0.1:1',
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'operator',
      AWS_SECRET_ACCESS_KEY: 'secret',
    };
    const { exitCode, stdout, stderr } = await pipeline(['dlq', 'list', '--json'], unreachable);
    const message = 'AWS cannot be reached (ECONNREFUSED).';
    expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: `error: ${message}\n` });
    expect(JSON.parse(stdout)).toEqual({ error: { message, kind: 'unreachable' } });
  });
});
