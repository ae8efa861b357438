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
  /** Webhooks that the HTTP API answered 429. */
  readonly throttledWebhooks: IMetric;
}

/**
 * Share of 5xx, by two alarms. The HTTP API counts its own failures too: an integration that times out, a Lambda that it
 * may not or cannot invoke.
 *
 * At 10,000 orders a month a webhook comes every four minutes. Then three bad minutes of five take half an hour, so that
 * a second alarm counts minutes with few calls over a longer time.
 */
function serverErrorAlarms({ api }: OrderPipeline): readonly AlarmDefinition[] {
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
      impact: 'More than 1 % of the webhooks are answered 5xx: Qualia has to send them again.',
      runbook: 'webhook-answers-5xx',
    },
    {
      name: 'webhook-5xx-few-calls',
      metric: new MathExpression({
        label: '5xx in a minute of few calls',
        // Two failures in fifteen minutes of nine calls are more than 1 %.
        expression: 'IF(requests < 10, errors, 0)',
        usingMetrics,
        period: minute.period,
      }),
      threshold: 0,
      evaluationPeriods: 15,
      datapointsToAlarm: 2,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: 'Few webhooks come, and in two minutes of 15 some were answered 5xx: Qualia has to send them again.',
      runbook: 'webhook-answers-5xx',
    },
  ];
}

/** Alarms on what senders and orders go through; queues and Lambdas bring their own. */
export function orderAlarms(config: Config, pipeline: OrderPipeline, lines: CountedLines): readonly AlarmDefinition[] {
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
    impact: 'No webhook was accepted for 24 hours: Qualia may have dropped or disabled the subscription.',
    runbook: 'no-webhook-for-24-hours',
  };

  // A pass that takes hours publishes what it found so far after every invocation.
  const idle: AlarmDefinition = {
    name: 'reconciler-not-run',
    metric: pipelineMetric(config, 'reconciler', 'OrdersMissing', { statistic: Stats.SAMPLE_COUNT, period: hour }),
    threshold: 1,
    comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
    evaluationPeriods: 3,
    treatMissingData: TreatMissingData.BREACHING,
    impact: 'The reconciler proved nothing for 3 hours: what webhooks lose is not found.',
    runbook: 'reconciler-does-not-run',
  };

  const unproven: readonly AlarmDefinition[] = [
    {
      name: 'orders-missing',
      metric: pipelineMetric(config, 'reconciler', 'OrdersMissing', { statistic: Stats.MAXIMUM, period: hour }),
      threshold: 0,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: 'Qualia has open orders that never reached us: they arrive up to an hour late.',
      runbook: 'orders-missing-or-drifted',
    },
    {
      name: 'orders-drifted',
      metric: pipelineMetric(config, 'reconciler', 'OrdersDrifted', { statistic: Stats.MAXIMUM, period: hour }),
      threshold: 0,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: 'Orders changed at Qualia and no webhook said so: the changes arrive up to an hour late.',
      runbook: 'orders-missing-or-drifted',
    },
  ];

  const stayDown = ['download', 'processing'].map((service) => ({
    name: `${service}-api-stays-down`,
    metric: sum(service, 'CircuitOpen'),
    threshold: 0,
    evaluationPeriods: 3,
    treatMissingData: TreatMissingData.NOT_BREACHING,
    impact: `The API behind ${service} has been failing for 15 minutes: orders wait, with their tries kept.`,
    runbook: 'an-api-stays-down' as const,
  }));

  return [
    ...(config.expectsWebhooksDaily ? [silence] : []),
    ...(config.reconciler.scheduled ? [idle] : []),
    ...unproven,
    ...stayDown,
    ...serverErrorAlarms(pipeline),
    {
      name: 'webhook-throttled',
      metric: lines.throttledWebhooks,
      threshold: 0,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact:
        'The HTTP API answered webhooks 429: Qualia does not send these again, and the reconciler has to find them.',
      runbook: 'webhooks-are-throttled',
    },
    {
      name: 'webhook-refusals',
      metric: sum('webhook', 'WebhookRefused'),
      threshold: 50,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: 'More than 50 webhooks were refused in 5 minutes: a wrong credential, or somebody else is calling.',
      runbook: 'webhook-refuses-calls',
    },
    {
      name: 'webhook-errors',
      metric: lines.webhookErrors,
      threshold: 0,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: 'The webhook logged an error: its secret may be unreadable, and then it refuses every call.',
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
      impact: 'Orders failed for good: the internal API does not have them until someone replays them.',
      runbook: 'orders-failed',
    },
    {
      name: 'orders-reconciled',
      metric: sum('reconciler', 'OrderReconciled'),
      threshold: 0,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact:
        'The reconciler found orders that were missing, stuck, or changed without a webhook: they arrive up to an hour late.',
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
}
