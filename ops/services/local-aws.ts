import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { parseJson } from '../../shared/json';
import { ServiceFault } from './fault';

const runningSchema = z.object({
  pid: z.int(),
  endpoints: z.object({ dynamodb: z.url(), sqs: z.url(), s3: z.url(), sfn: z.url(), logs: z.url() }),
  outputs: z.record(z.string(), z.record(z.string(), z.unknown())),
});

/**
 * Where the embedded AWS listens, and the outputs of its stacks, as it says itself while it runs.
 *
 * @param stateDirectory the folder it keeps its state in
 * @throws {ServiceFault} `unreachable` when it does not run.
 */
export const readLocalAws = (stateDirectory: string) => {
  const parsed = runningSchema.safeParse(parseJson(readText(path.join(stateDirectory, 'endpoints.json'))));
  if (!parsed.success || !runs(parsed.data.pid)) {
    throw new ServiceFault(
      'unreachable',
      'The embedded AWS is not running on this machine: start it with `npm start`.',
    );
  }
  const { endpoints, outputs } = parsed.data;
  const clientConfig = { region: 'us-east-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };
  return { endpoints, outputs, clientConfig };
};

const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

/** The file outlives a process that was killed. */
const runs = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};
