import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { parseJson } from '../../shared/json';
import { ServiceFault } from './fault';

const endpointsFileSchema = z.object({
  pid: z.int(),
  endpoints: z.object({
    dynamodb: z.url(),
    sqs: z.url(),
    s3: z.url(),
    sfn: z.url(),
    logs: z.url(),
    lambda: z.url().optional(),
    secretsmanager: z.url().optional(),
    sts: z.url().optional(),
    cloudwatch: z.url().optional(),
    events: z.url().optional(),
    scheduler: z.url().optional(),
  }),
  outputs: z.record(z.string(), z.record(z.string(), z.unknown())),
});

/**
 * Reads the endpoints of the embedded AWS and the outputs of its stacks, from a file that it writes at its start.
 *
 * @param stateDirectory the state folder of the embedded AWS
 * @throws {ServiceFault} `unreachable` if the embedded AWS is not running
 */
export const readLocalAws = (stateDirectory: string) => {
  const parsed = endpointsFileSchema.safeParse(parseJson(readText(path.join(stateDirectory, 'endpoints.json'))));
  if (!parsed.success || !isRunning(parsed.data.pid)) {
    throw new ServiceFault(
      'unreachable',
      `No embedded AWS is running in ${stateDirectory}: start it with \`npm start\`, or name its state folder with --state.`,
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

/** Whether the process exists. A killed process leaves the file behind. */
const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};
