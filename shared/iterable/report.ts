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

/** Joins small texts into chunks worth writing. */
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

/** `integration_results_….json`, in chunks. */
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

/** One line of a CSV file (RFC 4180, ended by LF). */
const csvLine = (cells: readonly (string | null)[]): string => {
  const quoted = cells.map((cell) => (/[",\r\n]/.test(cell ?? '') ? `"${cell?.replaceAll('"', '""')}"` : cell));
  return `${quoted.join(',')}\n`;
};

const cellsOf = (row: SourceRow): (string | null)[] => sourceColumns.map((column) => row[column]);

const csv = <T>(
  header: readonly string[],
  items: AsyncIterable<T>,
  cells: (item: T) => readonly (string | null)[] | undefined,
): AsyncGenerator<string> =>
  inChunks(
    (async function* () {
      yield csvLine(header);
      for await (const item of items) {
        const line = cells(item);
        if (line) yield csvLine(line);
      }
    })(),
  );

/** `query_results_….csv`, in chunks: what the query gave, all eleven columns. */
export const queryResultsCsv = (rows: AsyncIterable<SourceRow>): AsyncGenerator<string> =>
  csv(sourceColumns, rows, cellsOf);

/** `rejected.csv`, in chunks: the rows that are never sent, and why. */
export const rejectedCsv = (rejected: AsyncIterable<RejectedRow>): AsyncGenerator<string> =>
  csv([...sourceColumns, 'reason'], rejected, ({ row, reason }) => [...cellsOf(row), reason]);

/** `failed.csv`, in chunks: the users that failed, the call that did, and what it said. */
export const failedCsv = (results: AsyncIterable<PushResult>): AsyncGenerator<string> =>
  csv([...sourceColumns, 'call', 'code', 'message'], results, ({ record, failedRow }) => {
    if (failedRow === undefined) return undefined;
    const call = record.users_update.success ? 'events_track' : 'users_update';
    const { code, msg } = record[call].response;
    return [...cellsOf(failedRow), call, code, msg];
  });
