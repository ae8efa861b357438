import {
  CloudWatchClient,
  GetMetricDataCommand,
  type GetMetricDataCommandInput,
  ListDashboardsCommand,
  ListMetricsCommand,
  PutMetricDataCommand,
} from '@aws-sdk/client-cloudwatch';
import type { Application } from '../../emulator/application';
import { type CloudWatch, startCloudWatch } from '../../emulator/cloudwatch/cloudwatch';
import { unconfigured } from '../support/unconfigured';
import { applicationOf } from './fixture/application';

const startMs = Date.UTC(2026, 10, 27, 8, 0, 30);
let realMs = startMs;
let published: string[][] = [];

const logGroup = '/aws/lambda/webhook';
const application: Application = applicationOf({
  Filter: {
    Type: 'AWS::Logs::MetricFilter',
    Properties: {
      LogGroupName: logGroup,
      FilterPattern: '{ $.level = "ERROR" }',
      MetricTransformations: [{ MetricNamespace: 'Lines', MetricName: 'Errors', MetricValue: '1' }],
    },
  },
});

let cloudWatch: CloudWatch;
let client: CloudWatchClient;
beforeEach(async () => {
  realMs = startMs;
  published = [];
  cloudWatch = await startCloudWatch(
    (...sent) => published.push(sent),
    undefined,
    () => realMs,
  );
  cloudWatch.load(application, { read: (_name, declared) => declared, write: unconfigured('write') });
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  client = new CloudWatchClient({ endpoint: cloudWatch.url, region: 'us-east-1', credentials });
});
afterEach(async () => {
  client.destroy();
  await cloudWatch.stop();
});

const read = async (MetricDataQueries: GetMetricDataCommandInput['MetricDataQueries'], minutes = 10) => {
  const { MetricDataResults = [] } = await client.send(
    new GetMetricDataCommand({
      MetricDataQueries,
      StartTime: new Date(startMs),
      EndTime: new Date(startMs + minutes * 60_000),
      ScanBy: 'TimestampAscending',
    }),
  );
  return MetricDataResults.map(({ Id, Label, Timestamps = [], Values = [] }) => ({
    Id,
    Label,
    points: Timestamps.map((at, index) => [at.toISOString().slice(11, 16), Values[index]]),
  }));
};
const stat = (Id: string, MetricName: string, Stat: string, Period = 60, more: object = {}) => ({
  Id,
  MetricStat: { Metric: { Namespace: 'N', MetricName }, Period, Stat },
  ...more,
});

test('reads what a client puts, as statistics and in metric math', async () => {
  const at = (minute: number) => new Date(startMs + minute * 60_000);
  await client.send(
    new PutMetricDataCommand({
      Namespace: 'N',
      MetricData: [
        { MetricName: 'A', Timestamp: at(0), Values: [1, 2, 3], Counts: [1, 1, 2], Unit: 'Count' },
        { MetricName: 'A', Timestamp: at(6), Value: 5 },
        { MetricName: 'B', Value: 4 },
      ],
    }),
  );
  expect(
    await read([
      stat('sum', 'A', 'Sum'),
      stat('p50', 'A', 'p50', 300),
      stat('b', 'B', 'Sum', 60, { ReturnData: false }),
      { Id: 'both', Expression: 'sum + FILL(b, 0)', Label: 'A and B' },
    ]),
  ).toEqual([
    {
      Id: 'sum',
      Label: 'A',
      points: [
        ['08:00', 9],
        ['08:06', 5],
      ],
    },
    {
      Id: 'p50',
      Label: 'A',
      points: [
        ['08:00', 2],
        ['08:05', 5],
      ],
    },
    {
      Id: 'both',
      Label: 'A and B',
      points: [
        ['08:00', 13],
        ['08:06', 5],
      ],
    },
  ]);
});

test('reads a large, compressed request', async () => {
  const MetricData = Array.from({ length: 900 }, (_, index) => ({ MetricName: 'Large', Value: index }));
  await client.send(new PutMetricDataCommand({ Namespace: 'N', MetricData }));
  expect(await read([stat('count', 'Large', 'SampleCount')])).toEqual([
    { Id: 'count', Label: 'Large', points: [['08:00', 900]] },
  ]);
});

test('counts the lines that match a metric filter, and reads the metrics that lines publish', async () => {
  const directive = { Namespace: 'N', Dimensions: [['service']], Metrics: [{ Name: 'Seen', Unit: 'Count' }] };
  const _aws = { Timestamp: startMs, CloudWatchMetrics: [directive] };
  for (const level of ['INFO', 'ERROR', 'ERROR'])
    cloudWatch.readLine(logGroup, JSON.stringify({ level, service: 'webhook', Seen: 1, _aws }));
  cloudWatch.readLine('/aws/lambda/other', '{"level":"ERROR"}');
  const Dimensions = [{ Name: 'service', Value: 'webhook' }];
  const seen = { Metric: { Namespace: 'N', MetricName: 'Seen', Dimensions }, Period: 60, Stat: 'Sum' };
  const errors = { Metric: { Namespace: 'Lines', MetricName: 'Errors' }, Period: 60, Stat: 'Sum' };
  const results = await read([
    { Id: 'seen', MetricStat: seen },
    { Id: 'errors', MetricStat: errors },
  ]);
  expect(results.map(({ points }) => points)).toEqual([[['08:00', 3]], [['08:00', 2]]]);
});

test('lists metrics', async () => {
  const Dimensions = [{ Name: 'd', Value: '1' }];
  await client.send(
    new PutMetricDataCommand({ Namespace: 'N', MetricData: [{ MetricName: 'A', Value: 1, Dimensions }] }),
  );
  const list = async (input: object) => (await client.send(new ListMetricsCommand(input))).Metrics;
  expect(await list({ Namespace: 'N', Dimensions: [{ Name: 'd' }], RecentlyActive: 'PT3H' })).toEqual([
    { Namespace: 'N', MetricName: 'A', Dimensions },
  ]);
  expect([await list({ MetricName: 'B' }), await list({ Dimensions: [{ Name: 'd', Value: '2' }] })]).toEqual([[], []]);
});

test('a metric stays at its time when the clock is advanced over HTTP', async () => {
  const put = () =>
    client.send(new PutMetricDataCommand({ Namespace: 'N', MetricData: [{ MetricName: 'A', Value: 1 }] }));
  await put();
  const response = await fetch(`${cloudWatch.url}/_control/advance`, { method: 'POST', body: '{"minutes":5}' });
  expect(await response.json()).toEqual({ now: '2026-11-27T08:05:30.000Z' });
  realMs += 60_000;
  await put();
  expect(await read([stat('a', 'A', 'Sum')])).toEqual([
    {
      Id: 'a',
      Label: 'A',
      points: [
        ['08:00', 1],
        ['08:06', 1],
      ],
    },
  ]);
});

test.each<[string, () => Promise<unknown>]>([
  ['does not serve ListDashboards of CloudWatch', () => client.send(new ListDashboardsCommand({}))],
  ['the function RATE of metric math', () => read([stat('a', 'A', 'Sum'), { Id: 'b', Expression: 'RATE(a)' }])],
  ['There is no metric with the id c.', () => read([{ Id: 'b', Expression: 'c + 1' }])],
  [
    'The expression a refers to itself.',
    () =>
      read([
        { Id: 'a', Expression: 'b' },
        { Id: 'b', Expression: 'a' },
      ]),
  ],
  [
    'different periods: 60, 300',
    () => read([stat('a', 'A', 'Sum'), stat('b', 'A', 'Sum', 300), { Id: 'c', Expression: 'a + b' }]),
  ],
  ['the statistic tm99', () => read([stat('a', 'A', 'tm99')])],
  ['only periods of whole minutes', () => read([stat('a', 'A', 'Sum', 10)])],
  [
    'AWS/ for parameter Namespace',
    () => client.send(new PutMetricDataCommand({ Namespace: 'AWS/SQS', MetricData: [] })),
  ],
])('refuses what it does not support: %s', async (message, send) => {
  await expect(send()).rejects.toThrow(message);
});
