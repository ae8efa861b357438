import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type * as z from 'zod';
import { withPlainBundle } from '../plain-bundle';

const run = promisify(execFile);

/**
 * How Lambda starts node in a function of 1024 MB: a twentieth of the memory for a semi-space, nine tenths for the old
 * generation. The bundles of the sync Lambdas keep the young generation far below that.
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
 * @param order the program's only argument, as JSON
 * @param schema of the JSON that it writes to standard output
 */
export const runSender = <T>(program: string, order: object, schema: z.ZodType<T>): Promise<T> =>
  withPlainBundle(`import '../lib/bundling/young-generation'; import './sync/${program}';`, async (file) => {
    const { stdout } = await run(process.execPath, [...lambdaArguments, file, JSON.stringify(order)], {
      // As the sync Lambdas have it (lib/stacks/sync-jobs.ts).
      env: { MALLOC_ARENA_MAX: '1' },
      timeout: 300_000,
    });
    return schema.parse(JSON.parse(stdout));
  });
