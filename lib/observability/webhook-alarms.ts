import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, type IMetric, MathExpression, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Config } from '../config';
import type { AlarmDefinition } from '../constructs/alarm';
import { pipelineMetric } from '../metrics';
import type { OrderPipeline } from '../stacks/order-pipeline';

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
      severity: 'page',
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
      severity: 'page',
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

/** Alarms on the webhooks: failed, throttled, refused, or absent. */
export const webhookAlarms = (
  config: Config,
  pipeline: OrderPipeline,
  lines: CountedLines,
): readonly AlarmDefinition[] => {
  const sum = (metricName: string, period: Duration) =>
    pipelineMetric(config, 'webhook', metricName, { statistic: Stats.SUM, period });
  const halfHour = Duration.minutes(30);

  const silence: AlarmDefinition = {
    name: 'no-webhooks',
    severity: 'page',
    metric: sum('WebhookAccepted', Duration.hours(1)),
    threshold: 1,
    comparison: ComparisonOperator.LESS_THAN_THRESHOLD,
    evaluationPeriods: 24,
    treatMissingData: TreatMissingData.BREACHING,
    impact: 'No webhook was accepted for 24 hours: Qualia may have disabled or removed the subscription.',
    runbook: 'no-webhook-for-24-hours',
  };

  return [
    ...(config.expectsWebhooksDaily ? [silence] : []),
    ...serverErrorAlarms(pipeline),
    {
      name: 'webhook-throttled',
      severity: 'ticket',
      metric: lines.throttledWebhooks,
      threshold: 0,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact:
        'The HTTP API throttled webhooks (429). Qualia does not send these again; the reconciler finds their orders.',
      runbook: 'webhooks-are-throttled',
    },
    {
      name: 'webhook-refusals',
      severity: 'ticket',
      metric: sum('WebhookRefused', Duration.minutes(5)),
      threshold: 50,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact: 'More than 50 webhooks were rejected in 5 minutes: wrong credentials, or calls that are not from Qualia.',
      runbook: 'webhook-refuses-calls',
    },
    {
      name: 'webhook-bodies-not-kept',
      severity: 'ticket',
      metric: sum('WebhookRefusedNotKept', Duration.minutes(5)),
      threshold: 0,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact:
        'Webhooks of Qualia were refused (422) and their bodies are not kept: after a fix, only the reconciler delivers them.',
      runbook: 'refused-bodies-are-not-kept',
    },
    {
      name: 'all-webhooks-refused',
      severity: 'page',
      metric: new MathExpression({
        label: 'refused in half an hour without an accepted webhook',
        expression: 'IF(FILL(accepted, 0) < 1, FILL(refused, 0), 0)',
        usingMetrics: { accepted: sum('WebhookAccepted', halfHour), refused: sum('WebhookRefused', halfHour) },
        period: halfHour,
      }),
      threshold: 0,
      // Two, because a single call in a quiet half hour can be a scanner's.
      evaluationPeriods: 4,
      datapointsToAlarm: 2,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      impact:
        "Webhooks arrive and every one is refused: Qualia's credentials do not match ours, or its format has changed.",
      runbook: 'all-webhooks-are-refused',
    },
  ];
};
