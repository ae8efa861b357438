import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type EmbeddedAws, type LogLine, startEmbeddedAws } from '../aws/embedded-aws';
import { startInternalApiSimulator } from '../simulators/internal-api';
import { type QualiaOrder, startQualiaSimulator } from '../simulators/qualia';
import { readSecretsFile, type Secrets } from './secrets-file';

export interface WorldOptions {
  readonly assemblyDirectory: string;
  readonly stateDirectory: string;
  /** What the Qualia simulator holds. */
  readonly orders: readonly QualiaOrder[];
  /** `QUALIA_API_URL` and the like: a variable that is set takes the place of its simulator. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onLog?: (line: LogLine) => void;
}

/** A simulator that runs, and its control API. */
interface RunningSimulator {
  readonly url: string;
  readonly controlUrl: string;
  readonly stop: () => Promise<void>;
}

/** The pipeline on this machine, with all that it talks to. */
export interface World {
  readonly aws: EmbeddedAws;
  readonly secrets: Secrets;
  readonly secretsFile: string;
  /** Absent where another server takes its place. */
  readonly qualia: RunningSimulator | undefined;
  readonly internalApi: RunningSimulator | undefined;
  readonly stop: () => Promise<void>;
}

/**
 * Starts the simulators and the embedded AWS. Where they are stands in `simulators.json` and `endpoints.json` of the
 * state directory, for other processes.
 */
export const startWorld = async (options: WorldOptions): Promise<World> => {
  const { stateDirectory, environment } = options;
  mkdirSync(stateDirectory, { recursive: true });
  const secretsFile = path.join(stateDirectory, 'secrets.json');
  const secrets = readSecretsFile(secretsFile);

  const unless = (variable: string, start: () => Promise<RunningSimulator>) =>
    environment[variable] === undefined ? start() : Promise.resolve(undefined);
  const qualia = await unless('QUALIA_API_URL', () =>
    startQualiaSimulator({ credentials: secrets.QualiaSecret, orders: options.orders }),
  );
  const internalApi = await unless('INTERNAL_API_URL', () =>
    startInternalApiSimulator({ credentials: secrets.InternalApiSecret, stateFolder: stateDirectory }),
  );

  const simulatorsFile = path.join(stateDirectory, 'simulators.json');
  const controlUrls = { qualia: qualia?.controlUrl, internalApi: internalApi?.controlUrl };
  writeFileSync(simulatorsFile, `${JSON.stringify(controlUrls, undefined, 2)}\n`);

  const urls = {
    QUALIA_API_URL: environment.QUALIA_API_URL ?? qualia?.url,
    INTERNAL_API_URL: environment.INTERNAL_API_URL ?? internalApi?.url,
  };
  const aws = await startEmbeddedAws({
    assemblyDirectory: options.assemblyDirectory,
    stateDirectory,
    secretsFile,
    environmentOverrides: Object.fromEntries(
      Object.entries(urls).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    ...(options.onLog && { onLog: options.onLog }),
  });

  return {
    aws,
    secrets,
    secretsFile,
    qualia,
    internalApi,
    stop: async () => {
      rmSync(simulatorsFile, { force: true });
      await aws.stop();
      await Promise.all([qualia?.stop(), internalApi?.stop()]);
    },
  };
};
