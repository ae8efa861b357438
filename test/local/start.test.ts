import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { operate } from '../integration/ops/operators';
import { plainEnvironment, startCommand } from '../support/start-command';
import { eventually } from './fixture/start';

const stateDirectory = mkdtempSync(join(tmpdir(), 'start-'));
afterAll(() => rmSync(stateDirectory, { recursive: true, force: true }));

// The sync jobs are tested in test/e2e/sync.test.ts and privacy.test.ts, the web console in test/console.
const [program, ...args] = [...startCommand, '--no-syncs', '--no-console', '--state', stateDirectory] as const;

const startWith = (environment: Readonly<Record<string, string>>, ...options: string[]): ChildProcess =>
  spawn(program, [...args, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...plainEnvironment(), ...environment },
  });

const start = (...options: string[]): ChildProcess => startWith({}, ...options);

const linesOf = async (child: ChildProcess): Promise<string[]> => {
  const lines: string[] = [];
  if (child.stdout) for await (const line of createInterface({ input: child.stdout })) lines.push(line);
  return lines;
};

test('a start that is killed during its day loses no order', async () => {
  const killed = start('--orders', '200');
  if (killed.stdout === null) throw new Error('no output to watch');
  for await (const line of createInterface({ input: killed.stdout })) {
    if (line.startsWith('webhooks answered')) break;
  }
  killed.kill('SIGKILL');
  await once(killed, 'exit');

  const resumed = start('--once', '--json', '--orders', '0');
  const exit = once(resumed, 'exit');
  const summary = JSON.parse((await linesOf(resumed)).at(-1) ?? '');
  expect(await exit).toEqual([0, null]);
  expect(summary.orders).toEqual(summary.expected);
  expect(summary.orders.PROCESSED + summary.orders.FAILED).toBe(200);
});

describe('a start that keeps running', () => {
  let running: ChildProcess;
  const lines: string[] = [];
  beforeAll(async () => {
    running = start('--orders', '60');
    if (running.stdout === null) throw new Error('no output to watch');
    createInterface({ input: running.stdout }).on('line', (line) => lines.push(line));
    await printed('It stays up', 1);
  });
  afterAll(async () => {
    const exit = once(running, 'exit');
    running.kill('SIGINT');
    await exit;
  });

  const printed = (text: string, times: number) =>
    eventually(
      async () => lines.filter((line) => line.includes(text)).length,
      (count) => count >= times,
    );
  const read = (file: string) => JSON.parse(readFileSync(join(stateDirectory, file), 'utf8'));

  test('shows the way of a first order, with times and what was posted', () => {
    const shown = lines.slice(0, lines.indexOf('Send another new order')).join('\n');
    expect(shown).toMatch(/Qualia +posts to the webhook:\n +{"order_id":"QO-\d+","notification_type":"order.created"/);
    expect(shown).toMatch(/\d\.\d\d s {2}NOTIFIED .*\n.*\d\.\d\d s {2}DOWNLOADED +[\d,]+ bytes from Qualia/);
    expect(shown).toMatch(/\d\.\d\d s {2}PROCESSED +posted to the internal API\n +{"externalOrderId":"MKT-\d+"/);
  });

  test('prints a command that makes a new order each time, which is processed', async () => {
    const command = lines.find((line) => line.includes('curl -X POST')) ?? '';
    const make = () => JSON.parse(execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8', stdio: 'pipe' }));
    const made = [make(), make()];
    expect(made).toEqual(Array(2).fill(expect.objectContaining({ webhook: expect.objectContaining({ status: 200 }) })));
    const ids = made.map(({ order_id }) => order_id);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) {
      const closed = await eventually(
        () =>
          operate(['orders', 'get', id, '--local', '--json'], { localStateDirectory: stateDirectory, now: Date.now }),
        ({ stdout }) => JSON.parse(stdout).order.status === 'PROCESSED',
      );
      expect(closed.exitCode).toBe(0);
    }
    await printed('posted to the internal API', 3);
  });

  test('prove accounts for every order, reports a lost one, and confirms its repair by the reconciler', async () => {
    const { endpoints, outputs } = read('endpoints.json');
    const prove = async (...args: string[]) => {
      const { exitCode, stdout } = await operate(['prove', '--local', '--json', ...args], {
        localStateDirectory: stateDirectory,
        now: Date.now,
      });
      return { exitCode, ...JSON.parse(stdout) };
    };
    const proof = await prove();
    expect(proof).toMatchObject({ exitCode: 0, accounted_for: true, missing: 0, drifted: 0 });
    expect(proof.proven).toBeGreaterThan(20);

    const lost = [{ _id: 'QO-LOST-1', order_number: 'LOST-1', status: 'open', vertical: 'Title' }];
    await fetch(`${read('simulators.json').qualia}/orders`, { method: 'POST', body: JSON.stringify(lost) });
    expect(await prove('--wait', '0')).toMatchObject({
      exitCode: 1,
      unaccounted: [{ order_id: 'QO-LOST-1', reason: 'missing' }],
    });
    const reconciler = outputs['dev-OrderPipeline'].ReconcilerFunctionName;
    await fetch(`${endpoints.lambda}/2015-03-31/functions/${reconciler}/invocations`, { method: 'POST', body: '{}' });
    expect(await prove('--wait', '5')).toMatchObject({ exitCode: 0, missing: 0 });
    // Otherwise the next start could post it, to a server that counts orders.
    const getOrder = ['orders', 'get', 'QO-LOST-1', '--local', '--json'];
    await eventually(
      () => operate(getOrder, { localStateDirectory: stateDirectory, now: Date.now }),
      ({ stdout }) => ['PROCESSED', 'FAILED'].includes(JSON.parse(stdout).order.status),
    );
  });
});

test('an own server can replace a simulator, with the credentials of the secrets file', async () => {
  const tokens = new Set<string | undefined>();
  // A round that a newer one overtakes during its POST causes another POST, so this counts orders.
  const orderIds = new Set<unknown>();
  const server = createServer((request, response) => {
    tokens.add(request.headers.authorization);
    orderIds.add(String(request.headers['idempotency-key']).split(':')[0]);
    request.resume().on('end', () => response.writeHead(201).end('{}'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const url = `http://127.0.0.1:${port}/orders`;
  const replaced = startWith({ INTERNAL_API_URL: url }, '--once', '--json', '--orders', '20');
  const exit = once(replaced, 'exit');
  const summary = JSON.parse((await linesOf(replaced)).at(-1) ?? '');
  server.close();
  expect(await exit).toEqual([0, null]);
  const { InternalApiSecret } = JSON.parse(readFileSync(join(stateDirectory, 'secrets.json'), 'utf8'));
  // The first order is not part of the day.
  expect(orderIds.size).toBe(summary.orders.PROCESSED + 1);
  expect(tokens).toEqual(new Set([`Bearer ${InternalApiSecret.token}`]));
});

/** Waits for a line of the output with this beginning. */
const awaitLine = async ({ stdout }: ChildProcess, beginning: string): Promise<void> => {
  if (stdout === null) throw new Error('no output to watch');
  for await (const line of createInterface({ input: stdout })) if (line.startsWith(beginning)) return;
  throw new Error(`The process ended before a line began with ${beginning}`);
};

const errorsOf = async (child: ChildProcess): Promise<readonly [stderr: string, exitCode: unknown]> => {
  child.stdout?.resume();
  const exited = once(child, 'exit');
  const stderr = child.stderr === null ? '' : await text(child.stderr);
  return [stderr, (await exited)[0]];
};

test('a second start in the same folder is rejected with any options; a start after a kill is not', async () => {
  const first = start('--orders', '0');
  await awaitLine(first, 'The pipeline runs at');
  const files = () =>
    ['simulators.json', 'endpoints.json', 'secrets.json', 'ports.json', 'users.sqlite'].map((name) => {
      const { mtimeMs, size } = statSync(join(stateDirectory, name));
      return [name, mtimeMs, size];
    });
  const before = files();
  for (const options of [['--orders', '5'], ['--fresh']]) {
    expect(await errorsOf(start(...options))).toEqual([
      `Another npm start (process ${first.pid}) uses ${stateDirectory}: stop it first, or name another folder with --state.\n`,
      1,
    ]);
  }
  expect(files()).toEqual(before);

  first.kill('SIGKILL');
  await once(first, 'exit');
  expect(await errorsOf(start('--orders', '0', '--once'))).toEqual(['', 0]);
});

test('only the owner has access to the files in the state folder', () => {
  const modes = readdirSync(stateDirectory, { recursive: true, encoding: 'utf8' }).map((name) => {
    const status = statSync(join(stateDirectory, name));
    return [name, status.isDirectory(), (status.mode & 0o777).toString(8)];
  });
  expect(modes.length).toBeGreaterThan(20);
  expect(modes.filter(([, isDirectory, mode]) => mode !== (isDirectory ? '700' : '600'))).toEqual([]);
});

// A limit on the size of files imitates a full disk, see restart.test.ts.
test('a full disk is reported in one sentence, and the next start with free space finishes the day', async () => {
  const limited = ['-c', 'ulimit -f 2000 && exec "$@"', 'sh', program, ...args, '--orders', '300'];
  const full = spawn('/bin/sh', limited, { stdio: ['ignore', 'pipe', 'pipe'], env: plainEnvironment() });
  expect(await errorsOf(full)).toEqual([
    expect.stringMatching(
      /^The disk of \S+ is full \(.+\): free some space and start again, nothing that was acknowledged is lost\.\n$/,
    ),
    1,
  ]);

  const resumed = start('--once', '--json', '--orders', '0');
  const exit = once(resumed, 'exit');
  const summary = JSON.parse((await linesOf(resumed)).at(-1) ?? '');
  expect(await exit).toEqual([0, null]);
  expect(summary.orders).toEqual(summary.expected);
  expect(summary.orders.PROCESSED + summary.orders.FAILED).toBe(300);
});
