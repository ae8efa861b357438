import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { runInNewContext } from 'node:vm';
import { Match } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { parseQuery } from '../../emulator/logs/insights/parse-query';
import { runbookHeadings } from '../../lib/constructs/alarm';
import { savedQueries } from '../../lib/observability/saved-queries';
import { createRandom } from '../../local/simulators/random';
import { resources, synthesize } from './synth';

const { data, orderPipeline, syncJobs, observability } = synthesize('prod');
const lambdas = ['webhook', 'download', 'processing', 'reconciler'];
const queues = ['download', 'processing'];
const refusesPlainHttp = { Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } };

const exportSchema = z.object({ Value: z.unknown(), Export: z.object({ Name: z.unknown() }).optional() });
const periodSchema = z.object({ Period: z.number() });
const alarmSchema = z.object({
  AlarmName: z.string(),
  AlarmDescription: z.string(),
  AlarmActions: z.array(z.unknown()).length(1),
  ComparisonOperator: z.enum(['GreaterThanThreshold', 'LessThanThreshold']),
  Threshold: z.number(),
  EvaluationPeriods: z.number(),
  DatapointsToAlarm: z.number().optional(),
  Period: z.number().optional(),
  Metrics: z.array(z.object({ Expression: z.string().optional(), MetricStat: periodSchema.optional() })).default([]),
  TreatMissingData: z.enum(['notBreaching', 'breaching']),
});
const alarms = resources(observability, 'AWS::CloudWatch::Alarm').map(({ Properties }) =>
  alarmSchema.parse(Properties),
);

/** The condition of an alarm in one line. Missing data is mentioned only if it raises the alarm. */
const conditionOf = (alarm: z.output<typeof alarmSchema>): string => {
  const { ComparisonOperator, Threshold, EvaluationPeriods, DatapointsToAlarm = EvaluationPeriods } = alarm;
  const seconds = alarm.Period ?? alarm.Metrics.find(({ MetricStat }) => MetricStat)?.MetricStat?.Period;
  const expression = alarm.Metrics.find(({ Expression }) => Expression)?.Expression ?? '';
  const sign = ComparisonOperator === 'GreaterThanThreshold' ? '>' : '<';
  const missing = alarm.TreatMissingData === 'breaching' ? ', or missing' : '';
  return `${expression} ${sign} ${Threshold}${missing}, ${DatapointsToAlarm} of ${EvaluationPeriods} x ${seconds} s`.trim();
};

test('the alarms have these conditions, and there are no others', () => {
  const conditions = alarms.map((alarm) => [alarm.AlarmName.replace('prod-marketplace-', ''), conditionOf(alarm)]);
  expect(Object.fromEntries(conditions)).toEqual({
    ...Object.fromEntries(
      lambdas.flatMap((name) => [
        [`${name}-fails`, 'IF(errors > 1, 100 * errors / invocations, 0) > 5, 1 of 1 x 300 s'],
        [`${name}-is-throttled`, '> 0, 1 of 1 x 300 s'],
      ]),
    ),
    ...Object.fromEntries(
      queues.flatMap((name) => [
        [`${name}-dead-letters`, '> 0, 1 of 1 x 300 s'],
        [`${name}-falls-behind`, '> 900, 1 of 1 x 300 s'],
        [`${name}-api-stays-down`, '> 0, 3 of 3 x 300 s'],
      ]),
    ),
    'webhook-5xx': 'IF(errors > 1, 100 * errors / requests, 0) > 1, 3 of 5 x 60 s',
    'webhook-5xx-few-calls': 'IF(requests < 10, errors, 0) > 0, 2 of 15 x 60 s',
    'webhook-throttled': '> 0, 1 of 1 x 300 s',
    'webhook-refusals': '> 50, 1 of 1 x 300 s',
    'webhook-errors': '> 0, 1 of 1 x 300 s',
    'no-webhooks': '< 1, or missing, 24 of 24 x 3600 s',
    'orders-failed': 'FILL(download, 0) + FILL(processing, 0) > 0, 1 of 1 x 300 s',
    'orders-reconciled': '> 0, 1 of 1 x 300 s',
    'orders-missing': '> 0, 1 of 1 x 3600 s',
    'orders-drifted': '> 0, 1 of 1 x 3600 s',
    'reconciler-not-run': '< 1, or missing, 3 of 3 x 3600 s',
    'reconciler-dead-letters': '> 0, 1 of 1 x 300 s',
    'end-to-end-latency': '> 300000, 1 of 1 x 300 s',
    'sync-failed': '> 0, 1 of 1 x 300 s',
    'sync-timed-out': '> 0, 1 of 1 x 300 s',
    'no-sync-run': '< 1, or missing, 26 of 26 x 3600 s',
  });
});

test.each([
  ['WebhookErrorLines', 'webhook-errors', '{ $.level = "ERROR" }'],
  ['WebhookThrottled', 'webhook-throttled', '{ ($.status_code = "429") && ($.route = "POST /webhooks/qualia") }'],
])('%s counts log lines, and raises the alarm %s', (metric, alarm, FilterPattern) => {
  observability.hasResourceProperties('AWS::Logs::MetricFilter', {
    FilterPattern,
    MetricTransformations: [Match.objectLike({ MetricName: `prod-${metric}`, MetricValue: '1' })],
  });
  const counting = resources(observability, 'AWS::CloudWatch::Alarm').filter(
    ({ Properties }) => Properties.MetricName === `prod-${metric}`,
  );
  expect(counting.map(({ Properties }) => Properties.AlarmName)).toEqual([`prod-marketplace-${alarm}`]);
});

describe('the alarms on 5xx', () => {
  const rules = alarms.filter(({ AlarmName }) => AlarmName.startsWith('prod-marketplace-webhook-5xx'));

  /** Metrics of the API in one minute. CloudWatch has no data for a minute without calls. */
  interface Minute {
    readonly requests: number;
    readonly errors: number;
  }
  const isBreaching = ({ Metrics, Threshold }: (typeof rules)[number], { requests, errors }: Minute): boolean => {
    const { Expression = '' } = Metrics.find(({ Expression }) => Expression) ?? {};
    const IF = (condition: boolean, then: number, otherwise: number) => (condition ? then : otherwise);
    return requests > 0 && runInNewContext(Expression, { IF, requests, errors }) > Threshold;
  };
  /** Number of minutes until the first alarm. */
  const minutesUntilAlarm = (minutes: readonly Minute[]): number => {
    for (let end = 1; end <= minutes.length; end++) {
      const isAlarm = rules.some((rule) => {
        const evaluated = minutes.slice(Math.max(0, end - rule.EvaluationPeriods), end);
        return evaluated.filter((minute) => isBreaching(rule, minute)).length >= (rule.DatapointsToAlarm ?? 1);
      });
      if (isAlarm) return end;
    }
    return Number.POSITIVE_INFINITY;
  };

  test.each([
    ['10,000', 10_000, 8],
    ['100,000', 100_000, 3],
    ['1,000,000', 1_000_000, 3],
  ])('at %s orders per month, report an outage within minutes in the median', (_name, orders, within) => {
    const { fraction } = createRandom(42);
    const perMinute = orders / (30 * 24 * 60);
    const arrivals = () => {
      let count = 0;
      for (let left = Math.exp(-perMinute), product = fraction(); product > left; product *= fraction()) count += 1;
      return count;
    };
    const outage = () => Array.from({ length: 240 }, arrivals).map((count) => ({ requests: count, errors: count }));
    const delays = Array.from({ length: 500 }, () => minutesUntilAlarm(outage())).sort((a, b) => a - b);
    expect(delays[250]).toBeLessThanOrEqual(within);
  });

  test.each([
    ['one call of two', [{ requests: 2, errors: 1 }]],
    [
      'one call of one, and the next ones pass',
      [
        { requests: 1, errors: 1 },
        { requests: 1, errors: 0 },
      ],
    ],
    [
      'one call in each minute of more than a hundred calls',
      Array.from({ length: 60 }, () => ({ requests: 150, errors: 1 })),
    ],
  ])('stay silent when %s fails', (_name, minutes) => {
    expect(minutesUntilAlarm(minutes)).toBe(Number.POSITIVE_INFINITY);
  });
});

test('each alarm links to a heading of the runbook, and each such heading has an alarm', () => {
  const runbook = readFileSync('docs/runbook.md', 'utf8');
  const anchors = [...runbook.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  );
  const linked = alarms.map(({ AlarmDescription }) => /docs\/runbook\.md#(\S+)$/.exec(AlarmDescription)?.[1]);
  expect(new Set(linked)).toEqual(new Set(runbookHeadings));
  expect(anchors).toEqual(expect.arrayContaining([...runbookHeadings]));
});

test('X-Ray traces every run of the state machine, the only service that sampling rules affect', () => {
  const [machine] = resources(syncJobs, 'AWS::StepFunctions::StateMachine');
  const rules = resources(observability, 'AWS::XRay::SamplingRule').map(({ Properties }) => Properties.SamplingRule);
  expect(rules).toEqual([
    expect.objectContaining({ ServiceName: machine?.Properties.StateMachineName, FixedRate: 1, ServiceType: '*' }),
  ]);
});

test('the topic is encrypted with a key that CloudWatch may use, and accepts only TLS', () => {
  observability.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
  const cloudWatch = { Effect: 'Allow', Principal: { Service: 'cloudwatch.amazonaws.com' } };
  observability.hasResourceProperties('AWS::KMS::Key', {
    EnableKeyRotation: true,
    KeyPolicy: { Statement: Match.arrayWith([Match.objectLike(cloudWatch)]) },
  });
  observability.hasResourceProperties('AWS::SNS::TopicPolicy', {
    PolicyDocument: { Statement: [Match.objectLike(refusesPlainHttp), Match.objectLike(cloudWatch)] },
  });
});

/** References to the log groups of all stacks from the last stack: imports of their exports. */
const allLogGroups = [orderPipeline, syncJobs, data, observability].flatMap((stack) => {
  const exports = Object.values(stack.findOutputs('*')).map((output) => exportSchema.parse(output));
  return Object.keys(stack.findResources('AWS::Logs::LogGroup')).map((logicalId) => {
    const named = exports.find(({ Value }) => isDeepStrictEqual(Value, { Ref: logicalId }));
    return { 'Fn::ImportValue': named?.Export?.Name };
  });
});

test('the saved queries search every log group of the stacks', () => {
  const searched = resources(observability, 'AWS::Logs::QueryDefinition').map(
    ({ Properties }) => Properties.LogGroupNames,
  );
  expect(searched).toHaveLength(savedQueries.length);
  for (const logGroups of searched) {
    expect(logGroups).toHaveLength(allLogGroups.length);
    expect(logGroups).toEqual(expect.arrayContaining(allLogGroups));
  }
});

test.each([
  'fields @timestamp, order_id, status\n| filter order_id = "QO-123456"\n| sort @timestamp asc',
  'fields @timestamp, error\n| filter level = "ERROR"\n| stats count() by bin(5m)',
  'fields @timestamp, response_time_ms\n| filter response_time_ms > 0\n| stats avg(response_time_ms), max(response_time_ms), pct(response_time_ms, 95)',
])('saved: %s', (QueryString) => {
  observability.hasResourceProperties('AWS::Logs::QueryDefinition', { QueryString });
});

test.each(savedQueries)('saved, and valid: $name', ({ name, lines }) => {
  observability.hasResourceProperties('AWS::Logs::QueryDefinition', {
    // The pattern of names in CloudFormation.
    Name: Match.stringLikeRegexp('^([^:*/]+/?)*[^:*/]+$'),
    QueryString: lines.join('\n'),
  });
  observability.hasResourceProperties('AWS::Logs::QueryDefinition', { Name: `prod-marketplace/${name}` });
  expect(parseQuery(lines.join('\n'))).not.toEqual([]);
});

describe('the dashboard', () => {
  const widgetSchema = z.object({
    type: z.string(),
    properties: z.looseObject({ title: z.string(), query: z.string().optional() }),
  });
  // References to other resources are irrelevant here.
  const [dashboard] = resources(observability, 'AWS::CloudWatch::Dashboard');
  const { 'Fn::Join': joined } = z
    .object({ 'Fn::Join': z.tuple([z.literal(''), z.array(z.unknown())]) })
    .parse(dashboard?.Properties.DashboardBody);
  const body = joined[1].map((part) => (typeof part === 'string' ? part : 'reference')).join('');
  const widgets = z.object({ widgets: z.array(widgetSchema) }).parse(JSON.parse(body)).widgets;
  const contentOf = (title: string): string =>
    JSON.stringify(widgets.find(({ properties }) => properties.title === title)?.properties);

  test.each([
    ['Alarms', ['reference']],
    ['Webhooks', ['WebhookAccepted', 'WebhookDuplicate', 'WebhookRefused', '5xx']],
    ['Orders', ['OrderDownloaded', 'OrderProcessed', 'OrderUnchanged', 'OrderFailed', 'UnknownState']],
    ['Webhook to internal API (ms)', ['EndToEndLatency', 'p50', 'p95', 'p99']],
    ['Errors by code', ['error_code']],
    ['Retries by API', ['ApiRetry', 'api,service,stage']],
    ['Circuit opened', ['CircuitOpen']],
    ['Messages waiting', ['ApproximateNumberOfMessagesVisible']],
    ['Age of the oldest message (s)', ['ApproximateAgeOfOldestMessage']],
    ['Dead letters', ['ApproximateNumberOfMessagesVisible']],
    ['Sync runs', ['ExecutionsStarted', 'ExecutionsSucceeded', 'ExecutionsFailed', 'ExecutionsTimedOut']],
    ['Sync: users and contacts', ['SyncUsersSent', 'SyncUsersFailed', 'SyncContactsWritten']],
    ['Sync: rejected rows', ['SyncRejectedRows']],
    ['Cost: Lambda time (ms)', ['Duration']],
    ['Cost: log volume (bytes)', ['IncomingBytes']],
    [
      'Cost: API calls, SQS messages, DynamoDB units',
      ['Count', 'NumberOfMessagesSent', 'ConsumedWriteCapacityUnits', 'ConsumedReadCapacityUnits'],
    ],
  ])('shows %s', (title, contents) => {
    for (const content of contents) expect(contentOf(title)).toContain(content);
  });

  test('has valid queries', () => {
    const queries = widgets.flatMap(({ properties }) => properties.query ?? []);
    expect(queries).toHaveLength(1);
    for (const query of queries) {
      expect(parseQuery(query.replace(/^(SOURCE '[^']*' \| )+/, ''))).toHaveLength(3);
    }
  });
});
