import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { runningSchema } from '../../emulator/embedded-aws';
import type { EmbeddedAwsOrder } from './embedded-aws-process';

/** What the process answers to the order to start. */
export const startedSchema = runningSchema.omit({ pid: true });

/** Starts the embedded AWS in a process of its own; an order is answered before the next is given. */
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
