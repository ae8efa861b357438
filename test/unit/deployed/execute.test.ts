import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execute } from '../../deployed/execute';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'execute-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

test('resolves with the output of a command, and rejects with it if the command fails', async () => {
  await expect(execute('sh', ['-c', 'echo done'])).resolves.toBe('done\n');
  await expect(execute('sh', ['-c', 'echo why; exit 3'])).rejects.toThrow('why');
});

test('an aborted command rejects only after every process that it started has ended', async () => {
  const file = join(directory, 'grandchild');
  const slowToEnd = `trap 'sleep 0.3; echo ended >${file}; exit' TERM; echo started >${file}; while :; do sleep 0.1; done`;
  const controller = new AbortController();
  const running = execute('sh', ['-c', `(${slowToEnd}) & wait`], { signal: controller.signal }).catch(
    (error: unknown) => error,
  );
  while (!existsSync(file)) await sleep(10);
  controller.abort();
  expect(await running).toBe(controller.signal.reason);
  expect(readFileSync(file, 'utf8')).toBe('ended\n');
});
