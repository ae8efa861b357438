import { readdirSync } from 'node:fs';
import type { Server } from 'node:http';
import path from 'node:path';
import dynalite from 'dynalite';
import dynaliteStore from 'dynalite/db';
import { type LoopbackServer, listenOnLoopback } from '../loopback-server';
import { notServed } from '../not-served';
import { checkStore } from './check-store';
import { readOnThisThread } from './direct-reads';
import { cacheParsedExpressions } from './parsed-expressions';
import { writeOneAtATime } from './write-order';

/**
 * Serves DynamoDB from a LevelDB store in `directory`.
 * @throws {StateError} if another process has the store open, or it is damaged
 */
export const serveTables = async (directory: string, preferredPort?: number): Promise<LoopbackServer> => {
  await checkStore(directory);
  cacheParsedExpressions();
  const server = createServer(directory);
  // Dynalite throws when a client disconnects during a request, for example a function that is killed at its timeout.
  server.on('request', (request) => {
    request.removeAllListeners('error');
    request.on('error', () => undefined);
  });
  refuseUnserved(server);
  return listenOnLoopback(server, preferredPort);
};

const openStore = dynaliteStore.create;

/** Dynalite opens its store internally. Replacing `create` gives access to the store. */
const createServer = (directory: string): Server => {
  dynaliteStore.create = (options) => {
    const store = openStore(options);
    writeOneAtATime(store.db);
    readOnThisThread(store.db);
    return store;
  };
  try {
    return dynalite({ path: directory, createTableMs: 0 });
  } finally {
    dynaliteStore.create = openStore;
  }
};

/** Rejects unknown actions with a message. Dynalite's own response has none. */
const refuseUnserved = (server: Server): void => {
  const served = readdirSync(path.join(path.dirname(require.resolve('dynalite')), 'actions')).map((file) =>
    file.replace(/\.js$/, '').toLowerCase(),
  );
  const listeners = server.listeners('request');
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const target = request.headers['x-amz-target']?.toString();
    const [service, action = ''] = target?.split('.') ?? [];
    if (target === undefined || (service === 'DynamoDB_20120810' && served.includes(action.toLowerCase()))) {
      for (const listener of listeners) {
        Reflect.apply(listener, server, [request, response]);
      }
      return;
    }
    request.resume();
    response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' }).end(
      JSON.stringify({
        __type: 'com.amazon.coral.service#UnknownOperationException',
        message: notServed(service === 'DynamoDB_20120810' ? action : target, 'DynamoDB'),
      }),
    );
  });
};
