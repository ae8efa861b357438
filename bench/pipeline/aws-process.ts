import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { runningSchema } from '../../emulator/running';
import type { EmbeddedAwsCommand } from './embedded-aws-process';

/** The response to the start command. */
export const startedSchema = runningSchema.omit({ pid: true });

/**
 * Starts a process for the embedded AWS. A caller must wait for the response to a command before it sends the next one.
 *
 * @param announcesCalls whether its threads announce the calls that they receive, for a meter
 */
export const startAwsProcess = async (announcesCalls: boolean) => {
  const child = fork(path.join(__dirname, 'embedded-aws-process.ts'), {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: {
      ...process.env,
      ...(announcesCalls && { NODE_OPTIONS: `--require ${path.join(__dirname, 'announce-calls.cjs')}` }),
    },
  });
  await once(child, 'spawn');
  const ended = once(child, 'exit').then(([code]): never => {
    throw new Error(`The embedded AWS ended with ${code}`);
  });
  ended.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    send: async (command: EmbeddedAwsCommand): Promise<unknown> => {
      child.send(command);
      const [response] = await Promise.race([once(child, 'message'), ended]);
      return response;
    },
    end: () => child.disconnect(),
  };
};
