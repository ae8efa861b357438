import { spawn } from 'node:child_process';
import path from 'node:path';
import { waitForClose } from './process-group';

/** The project's root: the working directory of every command. */
export const root = path.join(__dirname, '../..');

export interface ExecuteOptions {
  /** Variables in addition to the environment of this process. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Ends the command and every process that it started. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a command and waits for its end.
 *
 * @returns its standard output
 * @throws {Error} with its whole output if it fails; the signal's reason if it was aborted
 */
export const execute = async (command: string, args: readonly string[], options: ExecuteOptions = {}) => {
  const { environment, signal } = options;
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: signal !== undefined,
  });
  let stdout = '';
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const code = await waitForClose(child, signal);
  if (code !== 0) throw new Error(`${[path.basename(command), ...args].join(' ')} failed:\n${output}`);
  return stdout;
};
