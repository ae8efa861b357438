import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const stateDirectory = mkdtempSync(join(tmpdir(), 'start-'));
afterAll(() => rmSync(stateDirectory, { recursive: true, force: true }));

const startWith = (environment: Readonly<Record<string, string>>, ...options: string[]): ChildProcess =>
  spawn(
    process.execPath,
    ['--import', 'tsx', join(__dirname, '../../../local/start/main.ts'), '--state', stateDirectory, ...options],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } },
  );

const start = (...options: string[]): ChildProcess => startWith({}, ...options);

const linesOf = async (child: ChildProcess): Promise<string[]> => {
  const lines: string[] = [];
  if (child.stdout) for await (const line of createInterface({ input: child.stdout })) lines.push(line);
  return lines;
};

test('a start that is killed in the middle of its day loses no order', async () => {
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
}, 90_000);

test("a server of one's own takes a simulator's place, with the credentials of the secrets file", async () => {
  const tokens = new Set<string | undefined>();
  // A round that is overtaken during its POST is posted again, so orders are counted.
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
  expect(orderIds.size).toBe(summary.orders.PROCESSED);
  expect(tokens).toEqual(new Set([`Bearer ${InternalApiSecret.token}`]));
}, 90_000);
