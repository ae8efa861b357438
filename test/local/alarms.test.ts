import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CloudWatchClient,
  DescribeAlarmHistoryCommand,
  DescribeAlarmsCommand,
  DisableAlarmActionsCommand,
  EnableAlarmActionsCommand,
  PutMetricDataCommand,
  paginateDescribeAlarms,
  SetAlarmStateCommand,
} from '@aws-sdk/client-cloudwatch';
import { type CloudWatch, startCloudWatch } from '../../emulator/cloudwatch/cloudwatch';
import { openOverrides } from '../../emulator/overrides';
import { applicationOf } from './fixture/application';

const startMs = Date.UTC(2026, 10, 27, 8);
const alarm = (more: object) => ({
  Type: 'AWS::CloudWatch::Alarm',
  Properties: {
    ComparisonOperator: 'GreaterThanThreshold',
    EvaluationPeriods: 1,
    Threshold: 0,
    TreatMissingData: 'notBreaching',
    AlarmActions: [{ Ref: 'Page' }],
    OKActions: [{ Ref: 'Ticket' }],
    ...more,
  },
});
const metric = (MetricName: string, Period = 60, Stat = 'Sum') => ({
  MetricStat: { Metric: { Namespace: 'N', MetricName }, Period, Stat },
});
const resources = {
  Page: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'page' } },
  Ticket: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'ticket' } },
  Failed: alarm({
    AlarmName: 'failed',
    AlarmDescription: 'Orders failed.',
    Namespace: 'N',
    MetricName: 'Failed',
    Period: 60,
    Statistic: 'Sum',
  }),
  Rate: alarm({
    AlarmName: 'rate',
    Threshold: 5,
    EvaluationPeriods: 3,
    DatapointsToAlarm: 2,
    Metrics: [
      { Id: 'rate', Expression: 'IF(errors > 1, 100 * errors / calls, 0)', Label: 'error rate (%)' },
      { Id: 'errors', ...metric('Errors'), ReturnData: false },
      { Id: 'calls', ...metric('Calls'), ReturnData: false },
    ],
  }),
  Slow: alarm({
    AlarmName: 'slow',
    Threshold: 100,
    Namespace: 'N',
    MetricName: 'Latency',
    Period: 300,
    ExtendedStatistic: 'p90',
    TreatMissingData: 'missing',
    InsufficientDataActions: [{ Ref: 'Ticket' }],
  }),
  Silent: alarm({
    AlarmName: 'silent',
    ComparisonOperator: 'LessThanThreshold',
    Threshold: 1,
    EvaluationPeriods: 26,
    Namespace: 'N',
    MetricName: 'Accepted',
    Period: 3_600,
    Statistic: 'Sum',
    TreatMissingData: 'breaching',
  }),
};
const application = applicationOf(resources);

const directory = mkdtempSync(path.join(tmpdir(), 'alarms-'));
const switchesFile = path.join(directory, 'switches.json');
afterAll(() => rmSync(directory, { recursive: true }));

let published: { topic: string; subject: string; message: string }[] = [];
let cloudWatch: CloudWatch;
let client: CloudWatchClient;
beforeEach(async () => {
  published = [];
  const publish = (topicArn: string, subject: string, message: string) =>
    published.push({ topic: topicArn.replace(/^.*:/, ''), subject, message });
  cloudWatch = await startCloudWatch(publish, undefined, () => startMs);
  cloudWatch.load(application, openOverrides(switchesFile));
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  client = new CloudWatchClient({ endpoint: cloudWatch.url, region: 'us-east-1', credentials });
});
afterEach(async () => {
  client.destroy();
  await cloudWatch.stop();
});

const put = (values: Readonly<Record<string, number>>) =>
  client.send(
    new PutMetricDataCommand({
      Namespace: 'N',
      MetricData: Object.entries(values).map(([MetricName, Value]) => ({ MetricName, Value })),
    }),
  );
const describe = async (AlarmName: string) => {
  const { MetricAlarms } = await client.send(new DescribeAlarmsCommand({ AlarmNames: [AlarmName] }));
  return MetricAlarms?.[0];
};
const subjectsOf = (name: string) =>
  published.filter(({ subject }) => subject.includes(`"${name}"`)).map(({ topic, subject }) => `${topic} ${subject}`);

test('an alarm goes to ALARM and back to OK, notifies both topics, and keeps its history', async () => {
  await cloudWatch.advance(1);
  expect(await describe('failed')).toMatchObject({ StateValue: 'OK' });
  await put({ Failed: 2 });
  await cloudWatch.advance(1);
  expect(await describe('failed')).toMatchObject({
    StateValue: 'ALARM',
    StateReason:
      'Threshold Crossed: 1 out of the last 1 datapoint [2.0 (27/11/26 08:01:00)] was greater than the threshold (0.0) (minimum 1 datapoint for OK -> ALARM transition).',
    StateUpdatedTimestamp: new Date(startMs + 120_000),
    AlarmArn: 'arn:aws:cloudwatch:us-east-1:000000000000:alarm:failed',
    AlarmActions: ['arn:aws:sns:us-east-1:000000000000:page'],
  });
  // The value replaces the missing ones until it leaves the range of three periods.
  await cloudWatch.advance(2);
  expect(await describe('failed')).toMatchObject({ StateValue: 'ALARM' });
  await cloudWatch.advance(1);
  expect(subjectsOf('failed')).toEqual([
    'ticket OK: "failed" in US East (N. Virginia)',
    'page ALARM: "failed" in US East (N. Virginia)',
    'ticket OK: "failed" in US East (N. Virginia)',
  ]);
  const { AlarmHistoryItems = [] } = await client.send(
    new DescribeAlarmHistoryCommand({ AlarmName: 'failed', ScanBy: 'TimestampAscending' }),
  );
  const [page] = [{ Ref: 'page' }].map(({ Ref }) => `arn:aws:sns:us-east-1:000000000000:${Ref}`);
  expect(AlarmHistoryItems.map(({ HistorySummary }) => HistorySummary).slice(2, 5)).toEqual([
    'Alarm updated from OK to ALARM',
    `Successfully executed action ${page}`,
    'Alarm updated from ALARM to OK',
  ]);
});

test('a notification has the format of CloudWatch', async () => {
  await put({ Failed: 1, Errors: 3, Calls: 10 });
  await cloudWatch.advance(1);
  const { message = '' } = published.find(({ subject }) => subject.startsWith('ALARM: "failed"')) ?? {};
  expect(JSON.parse(message)).toEqual({
    AlarmName: 'failed',
    AlarmDescription: 'Orders failed.',
    AWSAccountId: '000000000000',
    AlarmConfigurationUpdatedTimestamp: '2026-11-27T08:00:00.000+0000',
    NewStateValue: 'ALARM',
    NewStateReason: expect.stringContaining('Threshold Crossed: 1 out of the last 1 datapoint [1.0'),
    StateChangeTime: '2026-11-27T08:01:00.000+0000',
    Region: 'US East (N. Virginia)',
    AlarmArn: 'arn:aws:cloudwatch:us-east-1:000000000000:alarm:failed',
    OldStateValue: 'INSUFFICIENT_DATA',
    OKActions: ['arn:aws:sns:us-east-1:000000000000:ticket'],
    AlarmActions: ['arn:aws:sns:us-east-1:000000000000:page'],
    InsufficientDataActions: [],
    Trigger: {
      MetricName: 'Failed',
      Namespace: 'N',
      StatisticType: 'Statistic',
      Statistic: 'SUM',
      Unit: null,
      Dimensions: [],
      Period: 60,
      EvaluationPeriods: 1,
      ComparisonOperator: 'GreaterThanThreshold',
      Threshold: 0,
      TreatMissingData: 'notBreaching',
      EvaluateLowSampleCountPercentile: '',
    },
  });
});

test('two of three periods above a rate raise an alarm', async () => {
  for (const Errors of [3, 0, 3]) {
    await put({ Errors, Calls: 10 });
    await cloudWatch.advance(1);
  }
  expect(await describe('rate')).toMatchObject({ StateValue: 'ALARM', DatapointsToAlarm: 2 });
  await cloudWatch.advance(5);
  expect(await describe('rate')).toMatchObject({ StateValue: 'OK' });
});

test('a percentile, and an alarm without data', async () => {
  for (let call = 0; call < 10; call++) await put({ Latency: call < 8 ? 10 : 200 });
  await cloudWatch.advance(1);
  expect(await describe('slow')).toMatchObject({ StateValue: 'ALARM', ExtendedStatistic: 'p90' });
  await cloudWatch.advance(20);
  expect(await describe('slow')).toMatchObject({
    StateValue: 'INSUFFICIENT_DATA',
    StateReason: 'Insufficient Data: 1 datapoint was unknown.',
  });
  expect(subjectsOf('slow')).toEqual([
    'page ALARM: "slow" in US East (N. Virginia)',
    'ticket INSUFFICIENT_DATA: "slow" in US East (N. Virginia)',
  ]);
});

test('an alarm on a day without data works within seconds', async () => {
  await put({ Accepted: 1 });
  await cloudWatch.advance(25 * 60);
  expect(await describe('silent')).toMatchObject({ StateValue: 'OK' });
  await cloudWatch.advance(4 * 60);
  expect(await describe('silent')).toMatchObject({ StateValue: 'ALARM' });
});

test('SetAlarmState lasts until the next evaluation, and notifies', async () => {
  await cloudWatch.advance(1);
  await client.send(
    new SetAlarmStateCommand({ AlarmName: 'failed', StateValue: 'ALARM', StateReason: 'a test of the delivery' }),
  );
  expect(await describe('failed')).toMatchObject({ StateValue: 'ALARM', StateReason: 'a test of the delivery' });
  await cloudWatch.advance(1);
  expect(await describe('failed')).toMatchObject({ StateValue: 'OK' });
  expect(subjectsOf('failed')).toHaveLength(3);
  const unknown = new SetAlarmStateCommand({ AlarmName: 'x', StateValue: 'OK', StateReason: '' });
  await expect(client.send(unknown)).rejects.toThrow('There is no alarm x.');
});

test('an alarm whose actions are disabled changes its state without a notification, also after a restart', async () => {
  await client.send(new DisableAlarmActionsCommand({ AlarmNames: ['failed'] }));
  await put({ Failed: 1 });
  await cloudWatch.advance(1);
  expect(await describe('failed')).toMatchObject({ StateValue: 'ALARM', ActionsEnabled: false });
  expect(subjectsOf('failed')).toEqual([]);

  cloudWatch.load(application, openOverrides(switchesFile));
  expect(await describe('failed')).toMatchObject({ StateValue: 'INSUFFICIENT_DATA', ActionsEnabled: false });
  await cloudWatch.advance(1);
  await client.send(new EnableAlarmActionsCommand({ AlarmNames: ['failed'] }));
  await cloudWatch.advance(3);
  expect(subjectsOf('failed')).toEqual(['ticket OK: "failed" in US East (N. Virginia)']);
});

test('lists alarms in pages, by their state, prefix and action', async () => {
  const list = async (input: object, pageSize = 50) => {
    const found: unknown[] = [];
    for await (const { MetricAlarms = [] } of paginateDescribeAlarms({ client, pageSize }, input))
      found.push(...MetricAlarms.map(({ AlarmName }) => AlarmName));
    return found;
  };
  await put({ Failed: 1 });
  await cloudWatch.advance(1);
  expect(await list({}, 2)).toEqual(['failed', 'rate', 'silent', 'slow']);
  expect(await list({ AlarmNamePrefix: 's' })).toEqual(['silent', 'slow']);
  expect(await list({ StateValue: 'INSUFFICIENT_DATA' })).toEqual(['slow']);
  expect(await list({ ActionPrefix: 'arn:aws:sns:us-east-1:000000000000:page' })).toHaveLength(4);
  expect(await list({ AlarmTypes: ['CompositeAlarm'] })).toEqual([]);
});

test.each([
  ['anomaly detection', { ThresholdMetricId: 'band' }, 'ThresholdMetricId'],
  ['actions other than notifications', { AlarmActions: ['arn:aws:lambda:us-east-1:1:function:f'] }, 'only SNS topics'],
  ['periods below a minute', { Period: 10 }, 'only periods of whole minutes are supported'],
  ['other functions', { Metrics: [{ Id: 'a', Expression: "SEARCH('{N}', 'Sum')" }] }, 'the function SEARCH of metric'],
  ['other statistics', { Statistic: 'IQM' }, 'does not support the statistic IQM'],
  ['metrics that no service records', { Namespace: 'AWS/EC2' }, 'does not record AWS/EC2 M by '],
  ['a window of over a day', { EvaluationPeriods: 1_441 }, 'it looks back further than a day'],
])('an alarm with %s is refused when it is loaded', (_what, properties, message) => {
  const load = () =>
    cloudWatch.load(
      applicationOf({
        Bad: alarm({
          Namespace: 'N',
          MetricName: 'M',
          Statistic: 'Sum',
          Period: 60,
          AlarmActions: [],
          OKActions: [],
          ...properties,
        }),
      }),
      openOverrides(switchesFile),
    );
  expect(load).toThrow(message);
});
