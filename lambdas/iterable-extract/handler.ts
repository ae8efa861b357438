import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { iterablePlanSchema } from '../../shared/iterable/input';
import type { UserSource } from '../../shared/iterable/source';
import { createUserParts } from '../../shared/iterable/user-parts';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import type { OpenRunFolder } from '../../shared/runs/artifacts';
import { createBudget } from '../../shared/runs/budget';
import { fileStamp } from '../../shared/runs/files';
import { createProgress } from '../../shared/runs/progress';
import type { RunRepository } from '../../shared/runs/repository';
import { createStep } from '../../shared/runs/step';
import { extractRows } from './extract-rows';
import { writeQueryResults } from './query-results';

export interface IterableExtractDependencies {
  readonly openSource: () => Promise<UserSource>;
  readonly openFolder: OpenRunFolder;
  readonly runs: Pick<RunRepository, 'enter' | 'recordProgress'>;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
  readonly now: () => number;
}

const step = 'iterable_extract';
const part = 'iterable/extract';

const schema = z.object({ run: iterablePlanSchema });

/** `ExtractUsers`: reads the rows of the query into parts, as far as the time goes, then writes them as CSV. */
export const createHandler = (dependencies: IterableExtractDependencies) => {
  const { openSource, openFolder, runs, logger, metrics, now } = dependencies;

  const run = async ({ run }: z.output<typeof schema>, context: Context) => {
    const budget = createBudget(context.getRemainingTimeInMillis(), now);
    const owner = await runs.enter(run, part, context.awsRequestId, now());
    const progress = createProgress({ runs, run: owner, part, budget, logger, now });
    const folder = openFolder(run.run_id);
    const parts = createUserParts(folder);

    const known = await parts.readExtracted();
    if (known !== undefined) {
      await progress.close(step, {
        done: known.rows,
        total: known.rows,
        message: `iterable: ${known.rows} users read`,
      });
      return { done: true, ...known };
    }
    const { rows, complete } = await extractRows({ run, parts, openSource, progress });
    const standing = { done: rows, message: `iterable: ${rows} users read` };
    const isTimeUp = () => progress.isTurnOver(standing);
    const files = { folder, parts, stamp: fileStamp(run.started_at), isTimeUp };
    const extracted = complete ? await writeQueryResults(files) : undefined;
    const done = extracted !== undefined;
    if (done && (await parts.writeExtracted(extracted))) metrics.add('SyncRejectedRows', extracted.rejected);
    await progress.close(step, { ...standing, ...(done && { total: rows }) });
    if (!done) progress.assertGoesOn();
    return { done, rows };
  };

  return createStep({ step, schema, logger, metrics, keys: ({ run }) => ({ run_id: run.run_id }), run });
};
