import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, MathExpression, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Config } from '../config';
import type { AlarmDefinition } from '../constructs/alarm';
import { pipelineMetric } from '../metrics';

/** Alarms on the reconciler: whether it runs, and what it finds. */
const completenessAlarms = (config: Config): readonly AlarmDefinition[] => {
  const metric = (name: string, statistic: string, period = Duration.hours(1)) =>
    pipelineMetric(config, 'reconciler', name, { statistic, period });
  const found = {
    severity: 'ticket',
    threshold: 0,
    treatMissingData: TreatMissingData.NOT_BREACHING,
  } as const;
  // A pass that takes hours publishes its findings after every invocation.
  const idle: AlarmDefinition = {
    name: 'reconciler-not-run',
    severity: 'ticket',
    metric: metric('OrdersMissing', Stats.SAMPLE_COUNT),
    threshold: 1,
    comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
    evaluationPeriods: 3,
    treatMissingData: TreatMissingData.BREACHING,
    impact: 'The reconciler reported no result for 3 hours: lost webhooks are not found.',
    runbook: 'reconciler-does-not-run',
  };
  return [
    ...(config.reconciler.scheduled ? [idle] : []),
    {
      ...found,
      name: 'orders-missing',
      metric: metric('OrdersMissing', Stats.MAXIMUM),
      impact: 'Open orders at Qualia had never reached the pipeline: they arrive up to an hour late.',
      runbook: 'orders-missing-or-drifted',
    },
    {
      ...found,
      name: 'orders-drifted',
      metric: metric('OrdersDrifted', Stats.MAXIMUM),
      impact: 'Orders changed at Qualia without a webhook: the changes arrive up to an hour late.',
      runbook: 'orders-missing-or-drifted',
    },
    {
      ...found,
      name: 'orders-reconciled',
      metric: metric('OrderReconciled', Stats.SUM, Duration.minutes(5)),
      impact:
        'The reconciler started rounds for orders that were missing, stuck or changed: they arrive up to an hour late.',
      runbook: 'orders-reconciled',
      // The reconciler starts another round for an order that waits for hours.
      silentWhilePaused: ['download', 'processing'],
    },
  ];
};

/** Alarms on orders that failed: one is a ticket, many are a page. */
const failureAlarms = (config: Config): readonly AlarmDefinition[] => {
  const failedIn = (period: Duration) => {
    const sum = (service: string) => pipelineMetric(config, service, 'OrderFailed', { statistic: Stats.SUM, period });
    return new MathExpression({
      label: 'orders failed',
      expression: 'FILL(download, 0) + FILL(processing, 0)',
      usingMetrics: { download: sum('download'), processing: sum('processing') },
      period,
    });
  };
  const quarter = Duration.minutes(15);
  const processed = pipelineMetric(config, 'processing', 'OrderProcessed', { statistic: Stats.SUM, period: quarter });
  return [
    {
      name: 'orders-failed',
      severity: 'ticket',
      metric: failedIn(Duration.minutes(5)),
      threshold: 0,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: 'Orders failed permanently: the internal API does not get them until an operator replays them.',
      runbook: 'orders-failed',
    },
    {
      name: 'many-orders-fail',
      severity: 'page',
      metric: new MathExpression({
        label: 'share of failed orders (%)',
        expression: 'IF(failed > 9, 100 * failed / (failed + FILL(processed, 0)), 0)',
        usingMetrics: { failed: failedIn(quarter), processed },
        period: quarter,
      }),
      threshold: 20,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: 'More than 20 % of the orders, and at least ten, failed permanently within 15 minutes.',
      runbook: 'orders-failed',
    },
  ];
};

/** An alarm on the time from the webhook to the internal API. The slowest of few orders is no percentile. */
const latencyAlarm = (config: Config): AlarmDefinition => {
  const period = Duration.minutes(15);
  const latency = (statistic: string) => pipelineMetric(config, 'processing', 'EndToEndLatency', { statistic, period });
  return {
    name: 'end-to-end-latency',
    severity: 'ticket',
    metric: new MathExpression({
      label: 'p95 of at least five orders (ms)',
      expression: 'IF(orders > 4, p95, 0)',
      usingMetrics: { orders: latency(Stats.SAMPLE_COUNT), p95: latency(Stats.percentile(95)) },
      period,
    }),
    threshold: Duration.minutes(5).toMilliseconds(),
    treatMissingData: TreatMissingData.NOT_BREACHING,
    impact: 'One order in twenty takes longer than 5 minutes from its webhook to the internal API.',
    runbook: 'orders-take-too-long',
    silentWhilePaused: ['download', 'processing'],
  };
};

/** Alarms on the APIs, the orders and the reconciler. Those on queues and Lambdas are defined with these. */
export const orderAlarms = (config: Config): readonly AlarmDefinition[] => [
  ...(['download', 'processing'] as const).map(
    (service): AlarmDefinition => ({
      name: `${service}-api-stays-down`,
      severity: 'ticket',
      metric: pipelineMetric(config, service, 'CircuitOpen', { statistic: Stats.SUM, period: Duration.minutes(5) }),
      threshold: 0,
      evaluationPeriods: 3,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: `The API that ${service} calls has failed for 15 minutes: orders wait, and keep their remaining attempts.`,
      runbook: 'an-api-stays-down',
    }),
  ),
  ...completenessAlarms(config),
  ...failureAlarms(config),
  latencyAlarm(config),
];
