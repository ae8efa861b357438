import { csvLine } from '../csv';
import type { PushMode, PushRecord, PushResult } from './push';
import { type RejectedRow, type SourceRow, sourceColumns } from './rows';

/** What became of the users of a run. */
export interface PushCounts {
  readonly total_users: number;
  /** Both calls succeeded. */
  readonly successful: number;
  /** One of the two did. */
  readonly partial_failures: number;
  readonly total_failures: number;
}

/** The head of `integration_results_….json` (contracts: sync-jobs.md). */
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

/** Counts results as they come. */
export const createTally = () => {
  const counts = { total_users: 0, successful: 0, partial_failures: 0, total_failures: 0 };
  return {
    add: ({ overall_success, users_update, events_track }: PushRecord): void => {
      counts.total_users += 1;
      if (overall_success) counts.successful += 1;
      else if (users_update.success || events_track.success) counts.partial_failures += 1;
      else counts.total_failures += 1;
    },
    counts: (): PushCounts => ({ ...counts }),
  };
};

/** Iterable has failed when over half of its users did. */
export const mostFailed = ({ total_failures, total_users }: PushCounts): boolean => total_failures * 2 > total_users;

const chunkLength = 64 * 1_024;

/** Joins small texts to chunks worth writing. */
async function* inChunks(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let parts: string[] = [];
  let length = 0;
  for await (const text of texts) {
    parts.push(text);
    length += text.length;
    if (length < chunkLength) continue;
    yield parts.join('');
    parts = [];
    length = 0;
  }
  if (length > 0) yield parts.join('');
}

/** `integration_results_….json` in chunks, in as little memory for a million results as for one. */
export const integrationResults = (summary: PushSummary, results: AsyncIterable<PushResult>): AsyncGenerator<string> =>
  inChunks(
    (async function* () {
      yield `${JSON.stringify(summary).slice(0, -1)},"records":[`;
      let separator = '\n';
      for await (const { record } of results) {
        yield separator + JSON.stringify(record);
        separator = ',\n';
      }
      yield '\n]}\n';
    })(),
  );

/** A CSV file, for whoever writes it line by line. */
export interface CsvFile<T> {
  readonly header: string;
  line(item: T): string;
}

const cellsOf = (row: SourceRow): string[] => sourceColumns.map((column) => row[column] ?? '');

/** `query_results_….csv`: what the query gave, all eleven columns. */
export const queryResultsCsv: CsvFile<SourceRow> = {
  header: csvLine(sourceColumns),
  line: (row) => csvLine(cellsOf(row)),
};

/** `rejected.csv`: the rows that are never sent, and why. */
export const rejectedCsv: CsvFile<RejectedRow> = {
  header: csvLine([...sourceColumns, 'reason']),
  line: ({ row, reason }) => csvLine([...cellsOf(row), reason]),
};

/** `failed.csv`: the users that failed, which call did, and what it said. No line for a user that did not. */
export const failedCsv: CsvFile<PushResult> = {
  header: csvLine([...sourceColumns, 'call', 'code', 'message']),
  line: ({ record, failedRow }) => {
    if (failedRow === undefined) return '';
    const call = record.users_update.success ? 'events_track' : 'users_update';
    const { code, msg } = record[call].response;
    return csvLine([...cellsOf(failedRow), call, code, msg]);
  },
};
