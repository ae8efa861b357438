import { execFile } from 'node:child_process';
import path from 'node:path';
import type { Failure } from './fixture/failing-thread';

interface Ending {
  /** The exit code. */
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a process with one service thread until it ends by itself. */
const run = (failure: Failure) =>
  new Promise<Ending>((resolve) => {
    const program = path.join(__dirname, 'fixture/start-thread.ts');
    execFile(process.execPath, ['--import', 'tsx', program, failure], (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, stdout, stderr });
    });
  });

test.each<[Failure, string]>([
  ['damaged state', 'state error: x is damaged: it is empty. Delete it.\n'],
  ['full disk', 'full disk: The start failed\n'],
  ['early end', 'error: The thread fixture ended with 3\n'],
])('a thread that fails to start (%s) rejects the start with its error', async (failure, stdout) => {
  expect(await run(failure)).toEqual({ code: 0, stdout, stderr: '' });
});

test.each<[Failure, string]>([
  ['late failure', 'a failure of the thread'],
  ['late end', 'The thread fixture ended with 4'],
])('a thread that dies later (%s) ends the process with its error', async (failure, message) => {
  const { code, stdout, stderr } = await run(failure);
  expect({ code, stdout }).toEqual({ code: 1, stdout: `serves ${failure}\n` });
  expect(stderr).toContain(message);
});

test('nothing keeps the process alive after a thread is stopped', async () => {
  expect(await run('none')).toEqual({ code: 0, stdout: 'serves none\n', stderr: '' });
});
