import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { createAccess } from './access';
import { createApp } from './app';
import type { Console } from './console';
import { bundlePages } from './pages';
import { createTasks } from './tasks';

const loopback = '127.0.0.1';

/** A console that listens. */
export interface RunningConsole {
  /** The address to open, once. */
  readonly signInUrl: string;
  readonly stop: () => Promise<void>;
}

/**
 * Starts the console on this machine.
 *
 * @param port 0: a free one
 */
export const startConsole = async (options: Omit<Console, 'tasks'>, port: number): Promise<RunningConsole> => {
  const files = await bundlePages();
  const tasks = createTasks(options.now);
  const console: Console = { ...options, tasks };
  const server = createServer();
  server.listen(port, loopback);
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  const access = createAccess(`${loopback}:${address.port}`);
  server.on('request', getRequestListener(createApp(console, access, files).fetch));
  return {
    signInUrl: access.signInUrl,
    stop: async () => {
      tasks.stopAll();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
};
