import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, type IMetric, MathExpression, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Config } from '../config';
import type { AlarmDefinition } from '../constructs/alarm';
import { pipelineMetric } from '../metrics';
import type { OrderPipeline } from '../stacks/order-pipeline';

const period = Duration.minutes(5);

/** Metrics that CloudWatch counts from log lines. */
export interface CountedLines {
  /** ERROR lines of the webhook. */
  readonly webhookErrors: IMetric;
  /** Webhooks to which the HTTP API responded with 429. */
  readonly throttledWebhooks: IMetric;
}

/**
 * Two alarms on the share of 5xx responses. The HTTP API also counts its own failures: an integration that times out, or a
 * Lambda that it cannot or is not allowed to invoke.
 *
 * At 10,000 orders per month a webhook arrives every four minutes. The first alarm, on three of five minutes, would then
 * need half an hour, so a second alarm evaluates minutes with few calls over a longer time.
 */
const serverErrorAlarms = ({ api }: OrderPipeline): readonly AlarmDefinition[] => {
  const minute = { statistic: Stats.SUM, period: Duration.minutes(1) };
  const usingMetrics = { errors: api.metricServerError(minute), requests: api.metricCount(minute) };
  return [
    {
      name: 'webhook-5xx',
      metric: new MathExpression({
        label: '5xx rate (%)',
        expression: 'IF(errors > 1, 100 * errors / requests, 0)',
        usingMetrics,
        period: minute.period,
      }),
      threshold: 1,
      evaluationPeriods: 5,
      datapointsToAlarm: 3,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: 'More than 1 % of the webhooks get a 5xx response: Qualia must send them again.',
      runbook: 'webhook-answers-5xx',
    },
    {
      name: 'webhook-5xx-few-calls',
      metric: new MathExpression({
        label: '5xx in a minute of few calls',
        // Two failures in 15 minutes of nine calls each are more than 1 %.
        expression: 'IF(requests < 10, errors, 0)',
        usingMetrics,
        period: minute.period,
      }),
      threshold: 0,
      evaluationPeriods: 15,
      datapointsToAlarm: 2,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: 'At a low rate of webhooks, some got a 5xx response in two of 15 minutes: Qualia must send them again.',
      runbook: 'webhook-answers-5xx',
    },
  ];
};

/** Alarms on webhooks, orders and the reconciler. Those on queues and Lambdas are defined with these. */
export const orderAlarms = (
  config: Config,
  pipeline: OrderPipeline,
  lines: CountedLines,
): readonly AlarmDefinition[] => {
  const sum = (service: string, metricName: string, per = period) =>
    pipelineMetric(config, service, metricName, { statistic: Stats.SUM, period: per });
  const hour = Duration.hours(1);

  const silence: AlarmDefinition = {
    name: 'no-webhooks',
    metric: sum('webhook', 'WebhookAccepted', Duration.hours(1)),
    threshold: 1,
    comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
    evaluationPeriods: 24,
    treatMissingData: TreatMissingData.BREACHING,
    impact: 'No webhook was accepted for 24 hours: Qualia may have disabled or removed the subscription.',
    runbook: 'no-webhook-for-24-hours',
  };

  // A pass that takes hours publishes its findings after every invocation.
  const idle: AlarmDefinition = {
    name: 'reconciler-not-run',
    metric: pipelineMetric(config, 'reconciler', 'OrdersMissing', { statistic: Stats.SAMPLE_COUNT, period: hour }),
    threshold: 1,
    comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
    evaluationPeriods: 3,
    treatMissingData: TreatMissingData.BREACHING,
    impact: 'The reconciler reported no result for 3 hours: lost webhooks are not found.',
    runbook: 'reconciler-does-not-run',
  };

  const unproven: readonly AlarmDefinition[] = [
    {
      name: 'orders-missing',
      metric: pipelineMetric(config, 'reconciler', 'OrdersMissing', { statistic: Stats.MAXIMUM, period: hour }),
      threshold: 0,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: 'Open orders at Qualia had never reached the pipeline: they arrive up to an hour late.',
      runbook: 'orders-missing-or-drifted',
    },
    {
      name: 'orders-drifted',
      metric: pipelineMetric(config, 'reconciler', 'OrdersDrifted', { statistic: Stats.MAXIMUM, period: hour }),
      threshold: 0,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: 'Orders changed at Qualia without a webhook: the changes arrive up to an hour late.',
      runbook: 'orders-missing-or-drifted',
    },
  ];

  const failingApis = ['download', 'processing'].map((service) => ({
    name: `${service}-api-stays-down`,
    metric: sum(service, 'CircuitOpen'),
    threshold: 0,
    evaluationPeriods: 3,
    treatMissingData: TreatMissingData.NOT_BREACHING,
    impact: `The API that ${service} calls has failed for 15 minutes: orders wait, and keep their remaining attempts.`,
    runbook: 'an-api-stays-down' as const,
  }));

  return [
    ...(config.expectsWebhooksDaily ? [silence] : []),
    ...(config.reconciler.scheduled ? [idle] : []),
    ...unproven,
    ...failingApis,
    ...serverErrorAlarms(pipeline),
    {
      name: 'webhook-throttled',
      metric: lines.throttledWebhooks,
      threshold: 0,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact:
        'The HTTP API throttled webhooks (429). Qualia does not send these again; the reconciler finds their orders.',
      runbook: 'webhooks-are-throttled',
    },
    {
      name: 'webhook-refusals',
      metric: sum('webhook', 'WebhookRefused'),
      threshold: 50,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: 'More than 50 webhooks were rejected in 5 minutes: wrong credentials, or calls that are not from Qualia.',
      runbook: 'webhook-refuses-calls',
    },
    {
      name: 'webhook-errors',
      metric: lines.webhookErrors,
      threshold: 0,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: 'The webhook logged an error. If its secret is unreadable, it rejects every call.',
      runbook: 'webhook-logs-an-error',
    },
    {
      name: 'orders-failed',
      metric: new MathExpression({
        label: 'orders failed',
        expression: 'FILL(download, 0) + FILL(processing, 0)',
        usingMetrics: { download: sum('download', 'OrderFailed'), processing: sum('processing', 'OrderFailed') },
        period,
      }),
      threshold: 0,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: 'Orders failed permanently: the internal API does not get them until an operator replays them.',
      runbook: 'orders-failed',
    },
    {
      name: 'orders-reconciled',
      metric: sum('reconciler', 'OrderReconciled'),
      threshold: 0,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact:
        'The reconciler started rounds for orders that were missing, stuck or changed: they arrive up to an hour late.',
      runbook: 'orders-reconciled',
    },
    {
      name: 'end-to-end-latency',
      metric: pipelineMetric(config, 'processing', 'EndToEndLatency', { statistic: Stats.percentile(95), period }),
      threshold: Duration.minutes(5).toMilliseconds(),
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: 'One order in twenty takes longer than 5 minutes from its webhook to the internal API.',
      runbook: 'orders-take-too-long',
    },
  ];
};
