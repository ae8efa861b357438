import type { NetlifeClient, NetlifeClientOptions } from '../../../../shared/netlife/client';
import { clientAt } from '../../../support/netlife';
import { type ScriptedResponse, type ScriptedServer, startScriptedServer } from '../../../support/scripted-server';

/** Starts a portal with scripted responses for each test of a file, and closes its clients afterwards. */
export const scriptedPortal = () => {
  let server: ScriptedServer;
  let clients: NetlifeClient[];
  let waits: number[];

  beforeEach(async () => {
    server = await startScriptedServer();
    clients = [];
    waits = [];
  });

  afterEach(async () => {
    expect(server.left()).toBe(0);
    await Promise.all(clients.map((client) => client.close()));
    await server.stop();
  });

  const connect = (options: Partial<NetlifeClientOptions>): NetlifeClient => {
    const client = clientAt(`${server.origin}/api/v1`, options);
    clients.push(client);
    return client;
  };

  return {
    respond: (...responses: readonly ScriptedResponse[]) => server.respond(...responses),
    calls: () => server.calls,
    origin: () => server.origin,
    /** Method and path below the portal's base path, such as `GET /jobs`. */
    paths: () => server.calls.map(({ method, path }) => `${method} ${path.replace('/api/v1', '')}`),
    waits: () => waits,
    connect,
    /** A client whose clock advances only by waiting, with maximum waits. */
    newClient: (options: Partial<NetlifeClientOptions> = {}): NetlifeClient => {
      let nowMs = 1_000_000;
      return connect({
        now: () => nowMs,
        sleep: async (ms) => {
          nowMs += ms;
          // The pace waits at most one millisecond for a slot.
          if (ms > 1) waits.push(ms);
        },
        random: () => 1,
        ...options,
      });
    },
  };
};
