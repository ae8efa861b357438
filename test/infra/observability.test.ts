import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { runInNewContext } from 'node:vm';
import { Match } from 'aws-cdk-lib/assertions';
import * as z from 'zod';
import { parseQuery } from '../../emulator/logs/insights/parse-query';
import { stages } from '../../lib/config';
import { runbookHeadings } from '../../lib/observability/runbook-headings';
import { savedQueries } from '../../lib/observability/saved-queries';
import { createRandom } from '../../samples/random';
import { drilledStage } from '../drill/drilled-stage';
import { drills } from '../drill/drills';
import { readRunbookBlocks } from '../support/runbook';
import { resources, synthesize } from './synth';

const { orderPipeline, syncJobs, observability } = synthesize('prod');
const lambdas = ['webhook', 'download', 'processing', 'reconciler', 'issue-watch'];
const queues = ['download', 'processing'];
const deniesPlainHttp = { Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } };

const exportSchema = z.object({ Value: z.unknown(), Export: z.object({ Name: z.unknown() }).optional() });
const periodSchema = z.object({ Period: z.number() });
const topicSchema = z.object({ Ref: z.string() });
const alarmSchema = z.object({
  AlarmName: z.string(),
  AlarmDescription: z.string(),
  AlarmActions: z.array(topicSchema).length(1),
  OKActions: z.array(topicSchema).length(1),
  ComparisonOperator: z.enum(['GreaterThanThreshold', 'LessThanThreshold']),
  Threshold: z.number(),
  EvaluationPeriods: z.number(),
  DatapointsToAlarm: z.number().optional(),
  Period: z.number().optional(),
  Metrics: z
    .array(
      z.object({
        Expression: z.string().optional(),
        MetricStat: periodSchema.optional(),
        ReturnData: z.boolean().optional(),
      }),
    )
    .default([]),
  TreatMissingData: z.enum(['notBreaching', 'breaching']),
});
const alarms = resources(observability, 'AWS::CloudWatch::Alarm').map(({ Properties }) =>
  alarmSchema.parse(Properties),
);

/** The condition of an alarm in one line. Missing data is mentioned only if it raises the alarm. */
const conditionOf = (alarm: z.output<typeof alarmSchema>): string => {
  const { ComparisonOperator, Threshold, EvaluationPeriods, DatapointsToAlarm = EvaluationPeriods } = alarm;
  const seconds = alarm.Period ?? alarm.Metrics.find(({ MetricStat }) => MetricStat)?.MetricStat?.Period;
  const expression = alarm.Metrics.find(({ ReturnData }) => ReturnData !== false)?.Expression ?? '';
  const sign = ComparisonOperator === 'GreaterThanThreshold' ? '>' : '<';
  const missing = alarm.TreatMissingData === 'breaching' ? ', or missing' : '';
  return `${expression} ${sign} ${Threshold}${missing}, ${DatapointsToAlarm} of ${EvaluationPeriods} x ${seconds} s`.trim();
};

describe('a pause', () => {
  const outputs = z.record(z.string(), z.object({ Value: z.unknown() })).parse(observability.findOutputs('*'));
  const silentWhile = (part: string) => outputs[`AlarmsSilentWhile${part}Paused`]?.Value;

  test('silences the alarms that it would raise, and no other', () => {
    const prefix = 'prod-marketplace-';
    const both = `${prefix}orders-reconciled,${prefix}end-to-end-latency`;
    expect(silentWhile('Download')).toBe(`${prefix}download-falls-behind,${both}`);
    expect(silentWhile('Processing')).toBe(`${prefix}processing-falls-behind,${both}`);
    expect(silentWhile('Sync')).toBe(`${prefix}no-sync-run`);
    expect(synthesize('dev').observability.findOutputs('AlarmsSilentWhileSyncPaused')).toMatchObject({
      AlarmsSilentWhileSyncPaused: { Value: 'none' },
    });
  });

  test('is ended by a role of EventBridge Scheduler that can only switch these on', () => {
    const switching = /UpdateEventSourceMapping|EnableRule|EnableAlarmActions/;
    const [policy, ...others] = resources(observability, 'AWS::IAM::Policy').filter(({ Properties }) =>
      switching.test(JSON.stringify(Properties)),
    );
    expect(others).toEqual([]);
    const statements = z
      .object({ Statement: z.array(z.object({ Action: z.string(), Resource: z.unknown() })) })
      .parse(policy?.Properties.PolicyDocument).Statement;
    const rights = statements.map(({ Action, Resource }) => [Action, [Resource].flat().length]);
    expect(rights).toEqual([
      ['lambda:UpdateEventSourceMapping', 2],
      ['events:EnableRule', 1],
      ['cloudwatch:EnableAlarmActions', 5],
    ]);
    expect(JSON.stringify(statements)).not.toContain('"*"');
  });
});

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
        [`${name}-falls-behind`, 'MAX([FILL(messages, 0), FILL(deferred, 0)]) > 900, 1 of 4 x 300 s'],
        [`${name}-nears-retention`, 'MAX([FILL(messages, 0), FILL(deadLetters, 0)]) > 864000, 1 of 1 x 300 s'],
        [`${name}-api-stays-down`, '> 0, 3 of 3 x 300 s'],
      ]),
    ),
    'webhook-5xx': 'IF(errors > 1, 100 * errors / requests, 0) > 1, 3 of 5 x 60 s',
    'webhook-5xx-few-calls': 'IF(requests < 10, errors, 0) > 0, 2 of 15 x 60 s',
    'webhook-throttled': '> 0, 1 of 1 x 300 s',
    'webhook-refusals': '> 50, 1 of 1 x 300 s',
    'webhook-bodies-not-kept': '> 0, 1 of 1 x 300 s',
    'all-webhooks-refused': 'IF(FILL(accepted, 0) < 1, FILL(refused, 0), 0) > 0, 2 of 4 x 1800 s',
    'no-webhooks': '< 1, or missing, 24 of 24 x 3600 s',
    'orders-failed': 'FILL(download, 0) + FILL(processing, 0) > 0, 1 of 1 x 300 s',
    'many-orders-fail': 'IF(failed > 9, 100 * failed / (failed + FILL(processed, 0)), 0) > 20, 1 of 1 x 900 s',
    'orders-reconciled': '> 0, 1 of 1 x 300 s',
    'orders-missing': '> 0, 1 of 1 x 3600 s',
    'orders-drifted': '> 0, 1 of 1 x 3600 s',
    'reconciler-not-run': '< 1, or missing, 3 of 3 x 3600 s',
    'reconciler-dead-letters': '> 0, 1 of 1 x 300 s',
    'end-to-end-latency': 'IF(orders > 4, p95, 0) > 300000, 1 of 1 x 900 s',
    'sync-failed': '> 0, 1 of 1 x 300 s',
    'sync-timed-out': '> 0, 1 of 1 x 300 s',
    'sync-partial': '> 0, 1 of 1 x 300 s',
    'netlife-collect-rejects-rows': 'IF(rejected > 19, 100 * rejected / rows, 0) > 5, 1 of 1 x 3600 s',
    'iterable-extract-rejects-rows': 'IF(rejected > 19, 100 * rejected / rows, 0) > 5, 1 of 1 x 3600 s',
    'sync-users-fell': 'IF(median > 99, 100 * users / median, IF(users < 1, 0, 100)) < 50, 1 of 1 x 3600 s',
    'no-sync-run': '< 1, or missing, 26 of 26 x 3600 s',
  });
});

/** The topic of each alarm of a stage, by its name without the stage. */
const topicsOf = (stage: 'prod' | 'staging', template: typeof observability) =>
  resources(template, 'AWS::CloudWatch::Alarm').map(({ Properties }) => {
    const { AlarmName, AlarmActions, OKActions } = alarmSchema.parse(Properties);
    expect(OKActions).toEqual(AlarmActions);
    return [AlarmName.replace(`${stage}-marketplace-`, ''), AlarmActions[0]?.Ref.replace(/alarms\w+$/, '')] as const;
  });

test('an alarm notifies the topic of its severity when it is raised, and when it recovers', () => {
  const paging = topicsOf('prod', observability).filter(([, topic]) => topic === 'page');
  expect(paging.map(([name]) => name).sort()).toEqual([
    ...['all-webhooks-refused', 'download-fails', 'download-falls-behind', 'download-nears-retention'],
    ...['many-orders-fail', 'no-webhooks', 'processing-fails', 'processing-falls-behind', 'processing-nears-retention'],
    ...['webhook-5xx', 'webhook-5xx-few-calls', 'webhook-fails', 'webhook-is-throttled'],
  ]);
  const others = topicsOf('prod', observability).filter(([, topic]) => topic !== 'page');
  expect(new Set(others.map(([, topic]) => topic))).toEqual(new Set(['ticket']));
});

test('a percentage raises an alarm only with a minimum count beside it', () => {
  const percentages = alarms.flatMap(({ Metrics }) =>
    Metrics.flatMap(({ Expression = '' }) => (/100 \*|p95/.test(Expression) ? [Expression] : [])),
  );
  expect(percentages.length).toBeGreaterThan(5);
  for (const expression of percentages) expect(expression).toMatch(/\bIF\(\w+ > [1-9]\d*, (100 \*|p95)/);
});

test.each([
  ['WebhookErrorLines', [], '{ $.level = "ERROR" }'],
  ['WebhookThrottled', ['webhook-throttled'], '{ ($.status_code = "429") && ($.route = "POST /webhooks/qualia") }'],
])('%s counts log lines, for the alarms %j', (metric, names, FilterPattern) => {
  observability.hasResourceProperties('AWS::Logs::MetricFilter', {
    FilterPattern,
    MetricTransformations: [Match.objectLike({ MetricName: `prod-${metric}`, MetricValue: '1' })],
  });
  const counting = resources(observability, 'AWS::CloudWatch::Alarm').filter(
    ({ Properties }) => Properties.MetricName === `prod-${metric}`,
  );
  expect(counting.map(({ Properties }) => Properties.AlarmName)).toEqual(
    names.map((name) => `prod-marketplace-${name}`),
  );
});

describe('the alarms on 5xx', () => {
  const IF = (condition: boolean, then: number, otherwise: number) => (condition ? then : otherwise);
  const rules = alarms
    .filter(({ AlarmName }) => AlarmName.startsWith('prod-marketplace-webhook-5xx'))
    .map((alarm) => {
      const { Expression = '' } = alarm.Metrics.find(({ Expression }) => Expression) ?? {};
      // Compiled once: a context for each minute would take most of this file's time.
      const evaluate: (IF: unknown, requests: number, errors: number) => number = runInNewContext(
        `(IF, requests, errors) => ${Expression}`,
      );
      return { ...alarm, evaluate };
    });

  /** Metrics of the API in one minute. CloudWatch has no data for a minute without calls. */
  interface Minute {
    readonly requests: number;
    readonly errors: number;
  }
  const isBreaching = ({ evaluate, Threshold }: (typeof rules)[number], { requests, errors }: Minute): boolean =>
    requests > 0 && evaluate(IF, requests, errors) > Threshold;
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
    ['one of two calls fails', [{ requests: 2, errors: 1 }]],
    [
      'the only call of a minute fails, and the next one succeeds',
      [
        { requests: 1, errors: 1 },
        { requests: 1, errors: 0 },
      ],
    ],
    [
      'one call fails in each minute of more than a hundred calls',
      Array.from({ length: 60 }, () => ({ requests: 150, errors: 1 })),
    ],
  ])('raise no alarm when %s', (_name, minutes) => {
    expect(minutesUntilAlarm(minutes)).toBe(Number.POSITIVE_INFINITY);
  });
});

test('each alarm links to a heading of the runbook, and each such heading has an alarm', () => {
  const anchors = [...readRunbookBlocks().keys()];
  const linked = alarms.map(({ AlarmDescription }) => /docs\/runbook\.md#(\S+)$/.exec(AlarmDescription)?.[1]);
  expect(new Set(linked)).toEqual(new Set(runbookHeadings));
  expect(anchors).toEqual(expect.arrayContaining([...runbookHeadings]));
});

test('the costs in docs/deploy.md count the alarms and their metrics', () => {
  const metrics = alarms.map(({ Metrics }) => Math.max(1, Metrics.filter(({ MetricStat }) => MetricStat).length));
  const sum = metrics.reduce((total, count) => total + count, 0);
  expect(readFileSync('docs/deploy.md', 'utf8')).toContain(`alarms: ${alarms.length}, on ${sum} metrics`);
});

test('every alarm of every stage has one drill, and every drill an alarm', () => {
  const named = stages.flatMap((stage) =>
    resources(synthesize(stage).observability, 'AWS::CloudWatch::Alarm').map(({ Properties }) =>
      alarmSchema.parse(Properties).AlarmName.replace(`${stage}-marketplace-`, ''),
    ),
  );
  expect(drills.flatMap((drill) => Object.keys(drill.alarms)).sort()).toEqual([...new Set(named)].sort());
  // The drilled stage has all of them.
  expect(alarms.map(({ AlarmName }) => AlarmName.replace(`${drilledStage}-marketplace-`, '')).sort()).toEqual(
    [...new Set(named)].sort(),
  );
});

test('X-Ray traces every run of the state machine, the only service that sampling rules affect', () => {
  const [machine] = resources(syncJobs, 'AWS::StepFunctions::StateMachine');
  const rules = resources(observability, 'AWS::XRay::SamplingRule').map(({ Properties }) => Properties.SamplingRule);
  expect(rules).toEqual([
    expect.objectContaining({ ServiceName: machine?.Properties.StateMachineName, FixedRate: 1, ServiceType: '*' }),
  ]);
});

test('the topics are encrypted with a key that CloudWatch may use, and accept only TLS', () => {
  const names = resources(observability, 'AWS::SNS::Topic').map(({ Properties }) => Properties.TopicName);
  expect(names).toEqual(['prod-marketplace-page', 'prod-marketplace-ticket']);
  observability.allResourcesProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
  const cloudWatch = { Effect: 'Allow', Principal: { Service: 'cloudwatch.amazonaws.com' } };
  observability.hasResourceProperties('AWS::KMS::Key', {
    EnableKeyRotation: true,
    KeyPolicy: { Statement: Match.arrayWith([Match.objectLike(cloudWatch)]) },
  });
  observability.allResourcesProperties('AWS::SNS::TopicPolicy', {
    PolicyDocument: { Statement: [Match.objectLike(deniesPlainHttp), Match.objectLike(cloudWatch)] },
  });
});

/** References to the log groups with lines of Lambdas and workflows from the last stack: imports of their exports. */
const allLogGroups = [orderPipeline, syncJobs, observability].flatMap((stack) => {
  const exports = Object.values(stack.findOutputs('*')).map((output) => exportSchema.parse(output));
  return Object.keys(stack.findResources('AWS::Logs::LogGroup')).map((logicalId) => {
    const named = exports.find(({ Value }) => isDeepStrictEqual(Value, { Ref: logicalId }));
    return stack === observability ? { Ref: logicalId } : { 'Fn::ImportValue': named?.Export?.Name };
  });
});

test('the saved queries search every log group, except the record of actions', () => {
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
])('the query is saved: %s', (QueryString) => {
  observability.hasResourceProperties('AWS::Logs::QueryDefinition', { QueryString });
});

test.each(savedQueries)('the query is saved and valid: $name', ({ name, lines }) => {
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
    ['Webhooks', ['WebhookAccepted', 'WebhookDuplicate', 'WebhookRefused', '5xx', 'WebhookErrorLines']],
    ['Orders', ['OrderDownloaded', 'OrderProcessed', 'OrderUnchanged', 'OrderFailed', 'UnknownState']],
    ['Webhook to internal API (ms)', ['EndToEndLatency', 'p50', 'p95', 'p99']],
    ['Errors by code', ['error_code']],
    ['Retries by API', ['ApiRetry', 'api,service,stage']],
    ['Circuit opened', ['CircuitOpen']],
    ['Messages waiting', ['ApproximateNumberOfMessagesVisible']],
    ['Age of the oldest message (s)', ['ApproximateAgeOfOldestMessage', 'DeferredOrderAge']],
    ['Dead letters', ['ApproximateNumberOfMessagesVisible']],
    ['Sync runs', ['ExecutionsStarted', 'ExecutionsSucceeded', 'ExecutionsFailed', 'ExecutionsTimedOut']],
    ['Sync: users and contacts', ['SyncUsersSent', 'SyncUsersFailed', 'SyncContactsWritten']],
    ['Sync: rows read and rejected', ['SyncRowsRead', 'SyncRejectedRows']],
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
