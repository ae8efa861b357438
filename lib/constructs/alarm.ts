import {
  Alarm as CloudWatchAlarm,
  ComparisonOperator,
  type IMetric,
  type TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { Config } from '../config';

/** Anchors of the headings in `docs/runbook.md` that alarms link to. */
export const runbookHeadings = [
  'dead-letter-queue-not-empty',
  'queue-falls-behind',
  'webhook-answers-5xx',
  'webhooks-are-throttled',
  'webhook-refuses-calls',
  'webhook-logs-an-error',
  'no-webhook-for-24-hours',
  'function-fails',
  'function-is-throttled',
  'orders-failed',
  'orders-reconciled',
  'orders-missing-or-drifted',
  'reconciler-does-not-run',
  'orders-take-too-long',
  'an-api-stays-down',
  'sync-run-failed',
  'sync-run-timed-out',
  'no-sync-run-for-26-hours',
] as const;

/** An alarm: its metric and threshold, its impact, and its runbook heading. */
export interface AlarmDefinition {
  /** Kebab case; unique in a stage. */
  readonly name: string;
  readonly metric: IMetric;
  readonly threshold: number;
  /** Default: the metric is above the threshold. */
  readonly comparison?: ComparisonOperator;
  /** Number of periods that are evaluated; default 1. */
  readonly evaluationPeriods?: number;
  /** Number of these periods that must breach the threshold; default: all. */
  readonly datapointsToAlarm?: number;
  readonly treatMissingData: TreatMissingData;
  /** One or two sentences for the person on call: what users notice. */
  readonly impact: string;
  readonly runbook: (typeof runbookHeadings)[number];
}

interface AlarmProps {
  readonly config: Config;
  readonly definition: AlarmDefinition;
  readonly topic: ITopic;
}

/** A CloudWatch alarm with impact and runbook in its description, which notifies the topic. */
export class Alarm extends CloudWatchAlarm {
  constructor(scope: Construct, { config, definition, topic }: AlarmProps) {
    const { name, comparison, evaluationPeriods, impact, runbook, ...rest } = definition;
    super(scope, name, {
      ...rest,
      alarmName: `${config.stage}-marketplace-${name}`,
      alarmDescription: `${impact} Runbook: docs/runbook.md#${runbook}`,
      comparisonOperator: comparison ?? ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: evaluationPeriods ?? 1,
    });
    this.addAlarmAction(new SnsAction(topic));
  }
}
