import {
  Alarm as CloudWatchAlarm,
  ComparisonOperator,
  type IMetric,
  type TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Construct } from 'constructs';
import type { Config, PausablePart } from '../config';
import type { runbookHeadings } from '../observability/runbook-headings';
import type { AlarmTopics, Severity } from './alarm-topics';

/** An alarm: its metric and threshold, its severity and impact, and its runbook heading. */
export interface AlarmDefinition {
  /** Kebab case; unique in a stage. */
  readonly name: string;
  readonly severity: Severity;
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
  /** Parts that make it fire while they are paused: it is then silent. */
  readonly silentWhilePaused?: readonly PausablePart[];
}

interface AlarmProps {
  readonly config: Config;
  readonly definition: AlarmDefinition;
  readonly topics: AlarmTopics;
}

/** A CloudWatch alarm with impact and runbook in its description. It notifies its severity's topic of ALARM and OK. */
export class Alarm extends CloudWatchAlarm {
  /** Its name as text, not as a reference to the resource. */
  readonly nameInStage: string;
  readonly silentWhilePaused: readonly PausablePart[];

  constructor(scope: Construct, { config, definition, topics }: AlarmProps) {
    const { name, severity, comparison, evaluationPeriods, impact, runbook, silentWhilePaused, ...rest } = definition;
    const alarmName = `${config.stage}-marketplace-${name}`;
    super(scope, name, {
      ...rest,
      alarmName,
      alarmDescription: `${impact} Runbook: docs/runbook.md#${runbook}`,
      comparisonOperator: comparison ?? ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: evaluationPeriods ?? 1,
    });
    this.nameInStage = alarmName;
    this.silentWhilePaused = silentWhilePaused ?? [];
    const action = new SnsAction(topics[severity]);
    this.addAlarmAction(action);
    this.addOkAction(action);
  }
}
