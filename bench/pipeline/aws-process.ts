import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { runningSchema } from '../../emulator/embedded-aws';
import type { EmbeddedAwsOrder } from './embedded-aws-process';

/** The response to the start command. */
export const startedSchema = runningSchema.omit({ pid: true });

/** Starts the embedded AWS in its own process. Each command is answered before the next one is sent. */
export const startAwsProcess = async () => {
  const child = fork(path.join(__dirname, 'embedded-aws-process.ts'), {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await once(child, 'spawn');
  const ended = once(child, 'exit').then(([code]): never => {
    throw new Error(`The embedded AWS ended with ${code}`);
  });
  ended.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    order: async (order: EmbeddedAwsOrder): Promise<unknown> => {
      child.send(order);
      const [answer] = await Promise.race([once(child, 'message'), ended]);
      return answer;
    },
    end: () => child.disconnect(),
  };
};
