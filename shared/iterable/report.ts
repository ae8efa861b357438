import { csvLine, guardFormula } from '../csv';
import type { PushFailure, PushMode, PushRecord, PushResult } from './push';
import { type RejectedRow, type SourceRow, sourceColumns } from './rows';
import type { Extracted } from './user-parts';

/** Counts of the users of a run by result. */
export interface PushCounts {
  readonly total_users: number;
  /** Both calls succeeded. */
  readonly successful: number;
  /** Only one of the two succeeded. */
  readonly partial_failures: number;
  readonly total_failures: number;
}

/** The head of `integration_results_….json` (docs/contracts/sync-jobs.md). */
export interface PushSummary extends PushCounts {
  readonly rejected: number;
  readonly retries: number;
  readonly authentication: 'api_key' | 'jwt';
  readonly mode: PushMode;
  readonly dry_run: boolean;
  /** ISO 8601. */
  readonly started_at: string;
  readonly finished_at: string;
  readonly duration_seconds: number;
}

/** The counts before the first result. */
export const noCounts: PushCounts = { total_users: 0, successful: 0, partial_failures: 0, total_failures: 0 };

/** Adds one result to the counts. */
export const countRecord = (counts: PushCounts, { overall_success, users_update, events_track }: PushRecord) => {
  const partial = !overall_success && (users_update.success || events_track.success);
  return {
    total_users: counts.total_users + 1,
    successful: counts.successful + (overall_success ? 1 : 0),
    partial_failures: counts.partial_failures + (partial ? 1 : 0),
    total_failures: counts.total_failures + (overall_success || partial ? 0 : 1),
  };
};

/** A run logs a line for each of this many failed users. If more failed, it logs one line for each kind of failure. */
export const maxFailuresLogged = 100;

/** How many users failed in the same way, for the log. */
export interface FailureCount {
  readonly error_code: PushFailure['error_code'];
  readonly reason: string;
  readonly count: number;
}

/** Adds one failure to the counts. */
export const countFailure = (
  counts: readonly FailureCount[],
  { error_code, reason }: Pick<PushFailure, 'error_code' | 'reason'>,
): FailureCount[] => {
  const isSame = (one: FailureCount) => one.error_code === error_code && one.reason === reason;
  const count = 1 + (counts.find(isSame)?.count ?? 0);
  return [...counts.filter((one) => !isSame(one)), { error_code, reason, count }];
};

/** How many users have the same reason: rows that were never sent, and users that failed. */
export interface ReasonCount {
  readonly outcome: 'rejected' | 'failed';
  /** Only for a failed user. */
  readonly error_code?: string | undefined;
  readonly reason: string;
  readonly count: number;
}

/** All reasons of a run, the most frequent first. */
export const countReasons = (
  rejectedBy: Readonly<Record<string, number>>,
  failures: readonly FailureCount[],
): ReasonCount[] =>
  [
    ...Object.entries(rejectedBy).map(([reason, count]) => ({ outcome: 'rejected', reason, count }) as const),
    ...failures.map((kind) => ({ outcome: 'failed', ...kind }) as const),
  ].toSorted((a, b) => b.count - a.count);

/** What is unusual about the number of users of a query; absent if nothing is. */
export const unusualNumber = ({
  rows,
  usual_users = 0,
}: Pick<Extracted, 'rows' | 'usual_users'>): string | undefined => {
  if (rows === 0) return 'The query returned no users';
  if (rows * 2 >= usual_users) return undefined;
  return `The query returned ${rows} users, less than half of the usual ${usual_users}`;
};

/** Paths of the extraction's CSV files in the run's folder. @param stamp the run's `fileStamp` */
export const extractionPaths = (stamp: string) => ({
  queryResults: `iterable/query_results_${stamp}.csv`,
  rejected: 'iterable/rejected.csv',
});

/**
 * Whether over half of the users failed, and so the job.
 *
 * @param users of the query, including those that were not sent because Iterable has them already
 */
export const overHalfFailed = ({ total_failures, total_users }: PushCounts, users = total_users): boolean =>
  total_failures * 2 > users;

/** From this number of users on, one that failed is no reason to look at the run. */
const usersPerTolerated = 20;

/**
 * Whether so few users failed, or were sent in part, that the job has succeeded (docs/contracts/sync-jobs.md): at most
 * `percent` of the users, or a single one of twenty and more. With 0, none.
 *
 * @param users of the query, including those that were not sent because Iterable has them already
 */
export const fewFailed = (
  { partial_failures, total_failures, total_users }: PushCounts,
  percent: number,
  users = total_users,
): boolean => {
  const failed = partial_failures + total_failures;
  const isOneOfMany = failed === 1 && users >= usersPerTolerated && percent > 0;
  return isOneOfMany || failed * 100 <= users * percent;
};

/** The pieces of `integration_results_….json`, to write it record by record. */
export const integrationResults = {
  header: (summary: PushSummary): string => `${JSON.stringify(summary).slice(0, -1)},"records":[`,
  record: (record: PushRecord, isFirst: boolean): string => `${isFirst ? '' : ','}\n${JSON.stringify(record)}`,
  footer: '\n]}\n',
} as const;

/** A CSV file, to write line by line. */
export interface CsvFile<T> {
  readonly header: string;
  line(item: T): string;
}

/** A line for people, who open these files in a spreadsheet: text from untrusted sources must not run there. */
const guardedLine = (cells: readonly string[]): string => csvLine(cells.map(guardFormula));

const cellsOf = (row: SourceRow): string[] => sourceColumns.map((column) => row[column] ?? '');

/** `query_results_….csv`: the result of the query, all eleven columns. */
export const queryResultsCsv: CsvFile<SourceRow> = {
  header: csvLine(sourceColumns),
  line: (row) => guardedLine(cellsOf(row)),
};

/** `rejected.csv`: the rows that are never sent, and why. */
export const rejectedCsv: CsvFile<RejectedRow> = {
  header: csvLine([...sourceColumns, 'reason']),
  line: ({ row, reason }) => guardedLine([...cellsOf(row), reason]),
};

/** `failed.csv`: users that failed, with the failed call and its response. Empty for a user that succeeded. */
export const failedCsv: CsvFile<PushResult> = {
  header: csvLine([...sourceColumns, 'call', 'code', 'message']),
  line: ({ record, failedRow }) => {
    if (failedRow === undefined) return '';
    const call = record.users_update.success ? 'events_track' : 'users_update';
    const { code, msg } = record[call].response;
    return guardedLine([...cellsOf(failedRow), call, code, msg]);
  },
};
