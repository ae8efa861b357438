import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  DescribeQueryDefinitionsCommand,
  GetQueryResultsCommand,
  type GetQueryResultsCommandOutput,
  paginateDescribeLogGroups,
  StartQueryCommand,
  StopQueryCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { savedQueries } from '../../../lib/observability/saved-queries';
import { startLogs } from '../ops/logs';

let logs: Awaited<ReturnType<typeof startLogs>>;
let client: CloudWatchLogsClient;
beforeAll(async () => {
  logs = await startLogs();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  client = new CloudWatchLogsClient({ endpoint: logs.url, region: 'us-east-1', credentials });
});
afterEach(() => logs.clear());
afterAll(async () => {
  client.destroy();
  await logs.stop();
});

const startMs = Date.UTC(2026, 10, 22, 8);
const period = { startTime: startMs / 1_000, endTime: startMs / 1_000 + 3_600 };

const resultsOf = async (queryId: string | undefined): Promise<GetQueryResultsCommandOutput> => {
  for (;;) {
    const output = await client.send(new GetQueryResultsCommand({ queryId }));
    if (output.status !== 'Running') return output;
  }
};

const start = (queryString: string, changes: object = {}) =>
  client.send(new StartQueryCommand({ logGroupNames: [logs.webhook.name], queryString, ...period, ...changes }));

test('a query runs over the log groups and the seconds that it was started with', async () => {
  const atSeconds = [-1, 0, 3_600, 3_600.999, 3_601];
  for (const x of atSeconds) logs.webhook.write(startMs + x * 1_000, { x });
  logs.download.write(startMs, { x: 'download' });
  const { queryId } = await start('fields x | sort @timestamp asc', {
    logGroupNames: undefined,
    logGroupIdentifiers: [
      `arn:aws:logs:us-east-1:000000000000:log-group:${logs.webhook.name}:*`,
      `arn:aws:logs:us-east-1:000000000000:log-group:${logs.download.name}`,
    ],
  });
  const { status, results = [], statistics, queryLanguage } = await resultsOf(queryId);
  expect({ status, queryLanguage }).toEqual({ status: 'Complete', queryLanguage: 'CWLI' });
  expect(results.map(([x]) => x)).toEqual(
    ['0', 'download', '3600', '3600.999'].map((value) => ({ field: 'x', value })),
  );
  expect(statistics).toEqual({ recordsMatched: 4, recordsScanned: 4, bytesScanned: expect.any(Number) });
});

test('a query that cannot be read is refused with the place of its fault', async () => {
  await expect(start('filter a ==')).rejects.toMatchObject({
    name: 'MalformedQueryException',
    message: expect.stringContaining('Line 1, col 11'),
    queryCompileError: { location: { startCharOffset: 10 } },
  });
});

test.each([
  ['an unknown log group', { logGroupNames: ['/aws/lambda/nosuch'] }, 'ResourceNotFoundException'],
  ['no log group', { logGroupNames: [] }, 'InvalidParameterException'],
  ['an end before its start', { endTime: period.startTime - 1 }, 'InvalidParameterException'],
  ['a limit over 10,000', { limit: 10_001 }, 'InvalidParameterException'],
])('a query with %s is refused', async (_, changes, name) => {
  await expect(start('fields x', changes)).rejects.toMatchObject({ name });
});

test('a query can be stopped while it runs, and not again', async () => {
  logs.makeEndless();
  const { queryId } = await start('fields x');
  expect((await client.send(new GetQueryResultsCommand({ queryId }))).status).toBe('Running');
  expect(await client.send(new StopQueryCommand({ queryId }))).toMatchObject({ success: true });
  expect(await resultsOf(queryId)).toMatchObject({ status: 'Cancelled', results: [] });
  const again = client.send(new StopQueryCommand({ queryId }));
  await expect(again).rejects.toMatchObject({ name: 'InvalidParameterException' });
});

test('the results of an old query are forgotten', async () => {
  const { queryId } = await start('fields x');
  for (let count = 0; count < 20; count++) await start('fields x');
  const forgotten = client.send(new GetQueryResultsCommand({ queryId }));
  await expect(forgotten).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

test('log groups are found by a prefix or a part of their names, page by page', async () => {
  const prefixed = await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: '/aws/lambda/staging-' }));
  expect(prefixed.logGroups).toMatchObject([{ logGroupName: logs.ofAnotherStage.name }]);
  const names: unknown[] = [];
  const pages = paginateDescribeLogGroups({ client, pageSize: 1 }, { logGroupNamePattern: 'dev-marketplace-' });
  for await (const { logGroups = [] } of pages) names.push(logGroups.map(({ logGroupName }) => logGroupName));
  expect(names).toEqual([[logs.download.name], [logs.webhook.name]]);
});

test('saved queries are found by a prefix', async () => {
  const found = await client.send(
    new DescribeQueryDefinitionsCommand({ queryDefinitionNamePrefix: 'dev-marketplace/Slowest' }),
  );
  expect(found.queryDefinitions).toMatchObject([
    {
      name: 'dev-marketplace/Slowest calls',
      queryString: savedQueries.find(({ name }) => name === 'Slowest calls')?.lines.join('\n'),
      logGroupNames: [logs.webhook.name, logs.download.name],
    },
  ]);
});
