import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

test('a short storm: every acknowledged order is processed, none is lost or doubled', async () => {
  const main = join(__dirname, '../chaos/main.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', main, '--orders', '200', '--seed', '7', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  const { ledger, webhooks, disturbances } = JSON.parse(stdout || `"${stderr}"`);
  expect({ exitCode, ledger }).toEqual({
    exitCode: 0,
    ledger: {
      acknowledged: 200,
      processed: 200,
      failed: 0,
      in_dlq: 0,
      lost: 0,
      stale: 0,
      doubled: 0,
      unannounced: 0,
      messages_left: 0,
      balanced: true,
    },
  });
  expect(webhooks).toMatchObject({ unexpected: 0 });
  expect(Math.min(...Object.values<number>(disturbances))).toBeGreaterThanOrEqual(1);
});
