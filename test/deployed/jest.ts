import { spawn } from 'node:child_process';
import path from 'node:path';
import { root } from './execute';
import { closed } from './process-group';

/**
 * Runs a layer of the tests that jest.config.js names, against the target that was announced.
 *
 * @param args for jest
 * @param signal ends it, and what its tests have started
 * @returns its exit code
 */
export const runJest = async (layer: string, args: readonly string[], signal?: AbortSignal): Promise<number> => {
  const child = spawn(process.execPath, [path.join(root, 'node_modules/jest/bin/jest.js'), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, TEST_LAYER: layer },
    detached: signal !== undefined,
  });
  return closed(child, signal);
};
