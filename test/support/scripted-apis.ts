import { createInternalApiClient, type InternalApiCredential } from '../../shared/internal-api/client';
import { createQualiaClient, type QualiaCredential } from '../../shared/qualia/client';
import { freezeClock } from './clock';
import { startScriptedServer } from './scripted-server';
import { secretOf } from './secrets';

/** A scripted server with a frozen clock that advances only by waits, and the length of each wait. Runs until `stop`. */
const startApi = async () => {
  const server = await startScriptedServer();
  const clock = freezeClock();
  const waitsMs: number[] = [];
  const opened: string[] = [];
  const options = {
    now: clock.now,
    sleep: async (ms: number) => {
      waitsMs.push(ms);
      clock.advance(ms);
    },
    random: () => 0.5,
    onCircuitOpen: (api: string) => opened.push(api),
  };
  const stop = async (): Promise<void> => {
    jest.useRealTimers();
    await server.stop();
  };
  return { server, clock, waitsMs, opened, options, stop };
};

/** Qualia's client with a scripted server. */
export const startScriptedQualia = async ({
  credential = secretOf<QualiaCredential>({ username: 'us', password: 'pw' }),
} = {}) => {
  const { options, ...api } = await startApi();
  const client = createQualiaClient({ ...options, url: `${api.server.origin}/api/vendor/graphql?v=1`, credential });
  return { ...api, client };
};

/** The internal API's client with a scripted server. */
export const startScriptedInternalApi = async ({
  credential = secretOf<InternalApiCredential>({ token: 'tok-1' }),
} = {}) => {
  const { options, ...api } = await startApi();
  const client = createInternalApiClient({ ...options, url: `${api.server.origin}/v1/orders?source=q`, credential });
  return { ...api, client };
};
