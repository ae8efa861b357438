import { setTimeout as wait } from 'node:timers/promises';
import {
  DescribeQueryDefinitionsCommand,
  GetQueryResultsCommand,
  type GetQueryResultsResponse,
  InvalidParameterException,
  paginateDescribeLogGroups,
  StartQueryCommand,
  StopQueryCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { ServiceFault } from './fault';
import type { StageConnection } from './stage-connection';

/** A CloudWatch Logs Insights query that is deployed with the stage. */
export interface SavedQuery {
  /** Describes the purpose of the query. */
  readonly name: string;
  readonly queryString: string;
  /** What the query filters by ID, if it does: `order`, `request` or `run`. */
  readonly subject: string | undefined;
  /** Whether it is the query about its subject that shows most: every event, with all fields. */
  readonly isMain: boolean;
}

/** The current state of a running query. */
export interface QueryProgress {
  /** Whether the query is complete or was stopped. */
  readonly ended: boolean;
  readonly logGroups: readonly string[];
  readonly recordsScanned: number;
  readonly recordsMatched: number;
  readonly bytesScanned: number;
  /** Column → value, in column order. A column without a value in a row is left out. */
  readonly rows: readonly ReadonlyMap<string, string>[];
}

/** The period that a query searches. */
export interface SearchPeriod {
  readonly since: Date;
  readonly until: Date;
}

interface SearchOptions extends SearchPeriod {
  /** Maximum number of rows. */
  readonly limit: number;
}

interface RunOptions extends SearchOptions {
  /** Stops the query when it aborts. */
  readonly signal: AbortSignal;
}

/** A row of a query: column → value. */
export type LogRow = QueryProgress['rows'][number];

const firstPollMs = 100;
const maxPollMs = 1_000;
/** Consecutive `Unknown` states after which the query counts as failed. */
const maxUnknowns = 10;

/** The filter by ID in a saved query: `order_id = "QO-123456"`. */
const subjectPattern = /\b(\w+)_id = "[^"]*"/;

/** Returns the query with another ID in its filter. */
export const withSubjectId = ({ queryString }: SavedQuery, id: string): string =>
  queryString.replace(subjectPattern, (_all, subject: string) => `${subject}_id = ${JSON.stringify(id)}`);

/** Of the queries about a subject that list its events, the one that shows most fields. */
const mainOf = <Query extends Pick<SavedQuery, 'queryString' | 'subject'>>(
  subject: string,
  saved: readonly Query[],
): Query | undefined =>
  saved
    .filter((query) => query.subject === subject && query.queryString.startsWith('fields @timestamp'))
    .sort((a, b) => b.queryString.length - a.queryString.length)[0];

const progressOf = (
  { status, results = [], statistics }: GetQueryResultsResponse,
  logGroups: readonly string[],
): QueryProgress => ({
  ended: status === 'Complete' || status === 'Cancelled',
  logGroups,
  recordsScanned: statistics?.recordsScanned ?? 0,
  recordsMatched: statistics?.recordsMatched ?? 0,
  bytesScanned: statistics?.bytesScanned ?? 0,
  rows: results.map(
    (row) => new Map(row.flatMap(({ field = '', value = '' }) => (field === '@ptr' ? [] : [[field, value]]))),
  ),
});

/** Searches all log groups of a stage. */
export const createLogService = ({ name: stage, logs }: Pick<StageConnection, 'name' | 'logs'>) => {
  const readLogGroups = async (): Promise<string[]> => {
    const names: string[] = [];
    for await (const { logGroups = [] } of paginateDescribeLogGroups(
      { client: logs },
      { logGroupNamePattern: `${stage}-marketplace-` },
    )) {
      names.push(...logGroups.flatMap(({ logGroupName }) => logGroupName ?? []));
    }
    if (names.length === 0) throw new ServiceFault('absent', `The stage ${stage} has no log groups.`);
    return names;
  };

  let logGroups: Promise<string[]> | undefined;
  const listLogGroups = (): Promise<string[]> => {
    logGroups ??= readLogGroups();
    return logGroups;
  };

  const stopQuery = (queryId: string | undefined): Promise<unknown> =>
    logs.send(new StopQueryCommand({ queryId })).catch((error: unknown) => {
      // The query has ended in the meantime.
      if (!(error instanceof InvalidParameterException)) throw error;
    });

  /**
   * Runs a query and yields its state until it ends. A stopped query yields what was found by then.
   *
   * @throws {MalformedQueryException} at the start, if CloudWatch Logs cannot parse the query
   * @throws {ServiceFault} `absent` if there are no log groups, `failed` if CloudWatch Logs ends the query
   */
  async function* run(queryString: string, { since, until, limit, signal }: RunOptions): AsyncGenerator<QueryProgress> {
    const logGroupNames = await listLogGroups();
    const { queryId } = await logs.send(
      new StartQueryCommand({
        logGroupNames,
        queryString,
        startTime: Math.floor(since.getTime() / 1_000),
        endTime: Math.ceil(until.getTime() / 1_000),
        limit,
      }),
    );
    let unknowns = 0;
    for (let pollMs = firstPollMs; ; pollMs = Math.min(2 * pollMs, maxPollMs)) {
      const response = await logs.send(new GetQueryResultsCommand({ queryId }));
      unknowns = response.status === 'Unknown' ? unknowns + 1 : 0;
      if (response.status === 'Failed' || response.status === 'Timeout' || unknowns > maxUnknowns) {
        throw new ServiceFault('failed', `CloudWatch Logs ended the query: ${response.status}.`);
      }
      const progress = progressOf(response, logGroupNames);
      yield progress;
      if (progress.ended) return;
      if (signal.aborted) {
        await stopQuery(queryId);
        return;
      }
      await wait(pollMs, undefined, { signal }).catch(() => undefined);
    }
  }

  return {
    /** Names of the stage's log groups. */
    listLogGroups,

    /** The saved queries, by name. */
    listSaved: async (): Promise<SavedQuery[]> => {
      const prefix = `${stage}-marketplace/`;
      const { queryDefinitions = [] } = await logs.send(
        new DescribeQueryDefinitionsCommand({ queryDefinitionNamePrefix: prefix, maxResults: 1_000 }),
      );
      const saved = queryDefinitions.map(({ name = '', queryString = '' }) => ({
        name: name.slice(prefix.length),
        queryString,
        subject: subjectPattern.exec(queryString)?.[1],
      }));
      return saved
        .map((query) => ({ ...query, isMain: query.subject !== undefined && query === mainOf(query.subject, saved) }))
        .sort((a, b) => a.name.localeCompare(b.name));
    },

    run,

    /**
     * Runs a query to its end and returns its rows.
     *
     * @throws {ServiceFault} as {@link run}
     */
    search: async (queryString: string, options: SearchOptions): Promise<readonly LogRow[]> => {
      let rows: readonly LogRow[] = [];
      const { signal } = new AbortController();
      for await (const progress of run(queryString, { ...options, signal })) rows = progress.rows;
      return rows;
    },
  };
};

export type LogService = ReturnType<typeof createLogService>;
