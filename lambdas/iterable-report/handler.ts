import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { warningsOf } from '../../shared/iterable/confirmation';
import { type IterablePlan, iterablePlanSchema } from '../../shared/iterable/input';
import { neededFor } from '../../shared/iterable/limits';
import type { ReportOutcome } from '../../shared/iterable/outcome';
import { usersPerPart } from '../../shared/iterable/parts';
import {
  countReasons,
  extractionPaths,
  fewFailed,
  maxFailuresLogged,
  overHalfFailed,
  unusualNumber,
} from '../../shared/iterable/report';
import type { SentIndex } from '../../shared/iterable/sent-index';
import { type Compared, createUserParts, type UserParts, usersToSend } from '../../shared/iterable/user-parts';
import { fileStamp } from '../../shared/runs/files';
import { caughtSchema, messageOf, statusIf } from '../../shared/runs/outcome';
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

const usersCompared = ({ added, changed, unchanged }: Compared): number => added + changed + unchanged;

const countsOf = ({ added, changed, unchanged, removed, clearing }: Compared) => ({
  added,
  changed,
  unchanged,
  removed,
  clearing,
});

export interface IterableReportDependencies extends WorkerDependencies {
  readonly sentIndex: Pick<SentIndex, 'store'>;
  /** Up to this share of its users may fail, and the job has still succeeded. */
  readonly toleratedFailedPercent: number;
}

/**
 * `Report`: joins the results of the parts, until the time is up. The job has failed if over half of its users failed,
 * or if an error ended it; the report then covers the parts that were sent before it. It is PARTIAL if fewer failed, but
 * more than are tolerated.
 */
export const createHandler = (dependencies: IterableReportDependencies) => {
  const { logger, metrics, now, sentIndex, toleratedFailedPercent } = dependencies;

  /** Puts the list of sent users into the index: the report is written, and the next run compares with this one. */
  const remember = async ({ run_id }: IterablePlan, parts: UserParts, { list }: Compared): Promise<void> => {
    const base = await parts.readBase();
    if (base === undefined) return;
    const entry = { run_id, ...list, stored_at: new Date(now()).toISOString() };
    if (await sentIndex.store(base, entry)) return;
    logger.warn('sent users not stored', { error: 'Another run has sent users; the next run sends everyone' });
  };

  const run = async ({ run }: z.output<typeof schema>, context: Context): Promise<ReportTurnResult> => {
    const { progress, folder } = await startTurn(dependencies, run, 'iterable/push', context);
    const parts = createUserParts(folder);
    const extracted = await parts.readExtracted();
    const rejected = extracted?.rejected ?? 0;
    const total = extracted === undefined ? 0 : usersToSend(extracted);
    const paths = await parts.listToSend();
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
    const compared = extracted?.compared;
    if (isWhole && compared !== undefined && !run.dry_run) await remember(run, parts, compared);
    // Up to this number, each failed user has its own log line.
    if (failures.reduce((total, { count }) => total + count, 0) > maxFailuresLogged) {
      for (const kind of failures.toSorted((a, b) => b.count - a.count)) {
        logger.warn('users failed', { error: 'Calls about users failed', ...kind });
      }
    }
    const unusual = extracted && unusualNumber(extracted);
    const confirmation = isWhole ? await parts.readConfirmation() : undefined;
    const { total_users, successful, partial_failures, total_failures, retries, duration_seconds } = summary;
    const missing = partial_failures + total_failures;
    const users = compared && usersCompared(compared);
    const isTolerated = fewFailed(summary, toleratedFailedPercent, users);
    const tolerated = `${missing === 1 ? '1 user failed, or was' : `${missing} users failed, or were`} sent in part: too few to make the run PARTIAL`;
    const warnings = [
      ...(unusual === undefined ? [] : [unusual]),
      ...(isWhole && isTolerated && missing > 0 ? [tolerated] : []),
      ...(confirmation ? warningsOf(confirmation) : []),
    ];
    for (const warning of warnings) logger.warn('sync warning', { error: warning });
    const needed = run.dry_run ? neededFor(run.iterable.mode, total, total - (compared?.clearing ?? 0)) : undefined;
    const calls = needed && needed.users_update + needed.events_track;
    const message = [
      ...(fault === undefined ? [] : [fault]),
      `${successful} of ${total} users sent, ${partial_failures} in part, ${total_failures} failed, ${rejected} rows rejected`,
      ...(needed === undefined ? [] : [`a run would need at least ${calls} calls and ${needed.minutes} minutes`]),
    ].join(', ');
    await progress.close(step, { done: total_users, total, message: `iterable: ${message}` });
    const { results, failed } = reportPaths(run);
    const ofExtraction = extracted === undefined ? [] : Object.values(extractionPaths(fileStamp(run.started_at)));
    return {
      done: true,
      status: statusIf({
        failed: !isWhole || overHalfFailed(summary, users),
        incomplete: !isTolerated,
      }),
      message,
      reports: [...ofExtraction, results, failed].map(folder.keyOf),
      counts: {
        total_users,
        successful,
        partial_failures,
        total_failures,
        rejected,
        retries,
        ...(compared && countsOf(compared)),
        ...(confirmation && { confirmed: confirmation.confirmed, unconfirmed: confirmation.differences.length }),
      },
      authentication: summary.authentication,
      warnings,
      reasons: countReasons(extracted?.rejected_by ?? {}, failures),
      ...(needed && { needed }),
      ...(confirmation && { confirmation }),
      ...(compared && { changed_fields: compared.samples }),
      duration_seconds,
    };
  };

  return createStep({ step, schema, logger, metrics, keys: ({ run }) => ({ run_id: run.run_id }), run });
};
