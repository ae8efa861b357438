import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { iterablePlanSchema } from '../../shared/iterable/input';
import type { UserSource } from '../../shared/iterable/source';
import { createUserParts } from '../../shared/iterable/user-parts';
import { fileStamp } from '../../shared/runs/files';
import { createStep } from '../../shared/runs/step';
import { startTurn, type WorkerDependencies } from '../../shared/runs/turn';
import { extractUsers } from './extract-users';
import { writeQueryResults } from './query-results';

export interface IterableExtractDependencies extends WorkerDependencies {
  readonly openSource: () => Promise<UserSource>;
}

const step = 'iterable_extract';

const schema = z.object({ run: iterablePlanSchema });

/** `ExtractUsers`: reads the rows of the query into parts, then writes them as CSV, until the time is up. */
export const createHandler = (dependencies: IterableExtractDependencies) => {
  const { openSource, logger, metrics } = dependencies;

  const run = async ({ run }: z.output<typeof schema>, context: Context) => {
    const { progress, folder } = await startTurn(dependencies, run, 'iterable/extract', context);
    const parts = createUserParts(folder);

    const known = await parts.readExtracted();
    if (known !== undefined) {
      const { rows } = known;
      await progress.close(step, { done: rows, total: rows, message: `iterable: ${rows} users read` });
      return { done: true, ...known };
    }
    const { rows, complete } = await extractUsers({ run, parts, openSource, progress });
    const snapshot = { done: rows, message: `iterable: ${rows} users read` };
    const isTimeUp = () => progress.isTurnOver(snapshot);
    const files = { folder, parts, stamp: fileStamp(run.started_at), isTimeUp };
    const extracted = complete ? await writeQueryResults(files) : undefined;
    const done = extracted !== undefined;
    if (done && (await parts.writeExtracted(extracted))) metrics.add('SyncRejectedRows', extracted.rejected);
    await progress.close(step, { ...snapshot, ...(done && { total: rows }) });
    if (!done) progress.assertNotStopped();
    return { done, rows };
  };

  return createStep({ step, schema, logger, metrics, keys: ({ run }) => ({ run_id: run.run_id }), run });
};
