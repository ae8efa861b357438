import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { iterablePlanSchema } from '../../shared/iterable/input';
import type { ReportOutcome } from '../../shared/iterable/outcome';
import { usersPerPart } from '../../shared/iterable/parts';
import { extractionPaths, maxFailuresLogged, overHalfFailed } from '../../shared/iterable/report';
import { createUserParts } from '../../shared/iterable/user-parts';
import { fileStamp } from '../../shared/runs/files';
import { caughtSchema, messageOf } from '../../shared/runs/outcome';
import { createStep } from '../../shared/runs/step';
import { startTurn, type WorkerDependencies } from '../../shared/runs/turn';
import { joinResults, reportPaths } from './join-results';

/** The report is complete, or another turn must continue it. */
type ReportTurnResult = ({ readonly done: true } & ReportOutcome) | { readonly done: false };

const step = 'iterable_report';

const schema = z.object({
  run: iterablePlanSchema.extend({
    /** The error that ended the extraction or the sending before all users were sent. */
    fault: caughtSchema.optional(),
  }),
});

/**
 * `Report`: joins the results of the parts, until the time is up. The job has failed if over half of its users failed,
 * or if an error ended it; the report then covers the parts that were sent before it.
 */
export const createHandler = (dependencies: WorkerDependencies) => {
  const { logger, metrics, now } = dependencies;

  const run = async ({ run }: z.output<typeof schema>, context: Context): Promise<ReportTurnResult> => {
    const { progress, folder } = await startTurn(dependencies, run, 'iterable/push', context);
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
      progress.assertNotStopped();
      return { done: false };
    }
    const { summary, failures } = joined;
    // Up to this number, each failed user has its own log line.
    if (failures.reduce((total, { count }) => total + count, 0) > maxFailuresLogged) {
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
      status: !isWhole || overHalfFailed(summary) ? 'FAILED' : 'SUCCEEDED',
      message,
      reports: [...ofExtraction, results, failed].map(folder.keyOf),
      counts: { total_users, successful, partial_failures, total_failures, rejected, retries },
      duration_seconds,
    };
  };

  return createStep({ step, schema, logger, metrics, keys: ({ run }) => ({ run_id: run.run_id }), run });
};
