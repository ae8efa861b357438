import { randomUUID } from 'node:crypto';
import { parseQuery } from './insights/parse-query';
import type { LogEvent } from './insights/row';
import { type QueryStatistics, type ResultRow, type RunOptions, runQuery } from './insights/run-query';

/** The current state of a query. */
export interface StartedQuery {
  readonly status: 'Running' | 'Complete' | 'Cancelled' | 'Failed';
  /** Empty until it is complete. */
  readonly rows: readonly ResultRow[];
  readonly statistics: Readonly<QueryStatistics>;
  stop(): void;
}

/** The started queries. */
export interface Queries {
  /**
   * Starts a query.
   * @returns the query's id
   * @throws {QuerySyntaxError}
   */
  start(queryString: string, events: AsyncIterable<LogEvent>, options: Omit<RunOptions, 'signal'>): string;
  find(id: string): StartedQuery | undefined;
  stopAll(): void;
}

/** Maximum number of queries whose results are kept. */
const maxRemembered = 20;

/** Runs queries, and keeps the results of the newest. */
export const createQueries = (): Queries => {
  const queries = new Map<string, () => StartedQuery>();
  return {
    start(queryString, events, options) {
      const query = parseQuery(queryString);
      const controller = new AbortController();
      const { statistics, rows } = runQuery(query, events, { ...options, signal: controller.signal });
      let ended: Pick<StartedQuery, 'status' | 'rows'> = { status: 'Running', rows: [] };
      rows.then(
        (result) => {
          ended = { status: 'Complete', rows: result };
        },
        () => {
          ended = { status: controller.signal.aborted ? 'Cancelled' : 'Failed', rows: [] };
        },
      );
      const id = randomUUID();
      queries.set(id, () => ({ ...ended, statistics, stop: () => controller.abort() }));
      for (const oldest of [...queries.keys()].slice(0, -maxRemembered)) {
        queries.get(oldest)?.().stop();
        queries.delete(oldest);
      }
      return id;
    },
    find: (id) => queries.get(id)?.(),
    stopAll: () => {
      for (const query of queries.values()) {
        query().stop();
      }
    },
  };
};
