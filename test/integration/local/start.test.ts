import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const stateDirectory = mkdtempSync(join(tmpdir(), 'start-'));
afterAll(() => rmSync(stateDirectory, { recursive: true, force: true }));

const start = (...options: string[]): ChildProcess =>
  spawn(
    process.execPath,
    ['--import', 'tsx', join(__dirname, '../../../local/start/main.ts'), '--state', stateDirectory, ...options],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );

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
