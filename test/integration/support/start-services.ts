import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

declare global {
  var integrationServices: ChildProcess | undefined;
}

/** Starts the embedded AWS for all test files. They read its endpoints from the environment. */
export default async (): Promise<void> => {
  const child = spawn(process.execPath, ['--import', 'tsx', join(__dirname, 'services.ts')], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  globalThis.integrationServices = child;
  const [endpoints] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error('The embedded AWS did not start');
    }),
  ]);
  process.env.INTEGRATION_ENDPOINTS = JSON.stringify(endpoints);
};
