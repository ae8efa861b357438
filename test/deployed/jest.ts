import { spawn } from 'node:child_process';
import path from 'node:path';
import { root } from './execute';
import { waitForClose } from './process-group';

/**
 * Runs a layer of jest.config.js against the published target.
 *
 * @param args options of jest
 * @param signal ends jest and every process that its tests started
 * @returns the exit code of jest
 */
export const runJest = async (layer: string, args: readonly string[], signal?: AbortSignal): Promise<number> => {
  const child = spawn(process.execPath, [path.join(root, 'node_modules/jest/bin/jest.js'), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, TEST_LAYER: layer },
    detached: signal !== undefined,
  });
  return waitForClose(child, signal);
};
