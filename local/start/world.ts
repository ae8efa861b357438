import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { recordCalls } from '../../emulator/call-recorder';
import { type EmbeddedAws, type LogLine, startEmbeddedAws } from '../../emulator/embedded-aws';
import { writeStateFile } from '../../emulator/state-files';
import { control } from './control';
import type { Secrets } from './secrets-file';
import { type Surroundings, type SurroundingsOptions, startSurroundings } from './surroundings';

export interface WorldOptions extends SurroundingsOptions {
  readonly assemblyDirectory: string;
  readonly onLog?: (line: LogLine) => void;
  /** Writes the functions' calls to `calls.ndjson` in the state directory, see {@link recordCalls}. */
  readonly recordCalls?: boolean;
}

/** The pipeline on this machine, with everything that it calls. */
export interface World extends Readonly<Surroundings['simulators']> {
  readonly aws: EmbeddedAws;
  readonly secrets: Secrets;
  readonly secretsFile: string;
  readonly stop: () => Promise<void>;
}

/**
 * Starts the simulators and the embedded AWS. Their addresses are in `simulators.json` and `endpoints.json` in the
 * state directory, for other processes.
 */
export const startWorld = async (options: WorldOptions): Promise<World> => {
  const { assemblyDirectory, stateDirectory, onLog } = options;
  const { secrets, secretsFile, simulators, variables, stop } = await startSurroundings(options);

  const simulatorsFile = path.join(stateDirectory, 'simulators.json');
  const controlUrls = Object.fromEntries(
    Object.entries(simulators).map(([name, simulator]) => [name, simulator?.controlUrl]),
  );
  writeStateFile(simulatorsFile, `${JSON.stringify(controlUrls, undefined, 2)}\n`);

  const aws = await startEmbeddedAws({
    assemblyDirectory,
    stateDirectory,
    secretsFile,
    environmentOverrides: variables,
    // More processes than cores would only delay each other's start.
    maxConcurrency: Math.max(2, availableParallelism()),
    firesRates: true,
    ...(onLog && { onLog }),
    ...(options.recordCalls && { intercept: recordCalls(path.join(stateDirectory, 'calls.ndjson')) }),
  });

  const [login] = secrets.WebhookSecret.basic;
  if (simulators.qualia && login) {
    await control(`${simulators.qualia.controlUrl}/webhook`, 'PUT', { url: `${aws.apiUrl}/webhooks/qualia`, ...login });
  }

  return {
    aws,
    secrets,
    secretsFile,
    ...simulators,
    stop: async () => {
      rmSync(simulatorsFile, { force: true });
      await aws.stop();
      await stop();
    },
  };
};
