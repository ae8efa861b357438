import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import * as z from 'zod';
import type { SimulatorOptions } from './simulator-process';

export interface RunningSimulator {
  /** Address of the API, for the caller. */
  readonly url: string;
  /** Reads `/_control/<path>` of the simulator, such as the arrivals of calls. */
  readonly readControl: <T>(path: string, schema: z.ZodType<T>) => Promise<T>;
}

const startedSchema = z.object({ url: z.string(), controlUrl: z.string() });

/** Runs `work` with a simulator in its own process. */
export const withSimulator = async <T>(
  options: SimulatorOptions,
  work: (simulator: RunningSimulator) => Promise<T>,
): Promise<T> => {
  const child = fork(path.join(__dirname, 'simulator-process.ts'), [JSON.stringify(options)], {
    // A small young generation: collecting a large one takes up to 20 ms, after which waiting calls seem to arrive together.
    execArgv: ['--max-semi-space-size=2', '--import', 'tsx'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // In its own session: see cpu-priority.ts.
    detached: true,
  });
  const exited = once(child, 'exit');
  const failed = exited.then(([code]): never => {
    throw new Error(`The simulator ended with ${code}`);
  });
  failed.catch(() => undefined);
  try {
    const [started] = await Promise.race([once(child, 'message'), failed]);
    const { url, controlUrl } = startedSchema.parse(started);
    const readControl = async <A>(controlPath: string, schema: z.ZodType<A>): Promise<A> =>
      schema.parse(await (await fetch(`${controlUrl}/${controlPath}`)).json());
    return await Promise.race([work({ url, readControl }), failed]);
  } finally {
    if (child.connected) child.disconnect();
    await exited;
  }
};
