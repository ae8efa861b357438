import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { startCommand } from '../../support/start-command';
import { outputsSchema, simulatorsSchema, type Target } from './target';

/** The pipeline on an embedded AWS, in its own process. */
export interface EmbeddedTarget {
  readonly target: Target;
  /** Where `calls.ndjson` is, see `emulator/call-recorder.ts`. */
  readonly stateDirectory: string;
  /** Stops the process and removes its state. */
  stop(): Promise<void>;
}

const endpointsSchema = z.object({
  apiUrl: z.string(),
  endpoints: z.record(z.string(), z.string()),
  outputs: z.record(z.string(), z.record(z.string(), z.unknown())),
});

/** Starts the pipeline on the embedded AWS, without a day of webhooks. */
export const startEmbeddedTarget = async (): Promise<EmbeddedTarget> => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'e2e-'));
  const [program, ...args] = startCommand;
  const child = spawn(
    program,
    [...args, '--no-console', '--orders', '0', '--state', stateDirectory, '--record-calls'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('It stays up')) resolve();
    });
    child.once('exit', () => reject(new Error('The embedded AWS did not start')));
  });

  const read = (file: string): unknown => JSON.parse(readFileSync(join(stateDirectory, file), 'utf8'));
  const { apiUrl, endpoints, outputs } = endpointsSchema.parse(read('endpoints.json'));
  return {
    target: {
      apiUrl,
      endpoints,
      outputs: outputsSchema.parse(Object.assign({}, ...Object.values(outputs))),
      simulators: simulatorsSchema.parse(read('simulators.json')),
    },
    stateDirectory,
    async stop() {
      if (child.exitCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        await exited;
      }
      rmSync(stateDirectory, { recursive: true, force: true });
    },
  };
};
