import { fork } from 'node:child_process';
import { once } from 'node:events';
import type * as z from 'zod';
import { withPlainBundle } from '../plain-bundle';

/**
 * The arguments with which Lambda starts node in a function of 1024 MB: a twentieth of the memory for a semi-space, nine
 * tenths for the old generation. The bundles of the sync Lambdas keep the young generation much smaller.
 */
const lambdaArguments = [
  '--expose-gc',
  '--max-http-header-size=81920',
  '--max-semi-space-size=51',
  '--max-old-space-size=922',
];

/**
 * Bundles a program of this folder like a sync Lambda and runs it once, in a fresh process with a Lambda's heap.
 *
 * @param options the program's only argument, sent as JSON
 * @param schema schema of the report that it sends
 */
export const runSender = <T>(program: string, options: object, schema: z.ZodType<T>): Promise<T> =>
  withPlainBundle(`import '../lib/bundling/young-generation'; import './sync/${program}';`, async (file) => {
    const child = fork(file, [JSON.stringify(options)], {
      execArgv: lambdaArguments,
      // Like the sync Lambdas (lib/stacks/sync-jobs.ts).
      env: { MALLOC_ARENA_MAX: '1' },
      timeout: 300_000,
      // In its own session: see cpu-priority.ts.
      detached: true,
    });
    const exited = once(child, 'exit');
    const failed = exited.then(([code, signal]): never => {
      throw new Error(`The program ended with ${code ?? signal}`);
    });
    failed.catch(() => undefined);
    const [report] = await Promise.race([once(child, 'message'), failed]);
    await exited;
    return schema.parse(report);
  });
