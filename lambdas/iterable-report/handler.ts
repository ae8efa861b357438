import type { Logger } from '@aws-lambda-powertools/logger';
import * as z from 'zod';
import { createTally, failedCsv, integrationResults, mostFailed, type PushSummary } from '../../shared/iterable/report';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import { type OpenRunFolder, writeTogether } from '../../shared/runs/artifacts';
import { extractionPaths, fileStamp } from '../../shared/runs/files';
import type { IterableOutcome } from '../../shared/runs/outcome';
import { iterablePlanSchema } from '../../shared/runs/plan';
import { createProgress } from '../../shared/runs/progress';
import type { RunRepository } from '../../shared/runs/repository';
import { createStep } from '../../shared/runs/step';
import { createUserParts } from '../../shared/runs/user-parts';

export interface IterableReportDependencies {
  readonly openFolder: OpenRunFolder;
  readonly runs: Pick<RunRepository, 'recordProgress'>;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
  readonly now: () => number;
}

const schema = z.object({ run: iterablePlanSchema });

/** `Report`: joins the results of the parts. The job has failed if over half of its users did. */
export const createHandler = ({ openFolder, runs, logger, metrics, now }: IterableReportDependencies) => {
  const run = async ({ run }: z.output<typeof schema>): Promise<IterableOutcome> => {
    const progress = createProgress({ runs, run, part: 'iterable/push', logger, now });
    const folder = openFolder(run.run_id);
    const parts = createUserParts(folder);
    const stamp = fileStamp(run.started_at);
    const failedPath = 'iterable/failed.csv';
    const resultsPath = `iterable/integration_results_${stamp}.json`;
    const { paths } = await parts.surveyRows();
    const { rejected = 0 } = (await parts.readExtracted()) ?? {};

    // Twice over the results: the file begins with the counts.
    const tally = createTally();
    await writeTogether([folder.openWriter(failedPath)], async (failed) => {
      await failed.write(failedCsv.header);
      for await (const result of parts.readResults(paths)) {
        tally.add(result.record);
        await failed.write(failedCsv.line(result));
      }
    });
    const counts = tally.counts();
    const finishedAtMs = now();
    const summary: PushSummary = {
      ...counts,
      rejected,
      retries: await parts.countRetries(),
      authentication: run.iterable.use_jwt ? 'jwt' : 'api_key',
      mode: run.iterable.mode,
      dry_run: run.dry_run,
      started_at: run.started_at,
      finished_at: new Date(finishedAtMs).toISOString(),
      duration_seconds: (finishedAtMs - Date.parse(run.started_at)) / 1_000,
    };
    await writeTogether([folder.openWriter(resultsPath)], async (results) => {
      for await (const chunk of integrationResults(summary, parts.readResults(paths))) await results.write(chunk);
    });

    const { total_users, successful, partial_failures, total_failures } = counts;
    const message = `${successful} of ${total_users} users sent, ${partial_failures} in part, ${total_failures} failed, ${rejected} rows rejected`;
    await progress.close('iterable_report', { done: total_users, total: total_users, message: `iterable: ${message}` });
    return {
      status: mostFailed(counts) ? 'FAILED' : 'SUCCEEDED',
      message,
      reports: [...Object.values(extractionPaths(stamp)), resultsPath, failedPath].map(folder.keyOf),
      counts: { ...counts, rejected, retries: summary.retries },
      duration_seconds: summary.duration_seconds,
    };
  };

  return createStep({ schema, logger, metrics, keys: ({ run }) => ({ run_id: run.run_id }), run });
};
