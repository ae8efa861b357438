import { spawn } from 'node:child_process';
import path from 'node:path';
import { closed } from './process-group';

/** The project's root, where every command runs. */
export const root = path.join(__dirname, '../..');

export interface ExecuteOptions {
  /** Added to the environment of this process. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Ends the command, and all that it started. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a command to its end.
 *
 * @returns its standard output
 * @throws {Error} with all that it said, when it fails; the signal's reason, when it was ended
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
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    said += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const code = await closed(child, signal);
  if (code !== 0) throw new Error(`${[path.basename(command), ...args].join(' ')} failed:\n${said}`);
  return stdout;
};
