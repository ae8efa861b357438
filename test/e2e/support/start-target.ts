import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as z from 'zod';
import { announceTarget, outputsSchema, simulatorsSchema } from './target';

declare global {
  var e2eTarget: { process: ChildProcess; stateDirectory: string } | undefined;
}

const endpointsSchema = z.object({
  apiUrl: z.string(),
  endpoints: z.record(z.string(), z.string()),
  outputs: z.record(z.string(), z.record(z.string(), z.unknown())),
});

/** Starts the pipeline on the embedded AWS, without a day of webhooks, for all test files. */
export default async (): Promise<void> => {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'e2e-'));
  const main = join(__dirname, '../../../local/start/main.ts');
  const options = ['--orders', '0', '--state', stateDirectory, '--record-calls'];
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  globalThis.e2eTarget = { process: child, stateDirectory };
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('It stays up')) resolve();
    });
    child.once('exit', () => reject(new Error('The embedded AWS did not start')));
  });

  const read = (file: string): unknown => JSON.parse(readFileSync(join(stateDirectory, file), 'utf8'));
  const { apiUrl, endpoints, outputs } = endpointsSchema.parse(read('endpoints.json'));
  announceTarget({
    apiUrl,
    endpoints,
    outputs: outputsSchema.parse(Object.assign({}, ...Object.values(outputs))),
    simulators: simulatorsSchema.parse(read('simulators.json')),
  });
};
