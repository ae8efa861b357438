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

/** A query of CloudWatch Logs Insights that was deployed with the stage. */
export interface SavedQuery {
  /** Says what it is for. */
  readonly name: string;
  readonly queryString: string;
  /** What it asks for by its id, if it does: `order`, `request` or `run`. */
  readonly subject: string | undefined;
}

/** A query that was started, as it stands. */
export interface QueryProgress {
  /** Whether there is nothing more to come: it is complete, or was stopped. */
  readonly ended: boolean;
  readonly logGroups: readonly string[];
  readonly recordsScanned: number;
  readonly recordsMatched: number;
  readonly bytesScanned: number;
  /** Column → value, in the order of the columns, without what a row lacks. */
  readonly rows: readonly ReadonlyMap<string, string>[];
}

interface RunOptions {
  readonly since: Date;
  readonly until: Date;
  /** Most rows. */
  readonly limit: number;
  /** Stops the query. */
  readonly signal: AbortSignal;
}

const firstPollMs = 100;
const slowestPollMs = 1_000;
/** So often in a row a query may be `Unknown` to CloudWatch Logs before it is given up. */
const mostUnknowns = 10;

/** Where a saved query names what it is about: `order_id = "QO-123456"`. */
const subjectPattern = /\b(\w+)_id = "[^"]*"/;

/** The query for another id. */
export const queryAbout = ({ queryString }: SavedQuery, id: string): string =>
  queryString.replace(subjectPattern, (_all, subject: string) => `${subject}_id = ${JSON.stringify(id)}`);

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

/** Searches the logs of a stage, all of its log groups at once. */
export const createLogService = ({ name: stage, logs }: Pick<StageConnection, 'name' | 'logs'>) => {
  const listLogGroups = async (): Promise<string[]> => {
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

  const stopQuery = (queryId: string | undefined): Promise<unknown> =>
    logs.send(new StopQueryCommand({ queryId })).catch((error: unknown) => {
      // It has ended in the meantime.
      if (!(error instanceof InvalidParameterException)) throw error;
    });

  return {
    /** The saved queries, by name. */
    listSaved: async (): Promise<SavedQuery[]> => {
      const prefix = `${stage}-marketplace/`;
      const { queryDefinitions = [] } = await logs.send(
        new DescribeQueryDefinitionsCommand({ queryDefinitionNamePrefix: prefix, maxResults: 1_000 }),
      );
      return queryDefinitions
        .map(({ name = '', queryString = '' }) => ({
          name: name.slice(prefix.length),
          queryString,
          subject: subjectPattern.exec(queryString)?.[1],
        }))
        .sort((a, b) => a.name.localeCompare(b.name));
    },

    /**
     * Runs a query, and tells how it stands until it has ended. Whoever stops it gets what was found by then.
     *
     * @throws {MalformedQueryException} at once, for a query that CloudWatch Logs cannot read
     * @throws {ServiceFault} `absent` when there are no logs, `failed` when CloudWatch Logs gave up
     */
    async *run(queryString: string, { since, until, limit, signal }: RunOptions): AsyncGenerator<QueryProgress> {
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
      for (let pollMs = firstPollMs; ; pollMs = Math.min(2 * pollMs, slowestPollMs)) {
        const answer = await logs.send(new GetQueryResultsCommand({ queryId }));
        unknowns = answer.status === 'Unknown' ? unknowns + 1 : 0;
        if (answer.status === 'Failed' || answer.status === 'Timeout' || unknowns > mostUnknowns) {
          throw new ServiceFault('failed', `CloudWatch Logs ended the query: ${answer.status}.`);
        }
        const progress = progressOf(answer, logGroupNames);
        yield progress;
        if (progress.ended) return;
        if (signal.aborted) {
          await stopQuery(queryId);
          return;
        }
        await wait(pollMs, undefined, { signal }).catch(() => undefined);
      }
    },
  };
};
