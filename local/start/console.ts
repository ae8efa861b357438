import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** The web console, in its own process. */
export interface LocalConsole {
  /** The address to open. It works once. */
  readonly url: string;
  readonly stop: () => Promise<void>;
}

const command = path.join(__dirname, '../../bin/pipeline.ts');

/** Starts the web console of this pipeline. @returns undefined if it did not start; it has printed why */
export const startConsole = async (stateDirectory: string): Promise<LocalConsole | undefined> => {
  const args = ['--import', 'tsx', command, 'console', '--state', stateDirectory, '--write'];
  // It ends when the channel closes, also if this process is killed.
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const exited = once(child, 'exit');
  const firstLine = child.stdout ? once(createInterface({ input: child.stdout }), 'line') : exited;
  const [line] = await Promise.race([firstLine, exited]);
  const url = /http:\S+/.exec(String(line))?.[0];
  if (url === undefined) return undefined;
  return {
    url,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
};
