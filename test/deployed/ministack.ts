import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execute } from './execute';
import { signalGroup } from './process-group';

/** A running emulator. */
export interface Emulator {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly stop: () => Promise<void>;
}

const startTimeoutMs = 120_000;

/**
 * Installs MiniStack into `.venv/` unless it is installed already, and starts it on a free port of 127.0.0.1.
 *
 * @param stateDirectory folder for its state and its log
 * @throws {Error} with its log if it does not start
 */
export const startMiniStack = async (stateDirectory: string): Promise<Emulator> => {
  const commands = (await execute('.ci/venv', ['ministack'])).trim();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  mkdirSync(stateDirectory, { recursive: true });
  const logFile = path.join(stateDirectory, 'ministack.log');
  const log = openSync(logFile, 'a');
  const child = spawn(path.join(commands, 'ministack'), {
    // Its own process group: a Ctrl-C does not end it before the stacks are deleted, and its Lambdas can be ended with it.
    detached: true,
    stdio: ['ignore', log, log],
    env: {
      ...process.env,
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      MINISTACK_HOST: '127.0.0.1',
      S3_DATA_DIR: path.join(stateDirectory, 's3'),
      STATE_DIR: path.join(stateDirectory, 'state'),
      // MiniStack unpacks the bundles here.
      TMPDIR: stateDirectory,
    },
  });
  const exited = once(child, 'exit');
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill();
    const killTimer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await exited;
    clearTimeout(killTimer);
    // MiniStack does not end the processes of its Lambdas.
    signalGroup(child.pid, 'SIGKILL');
  };

  const deadlineMs = Date.now() + startTimeoutMs;
  while (!(await isHealthy(`${url}/_ministack/health`))) {
    if (child.exitCode !== null || Date.now() > deadlineMs) {
      await stop();
      throw new Error(`MiniStack did not start:\n${readFileSync(logFile, 'utf8')}`);
    }
    await sleep(100);
  }
  return { url, stop };
};

const isHealthy = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
};
