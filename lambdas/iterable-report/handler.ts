import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { iterablePlanSchema } from '../../shared/iterable/input';
import type { ReportOutcome } from '../../shared/iterable/outcome';
import { usersPerPart } from '../../shared/iterable/parts';
import { extractionPaths, mostFailed, mostFailuresLogged } from '../../shared/iterable/report';
import { createUserParts } from '../../shared/iterable/user-parts';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import type { OpenRunFolder } from '../../shared/runs/artifacts';
import { createBudget } from '../../shared/runs/budget';
import { fileStamp } from '../../shared/runs/files';
import { caughtSchema, messageOf } from '../../shared/runs/outcome';
import { createProgress } from '../../shared/runs/progress';
import type { RunRepository } from '../../shared/runs/repository';
import { createStep } from '../../shared/runs/step';
import { joinResults, reportPaths } from './join-results';

export interface IterableReportDependencies {
  readonly openFolder: OpenRunFolder;
  readonly runs: Pick<RunRepository, 'enter' | 'recordProgress'>;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
  readonly now: () => number;
}

/** The report is there, or another turn is to go on with it. */
type ReportStanding = ({ readonly done: true } & ReportOutcome) | { readonly done: false };

const step = 'iterable_report';
const part = 'iterable/push';

const schema = z.object({
  run: iterablePlanSchema.extend({
    /** What ended the extraction or the sending before all was sent. */
    fault: caughtSchema.optional(),
  }),
});

/**
 * `Report`: joins the results of the parts, as far as the time goes. The job has failed if over half of its users did, or
 * if an error ended it: then the report tells of the parts that were sent until then.
 */
export const createHandler = ({ openFolder, runs, logger, metrics, now }: IterableReportDependencies) => {
  const run = async ({ run }: z.output<typeof schema>, context: Context): Promise<ReportStanding> => {
    const budget = createBudget(context.getRemainingTimeInMillis(), now);
    const owner = await runs.enter(run, part, context.awsRequestId, now());
    const progress = createProgress({ runs, run: owner, part, budget, logger, now });
    const folder = openFolder(run.run_id);
    const parts = createUserParts(folder);
    const extracted = await parts.readExtracted();
    const { rows = 0, rejected = 0 } = extracted ?? {};
    const total = rows - rejected;
    const { paths } = await parts.surveyRows();
    const fault = run.fault && messageOf(run.fault);
    const isWhole = fault === undefined;
    const sources = isWhole ? paths : await parts.sent(paths);
    const done = Math.min(total, sources.length * usersPerPart);
    const writing = { done, total, message: `iterable: writing the report on ${done} users` };
    const isTimeUp = () => progress.isTurnOver(writing);

    const joined = await joinResults({ run, folder, parts, sources, isWhole, isTimeUp, now });
    if (joined === undefined) {
      await progress.close(step, writing);
      progress.assertGoesOn();
      return { done: false };
    }
    const { summary, failures } = joined;
    // Up to the hundred, each has a line of its own.
    if (failures.reduce((total, { count }) => total + count, 0) > mostFailuresLogged) {
      for (const kind of failures.toSorted((a, b) => b.count - a.count)) {
        logger.warn('users failed', { error: 'Calls about users failed', ...kind });
      }
    }
    const { total_users, successful, partial_failures, total_failures, retries, duration_seconds } = summary;
    const message = [
      ...(fault === undefined ? [] : [fault]),
      `${successful} of ${total} users sent, ${partial_failures} in part, ${total_failures} failed, ${rejected} rows rejected`,
    ].join(', ');
    await progress.close(step, { done: total_users, total, message: `iterable: ${message}` });
    const { results, failed } = reportPaths(run);
    const ofExtraction = extracted === undefined ? [] : Object.values(extractionPaths(fileStamp(run.started_at)));
    return {
      done: true,
      status: !isWhole || mostFailed(summary) ? 'FAILED' : 'SUCCEEDED',
      message,
      reports: [...ofExtraction, results, failed].map(folder.keyOf),
      counts: { total_users, successful, partial_failures, total_failures, rejected, retries },
      duration_seconds,
    };
  };

  return createStep({ step, schema, logger, metrics, keys: ({ run }) => ({ run_id: run.run_id }), run });
};
