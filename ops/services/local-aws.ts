import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { parseJson } from '../../shared/json';
import { ServiceFault } from './fault';

const runningSchema = z.object({
  pid: z.int(),
  endpoints: z.object({
    ...{ dynamodb: z.url(), sqs: z.url(), s3: z.url(), sfn: z.url(), logs: z.url() },
    ...{ lambda: z.url().optional(), secretsmanager: z.url().optional() },
  }),
  outputs: z.record(z.string(), z.record(z.string(), z.unknown())),
});

/**
 * Where the embedded AWS listens, and the outputs of its stacks. It writes both to a file while it runs.
 *
 * @param stateDirectory the folder in which it keeps its state
 * @throws {ServiceFault} `unreachable` when it does not run.
 */
export const readLocalAws = (stateDirectory: string) => {
  const parsed = runningSchema.safeParse(parseJson(readText(path.join(stateDirectory, 'endpoints.json'))));
  if (!parsed.success || !runs(parsed.data.pid)) {
    throw new ServiceFault(
      'unreachable',
      `No embedded AWS runs with its state in ${stateDirectory}: start it with \`npm start\`, or name its folder with --state.`,
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

/** A killed process leaves the file behind. */
const runs = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};
