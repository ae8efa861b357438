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

test('gives what a command wrote, and fails with it', async () => {
  await expect(execute('sh', ['-c', 'echo done'])).resolves.toBe('done\n');
  await expect(execute('sh', ['-c', 'echo why; exit 3'])).rejects.toThrow('why');
});

test('when it is aborted, what the command started has ended before it rejects', async () => {
  const file = join(directory, 'grandchild');
  const slowToEnd = `trap 'sleep 0.3; echo ended >${file}; exit' TERM; echo started >${file}; while :; do sleep 0.1; done`;
  const ending = new AbortController();
  const running = execute('sh', ['-c', `(${slowToEnd}) & wait`], { signal: ending.signal }).catch(
    (error: unknown) => error,
  );
  while (!existsSync(file)) await sleep(10);
  ending.abort();
  expect(await running).toBe(ending.signal.reason);
  expect(readFileSync(file, 'utf8')).toBe('ended\n');
});
