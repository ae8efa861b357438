import { setTimeout as sleep } from 'node:timers/promises';
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  DescribeQueryDefinitionsCommand,
  GetQueryResultsCommand,
  StartQueryCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { clientConfig } from './pipeline';
import { target } from './target';

/** The name prefix of the stage's resources: `dev-marketplace`. */
const prefix = target().outputs.ReconcilerFunctionName.replace(/-reconciler$/, '');
const client = new CloudWatchLogsClient(clientConfig('logs'));

/** A row of a result, without the pointer to its event. */
export type ResultRow = Readonly<Record<string, string>>;

/** The log groups of all Lambdas. */
export const lambdaLogGroups = async (): Promise<string[]> => {
  const { logGroups = [] } = await client.send(
    new DescribeLogGroupsCommand({ logGroupNamePrefix: `/aws/lambda/${prefix}-`, limit: 50 }),
  );
  return logGroups.flatMap(({ logGroupName }) => logGroupName ?? []);
};

/** The saved queries, by name without the stage. */
export const savedQueries = async () => {
  const { queryDefinitions = [] } = await client.send(
    new DescribeQueryDefinitionsCommand({ queryDefinitionNamePrefix: `${prefix}/` }),
  );
  return new Map(
    queryDefinitions.map(({ name = '', queryString = '', logGroupNames = [] }) => [
      name.slice(prefix.length + 1),
      { queryString, logGroupNames },
    ]),
  );
};

/** The maximum number of rows of CloudWatch Logs. */
export const maxRows = 10_000;

interface Search {
  readonly logGroupNames: readonly string[];
  /** Epoch ms. */
  readonly sinceMs: number;
  readonly untilMs?: number;
}

/** Runs an Insights query to its end. @throws {Error} if it does not complete */
export const search = async (queryString: string, { logGroupNames, sinceMs, untilMs }: Search) => {
  const { queryId } = await client.send(
    new StartQueryCommand({
      queryString,
      logGroupNames: [...logGroupNames],
      startTime: Math.floor(sinceMs / 1_000),
      endTime: Math.ceil((untilMs ?? Date.now()) / 1_000),
      limit: maxRows,
    }),
  );
  for (;;) {
    const { status, results = [] } = await client.send(new GetQueryResultsCommand({ queryId }));
    if (status === 'Complete') {
      return results.map(
        (row): ResultRow =>
          Object.fromEntries(row.flatMap(({ field = '', value = '' }) => (field === '@ptr' ? [] : [[field, value]]))),
      );
    }
    if (status !== 'Running' && status !== 'Scheduled') throw new Error(`The query ended ${status}: ${queryString}`);
    await sleep(50);
  }
};
