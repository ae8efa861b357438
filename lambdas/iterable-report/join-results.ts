import * as z from 'zod';
import type { IterablePlan } from '../../shared/iterable/input';
import {
  countFailure,
  countRecord,
  type FailureCount,
  failedCsv,
  integrationResults,
  noCounts,
  type PushCounts,
  type PushSummary,
} from '../../shared/iterable/report';
import { failedRowsPath } from '../../shared/iterable/rows-file';
import { createSentUsers } from '../../shared/iterable/sent-users';
import { partName, type UserParts } from '../../shared/iterable/user-parts';
import type { RunFolder } from '../../shared/runs/artifacts';
import { fileStamp } from '../../shared/runs/files';
import { joinParts } from '../../shared/runs/join-parts';

export interface JoinResultsOptions {
  readonly run: IterablePlan;
  readonly folder: RunFolder;
  readonly parts: UserParts;
  /** Parts of rows that have results, in order. */
  readonly sources: readonly string[];
  /** Whether no further part will get results. */
  readonly isWhole: boolean;
  readonly isTimeUp: () => boolean;
  readonly now: () => number;
}

/** Paths of the report's files in the run's folder. */
export const reportPaths = (run: IterablePlan) => ({
  results: `iterable/integration_results_${fileStamp(run.started_at)}.json`,
  failed: failedRowsPath,
});

/** The content of the report. */
export interface JoinedResults {
  readonly summary: PushSummary;
  readonly failures: readonly FailureCount[];
}

const countsSchema = z.object({
  users: z.custom<PushCounts>((counts) => typeof counts === 'object' && counts !== null),
  failures: z.array(z.custom<FailureCount>()),
});

const progressSchema = z.object({ summary: z.custom<PushSummary>(), isFirst: z.boolean() });

/**
 * Joins the results of the parts into the report, in as many turns as needed. Reads the parts twice, because the file
 * of all results starts with the counts.
 *
 * @returns `undefined` if the time was up
 */
export const joinResults = async (options: JoinResultsOptions): Promise<JoinedResults | undefined> => {
  const { run, folder, parts, sources, isWhole, isTimeUp, now } = options;
  const files = reportPaths(run);
  const attempt = isWhole ? undefined : `${run.execution_arn.replace(/^.*:/, '')}.${run.redrive_count}`;

  const first = await joinParts({
    folder,
    cursorPath: parts.joinPath('failed', attempt),
    files: { failed: files.failed },
    sources,
    schema: countsSchema,
    begin: async ({ failed }) => {
      await failed.write(failedCsv.header);
      return { users: noCounts, failures: [] };
    },
    add: async (before, path, { failed }) => {
      let { users, failures } = before;
      const failedIds: string[] = [];
      for (const result of await parts.readResults(path)) {
        users = countRecord(users, result.record);
        if (result.failure) failures = countFailure(failures, result.failure);
        if (result.failedRow?.id) failedIds.push(result.failedRow.id);
        await failed.write(failedCsv.line(result));
      }
      if (failedIds.length > 0 && run.iterable.only_changed) {
        await createSentUsers(folder).writeFailed(partName(path), failedIds);
      }
      return { users, failures };
    },
    isTimeUp,
  });
  if (!first.done) return undefined;

  const summarize = async (): Promise<PushSummary> => {
    const finishedAtMs = now();
    return {
      ...first.counts.users,
      rejected: (await parts.readExtracted())?.rejected ?? 0,
      retries: await parts.countRetries(),
      authentication: run.iterable.use_jwt ? 'jwt' : 'api_key',
      mode: run.iterable.mode,
      dry_run: run.dry_run,
      started_at: run.started_at,
      finished_at: new Date(finishedAtMs).toISOString(),
      duration_seconds: (finishedAtMs - Date.parse(run.started_at)) / 1_000,
    };
  };

  const second = await joinParts({
    folder,
    cursorPath: parts.joinPath('results', attempt),
    files: { results: files.results },
    sources,
    schema: progressSchema,
    begin: async ({ results }) => {
      const summary = await summarize();
      await results.write(integrationResults.header(summary));
      return { summary, isFirst: true };
    },
    add: async ({ summary, ...before }, path, { results }) => {
      let { isFirst } = before;
      for (const { record } of await parts.readResults(path)) {
        await results.write(integrationResults.record(record, isFirst));
        isFirst = false;
      }
      return { summary, isFirst };
    },
    end: ({ results }) => results.write(integrationResults.footer),
    isTimeUp,
  });
  return second.done ? { summary: second.counts.summary, failures: first.counts.failures } : undefined;
};
