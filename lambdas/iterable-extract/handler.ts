import type { Context } from 'aws-lambda';
import * as z from 'zod';
import type { Digests } from '../../shared/iterable/digests';
import { type IterablePlan, iterablePlanSchema } from '../../shared/iterable/input';
import type { SentIndex } from '../../shared/iterable/sent-index';
import type { UserSource } from '../../shared/iterable/source';
import { createUserParts } from '../../shared/iterable/user-parts';
import { faultsOf } from '../../shared/runs/faults';
import { fileStamp } from '../../shared/runs/files';
import { createStep, NamedFailure } from '../../shared/runs/step';
import { startTurn, type WorkerDependencies } from '../../shared/runs/turn';
import type { Usual } from '../../shared/runs/usual';
import { createComparisonSetup } from './comparison-setup';
import { extractUsers } from './extract-users';
import { writeQueryResults } from './query-results';

export interface IterableExtractDependencies extends WorkerDependencies {
  readonly openSource: () => Promise<UserSource>;
  readonly openDigests: () => Promise<Digests>;
  readonly sentIndex: Pick<SentIndex, 'find'>;
  readonly usual: Usual;
}

/** The job ends before it reads or sends a user. The message has every fault that was found. */
export class PreflightFailed extends NamedFailure {
  override readonly name = 'PreflightFailed';
  override readonly code = 'PREFLIGHT_FAILED';
}

const step = 'iterable_extract';

const schema = z.object({ run: iterablePlanSchema });

/** `ExtractUsers`: reads the rows of the query into parts, then writes them as CSV, until the time is up. */
export const createHandler = (dependencies: IterableExtractDependencies) => {
  const { openSource, usual, logger, metrics } = dependencies;
  const prepareComparison = createComparisonSetup(dependencies);

  /** Reports how many users the query has, and how many it had in the last runs. */
  const compareWithUsual = async ({ run_id, iterable }: IterablePlan, rows: number): Promise<number | undefined> => {
    const { source, plan, pages, days, limit } = iterable;
    if (source === 'rows' || limit > 0) return undefined;
    const kind = JSON.stringify({ plan, pages: pages.toSorted(), days });
    const median = await usual.compare({ kind, runId: run_id, value: rows });
    metrics.add('SyncUsersRead', rows);
    metrics.add('SyncUsersMedian', median ?? 0);
    return median;
  };

  const run = async ({ run }: z.output<typeof schema>, context: Context) => {
    const faults = faultsOf(run).filter(({ check }) => check.startsWith('iterable/'));
    if (faults.length > 0) {
      throw new PreflightFailed(faults.map(({ error_code, message }) => `${message} (${error_code})`).join('; '));
    }
    const { progress, folder } = await startTurn(dependencies, run, 'iterable/extract', context);
    const parts = createUserParts(folder);

    const known = await parts.readExtracted();
    if (known !== undefined) {
      const { rows, rejected } = known;
      await progress.close(step, { done: rows, total: rows, message: `iterable: ${rows} users read` });
      return { done: true, rows, rejected };
    }
    const { rows, complete } = await extractUsers({ run, folder, parts, openSource, progress });
    const snapshot = { done: rows, message: `iterable: ${rows} users read` };
    const isTimeUp = () => progress.isTurnOver(snapshot);
    const writeFiles = async () => {
      const comparison = await prepareComparison({ run, parts, folder, rows });
      return writeQueryResults({ folder, parts, stamp: fileStamp(run.started_at), isTimeUp, comparison });
    };
    const extracted = complete ? await writeFiles() : undefined;
    const done = extracted !== undefined;
    if (done && (await parts.writeExtracted({ ...extracted, usual_users: await compareWithUsual(run, rows) }))) {
      metrics.add('SyncRowsRead', extracted.rows);
      metrics.add('SyncRejectedRows', extracted.rejected);
    }
    await progress.close(step, { ...snapshot, ...(done && { total: rows }) });
    if (!done) progress.assertNotStopped();
    return { done, rows };
  };

  return createStep({ step, schema, logger, metrics, keys: ({ run }) => ({ run_id: run.run_id }), run });
};
