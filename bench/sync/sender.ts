import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type * as z from 'zod';
import { withPlainBundle } from '../plain-bundle';

const run = promisify(execFile);

/**
 * The heap of a Lambda of 1024 MB, as the embedded AWS sets it, and the sync Lambdas' young generation. Left alone, V8
 * lets the young generation grow with the machine's memory and with how long a program runs, far above what the
 * program holds: the same work would peak elsewhere on every machine, and a long run above a short one.
 */
const heapFlags = ['--max-old-space-size=921', '--min-semi-space-size=1', '--max-semi-space-size=1'];

/**
 * Bundles a program of this folder like a Lambda and runs it once, in a fresh process with a Lambda's heap.
 *
 * @param order the program's only argument, as JSON
 * @param schema of the JSON that it writes to standard output
 */
export const runSender = <T>(program: string, order: object, schema: z.ZodType<T>): Promise<T> =>
  withPlainBundle(`import './sync/${program}';`, async (file) => {
    const { stdout } = await run(process.execPath, [...heapFlags, file, JSON.stringify(order)], {
      // As the sync Lambdas have it (lib/stacks/sync-jobs.ts).
      env: { MALLOC_ARENA_MAX: '1' },
      timeout: 300_000,
    });
    return schema.parse(JSON.parse(stdout));
  });
