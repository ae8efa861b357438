import {
  CloudWatchLogsClient,
  CreateLogStreamCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  DescribeQueryDefinitionsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  GetQueryResultsCommand,
  type GetQueryResultsCommandOutput,
  PutLogEventsCommand,
  paginateDescribeLogGroups,
  paginateFilterLogEvents,
  StartQueryCommand,
  StopQueryCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { savedQueries } from '../../lib/observability/saved-queries';
import { startLogs } from '../integration/ops/logs';

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

describe('events that a program puts', () => {
  const stream = { logGroupName: '/marketplace/dev/actions', logStreamName: '2026-11-22' };
  const put = (changes: object = {}) =>
    client.send(
      new PutLogEventsCommand({ ...stream, logEvents: [{ timestamp: startMs, message: '{"a":1}' }], ...changes }),
    );

  test('need a stream, which is created once, and are read like others', async () => {
    await expect(put()).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await client.send(new CreateLogStreamCommand(stream));
    await expect(client.send(new CreateLogStreamCommand(stream))).rejects.toMatchObject({
      name: 'ResourceAlreadyExistsException',
    });
    await put();
    const { events } = await client.send(new FilterLogEventsCommand({ logGroupName: stream.logGroupName }));
    expect(events).toMatchObject([{ logStreamName: '2026-11-22', timestamp: startMs, message: '{"a":1}' }]);
  });

  test('are rejected without a group, or if they are empty', async () => {
    await expect(put({ logGroupName: '/nosuch' })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(put({ logEvents: [] })).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });
});

test('a query covers exactly its log groups and its period', async () => {
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

test('a query with a syntax error is rejected with the position of the error', async () => {
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
])('a query with %s is rejected', async (_, changes, name) => {
  await expect(start('fields x', changes)).rejects.toMatchObject({ name });
});

test('a running query can be stopped, but only once', async () => {
  logs.makeEndless();
  const { queryId } = await start('fields x');
  expect((await client.send(new GetQueryResultsCommand({ queryId }))).status).toBe('Running');
  expect(await client.send(new StopQueryCommand({ queryId }))).toMatchObject({ success: true });
  expect(await resultsOf(queryId)).toMatchObject({ status: 'Cancelled', results: [] });
  const again = client.send(new StopQueryCommand({ queryId }));
  await expect(again).rejects.toMatchObject({ name: 'InvalidParameterException' });
});

test('the results of an old query are dropped', async () => {
  const { queryId } = await start('fields x');
  for (let count = 0; count < 20; count++) await start('fields x');
  const dropped = client.send(new GetQueryResultsCommand({ queryId }));
  await expect(dropped).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

test('log groups are listed by a prefix or a part of their names, in pages', async () => {
  const prefixed = await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: '/aws/lambda/staging-' }));
  expect(prefixed.logGroups).toMatchObject([{ logGroupName: logs.ofAnotherStage.name }]);
  const names: unknown[] = [];
  const pages = paginateDescribeLogGroups({ client, pageSize: 1 }, { logGroupNamePattern: 'dev-marketplace-' });
  for await (const { logGroups = [] } of pages) names.push(logGroups.map(({ logGroupName }) => logGroupName));
  expect(names).toEqual([[logs.download.name], [logs.webhook.name]]);
});

test('saved queries are listed by a prefix', async () => {
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

describe('the events of a log group', () => {
  const logGroupName = () => logs.webhook.name;
  /** Ten seconds, each with one line. */
  const writeTen = () => {
    for (let second = 0; second < 10; second++) {
      logs.webhook.write(startMs + second * 1_000, { second, level: second % 2 === 0 ? 'INFO' : 'WARN' });
    }
  };
  const secondsOf = (events: readonly { message?: string | undefined }[] = []): unknown[] =>
    events.map(({ message = '' }) => JSON.parse(message).second);
  const filter = (more: object = {}) =>
    client.send(new FilterLogEventsCommand({ logGroupName: logGroupName(), ...more }));

  test('are filtered by time and pattern, oldest first', async () => {
    writeTen();
    const { events } = await filter({ startTime: startMs + 2_000, endTime: startMs + 9_000, filterPattern: 'WARN' });
    expect(secondsOf(events)).toEqual([3, 5, 7]);
    expect(events?.[0]).toEqual({
      eventId: expect.stringMatching(/^\d{56}$/),
      logStreamName: 'stream',
      timestamp: startMs + 3_000,
      ingestionTime: startMs + 3_000,
      message: JSON.stringify({ second: 3, level: 'WARN' }),
    });
    expect(secondsOf((await filter({ filterPattern: '{ $.second >= 8 }' })).events)).toEqual([8, 9]);
    expect((await filter({ logStreamNames: ['other'] })).events).toEqual([]);
    expect(secondsOf((await filter({ logStreamNamePrefix: 'str' })).events)).toHaveLength(10);
  });

  test('are returned in pages', async () => {
    writeTen();
    const pages: unknown[] = [];
    for await (const { events } of paginateFilterLogEvents({ client, pageSize: 4 }, { logGroupName: logGroupName() }))
      pages.push(secondsOf(events));
    expect(pages).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
  });

  test('are limited to one megabyte per page', async () => {
    for (let second = 0; second < 5; second++) logs.webhook.write(startMs, { second, text: 'x'.repeat(400_000) });
    const pages: unknown[] = [];
    for await (const { events } of paginateFilterLogEvents({ client }, { logGroupName: logGroupName() }))
      pages.push(secondsOf(events));
    expect(pages).toEqual([[0, 1], [2, 3], [4]]);
  });

  // `aws logs tail --follow` repeats its request from the newest event, and shows each id once.
  test('have the same ids in every response; equal events have different ids', async () => {
    writeTen();
    const newest = { second: 9, level: 'WARN' };
    logs.webhook.write(startMs + 9_000, newest);
    const idsOf = async (more: object) => (await filter(more)).events?.map(({ eventId }) => eventId) ?? [];
    const all = await idsOf({});
    expect(new Set(all).size).toBe(11);
    logs.webhook.write(startMs + 9_000, newest);
    const later = await idsOf({ startTime: startMs + 9_000 });
    expect(later).toHaveLength(3);
    expect(later.slice(0, 2)).toEqual(all.slice(-2));
  });

  test('can be read from one stream in both directions, up to its ends', async () => {
    writeTen();
    const read = (more: object) =>
      client.send(
        new GetLogEventsCommand({ logGroupName: logGroupName(), logStreamName: 'stream', limit: 4, ...more }),
      );
    const last = await read({});
    expect(secondsOf(last.events)).toEqual([6, 7, 8, 9]);
    const before = await read({ nextToken: last.nextBackwardToken });
    expect(secondsOf(before.events)).toEqual([2, 3, 4, 5]);
    const first = await read({ nextToken: before.nextBackwardToken });
    expect(secondsOf(first.events)).toEqual([0, 1]);
    const end = await read({ nextToken: first.nextBackwardToken });
    expect([secondsOf(end.events), end.nextBackwardToken]).toEqual([[], first.nextBackwardToken]);

    const head = await read({ startFromHead: true });
    expect(secondsOf(head.events)).toEqual([0, 1, 2, 3]);
    logs.webhook.write(startMs + 10_000, { second: 10 });
    const forward = await read({ nextToken: last.nextForwardToken });
    expect(secondsOf(forward.events)).toEqual([10]);
    const done = await read({ nextToken: forward.nextForwardToken });
    expect([secondsOf(done.events), done.nextForwardToken]).toEqual([[], forward.nextForwardToken]);
  });

  test('belong to streams, which are listed with their times', async () => {
    writeTen();
    const { logStreams } = await client.send(
      new DescribeLogStreamsCommand({
        logGroupIdentifier: `arn:aws:logs:us-east-1:000000000000:log-group:${logs.webhook.name}`,
        orderBy: 'LastEventTime',
        descending: true,
      }),
    );
    expect(logStreams).toMatchObject([
      { logStreamName: 'stream', firstEventTimestamp: startMs, lastEventTimestamp: startMs + 9_000 },
    ]);
  });

  test.each([
    ['an unknown log group', { logGroupName: '/aws/lambda/nosuch' }, 'ResourceNotFoundException'],
    ['an invalid pattern', { filterPattern: '[a, b]' }, 'InvalidParameterException'],
    ['an invalid token', { nextToken: 'x' }, 'InvalidParameterException'],
    ['a limit over 10,000', { limit: 10_001 }, 'InvalidParameterException'],
  ])('are not returned for %s', async (_, changes, name) => {
    await expect(filter(changes)).rejects.toMatchObject({ name });
  });
});
