import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { QualiaOrder } from '../../samples/orders';
import { sampleOrder } from '../../samples/orders';
import type { MixedDay } from '../sample/day';
import { loadSampleUsers } from '../sample/users';
import { startInternalApiSimulator } from '../simulators/internal-api';
import { startIterableSimulator } from '../simulators/iterable';
import { startNetlifeSimulator } from '../simulators/netlife';
import { startQualiaSimulator } from '../simulators/qualia';
import type { SentOrder } from '../simulators/qualia-webhook';
import { control } from './control';
import { readSecretsFile, type Secrets } from './secrets-file';

export interface SurroundingsOptions {
  readonly stateDirectory: string;
  /** The orders of the Qualia simulator. */
  readonly orders: readonly QualiaOrder[];
  /**
   * The faults of a day that is resumed. They are set before the embedded AWS starts, because it then processes
   * the messages that an earlier start left in its queues.
   */
  readonly faults?: MixedDay['faults'] | undefined;
  /** Called for each order that `POST /_control/new-order` of the Qualia simulator made. */
  readonly onNewOrder?: (sent: SentOrder) => void;
  /** A variable such as `QUALIA_API_URL` names a server to use instead of the simulator. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A running simulator and its control API. */
interface RunningSimulator {
  readonly url: string;
  readonly controlUrl: string;
  readonly stop: () => Promise<void>;
}

/** Everything that the pipeline uses besides AWS. */
export interface Surroundings {
  readonly secrets: Secrets;
  readonly secretsFile: string;
  /** Undefined where another server is used instead. */
  readonly simulators: Readonly<
    Record<'qualia' | 'internalApi' | 'netlife' | 'iterable', RunningSimulator | undefined>
  >;
  /** Environment variables of the Lambdas, with the addresses. */
  readonly variables: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
}

/** The portals that a run knows by default. */
const portals = [
  'nowandforeverphoto',
  'generationsphotos',
  'nowandgen',
  'legacyseniorphotos',
  'legacyphoto',
  'legacyphotos',
  'westpointportraits',
  'midshipmenportraits',
  'coastguardportraits',
];
/** The first portal is large enough to look at. The others give a run over all portals something to do. */
const largePortal = { jobs: 8, activitiesPerJob: 5, subjectsPerJob: 32 };
const smallPortal = { jobs: 2, activitiesPerJob: 1, subjectsPerJob: 8 };

/** Replaces the faults of the running simulators. */
export const setFaults = async (
  { qualia, internalApi }: Pick<Surroundings['simulators'], 'qualia' | 'internalApi'>,
  faults: MixedDay['faults'],
): Promise<void> => {
  if (qualia) await control(`${qualia.controlUrl}/faults`, 'PUT', faults.qualia);
  if (internalApi) await control(`${internalApi.controlUrl}/faults`, 'PUT', faults.internalApi);
};

/** Starts the simulators, and writes the secrets and the sample users into the state directory. */
export const startSurroundings = async (options: SurroundingsOptions): Promise<Surroundings> => {
  const { stateDirectory, environment } = options;
  mkdirSync(stateDirectory, { recursive: true });
  const secretsFile = path.join(stateDirectory, 'secrets.json');
  const secrets = readSecretsFile(secretsFile);

  const unless = (variable: string, start: () => Promise<RunningSimulator>) =>
    environment[variable] === undefined ? start() : Promise.resolve(undefined);
  const qualia = await unless('QUALIA_API_URL', () =>
    startQualiaSimulator({
      credentials: secrets.QualiaSecret,
      orders: options.orders,
      newOrders: {
        content: sampleOrder,
        stateFolder: stateDirectory,
        onSent: (sent) => options.onNewOrder?.(sent),
      },
    }),
  );
  const internalApi = await unless('INTERNAL_API_URL', () =>
    startInternalApiSimulator({ credentials: secrets.InternalApiSecret, stateFolder: stateDirectory }),
  );
  const netlife = await unless('NETLIFE_BASE_URL', async () => {
    const { baseUrl, ...rest } = await startNetlifeSimulator({
      credentials: secrets.NetlifeSecret,
      portals: portals.map((name, index) => ({ name, ...(index === 0 ? largePortal : smallPortal) })),
      rateLimitPerSecond: secrets.NetlifeSecret.rate_limit_per_sec,
    });
    return { ...rest, url: baseUrl };
  });
  const iterable = await unless('ITERABLE_API_BASE_URL', () =>
    startIterableSimulator({ credentials: secrets.IterableSecret }),
  );
  if (options.faults) await setFaults({ qualia, internalApi }, options.faults);
  const usersFile = path.join(stateDirectory, 'users.sqlite');
  if (environment.DATABASE_URL === undefined) loadSampleUsers(usersFile, Date.now());

  const simulators = { qualia, internalApi, netlife, iterable };
  const variables = {
    QUALIA_API_URL: environment.QUALIA_API_URL ?? qualia?.url,
    INTERNAL_API_URL: environment.INTERNAL_API_URL ?? internalApi?.url,
    NETLIFE_BASE_URL: environment.NETLIFE_BASE_URL ?? netlife?.url,
    ITERABLE_API_BASE_URL: environment.ITERABLE_API_BASE_URL ?? iterable?.url,
    DATABASE_URL: environment.DATABASE_URL ?? `sqlite:${usersFile}`,
  };
  return {
    secrets,
    secretsFile,
    simulators,
    variables: Object.fromEntries(
      Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    stop: async () => {
      await Promise.all(Object.values(simulators).map((simulator) => simulator?.stop()));
    },
  };
};
