import { accountId } from '../resource-types';
import type { AlarmDefinition } from './alarm-definition';
import type { AlarmState } from './alarm-state';

/** A change of an alarm's state. */
export interface StateChange {
  readonly from: AlarmState;
  readonly to: AlarmState;
  readonly reason: string;
  /** Unix time in ms. */
  readonly atMs: number;
}

const regionName = 'US East (N. Virginia)';

/** The subject of a notification; SNS allows 100 characters. */
export const subjectOf = ({ name }: AlarmDefinition, { to }: StateChange): string =>
  `${to}: "${name}" in ${regionName}`.slice(0, 100);

/** The body of a notification: JSON text, as CloudWatch sends it to a topic. */
export const notificationOf = (
  { name, arn, properties }: AlarmDefinition,
  { from, to, reason, atMs }: StateChange,
  configuredAtMs: number,
): string =>
  JSON.stringify({
    AlarmName: name,
    AlarmDescription: properties.AlarmDescription ?? null,
    AWSAccountId: accountId,
    AlarmConfigurationUpdatedTimestamp: snsTime(configuredAtMs),
    NewStateValue: to,
    NewStateReason: reason,
    StateChangeTime: snsTime(atMs),
    Region: regionName,
    AlarmArn: arn,
    OldStateValue: from,
    OKActions: properties.OKActions,
    AlarmActions: properties.AlarmActions,
    InsufficientDataActions: properties.InsufficientDataActions,
    Trigger: triggerOf(properties),
  });

const triggerOf = (properties: AlarmDefinition['properties']) => {
  const { Metrics, Statistic, ExtendedStatistic, Period, EvaluationPeriods, DatapointsToAlarm } = properties;
  const rules = {
    EvaluationPeriods,
    ...(DatapointsToAlarm !== undefined && { DatapointsToAlarm }),
    ComparisonOperator: properties.ComparisonOperator,
    Threshold: properties.Threshold,
    TreatMissingData: properties.TreatMissingData,
    EvaluateLowSampleCountPercentile: properties.EvaluateLowSampleCountPercentile ?? '',
  };
  if (Metrics) {
    const [{ MetricStat } = {}] = Metrics.filter((metric) => metric.MetricStat);
    return { Period: MetricStat?.Period, ...rules, Metrics: Metrics.map(toNotifiedMetric) };
  }
  return {
    MetricName: properties.MetricName,
    Namespace: properties.Namespace,
    StatisticType: Statistic === undefined ? 'ExtendedStatistic' : 'Statistic',
    ...(Statistic === undefined ? { ExtendedStatistic } : { Statistic: snsStatistic(Statistic) }),
    Unit: properties.Unit ?? null,
    Dimensions: toNotifiedDimensions(properties.Dimensions),
    Period,
    ...rules,
  };
};

type Query = NonNullable<AlarmDefinition['properties']['Metrics']>[number];

const toNotifiedMetric = ({ Id, Expression, Label, MetricStat, ReturnData }: Query) => ({
  ...(Expression !== undefined && { Expression }),
  Id,
  ...(Label !== undefined && { Label }),
  ...(MetricStat && {
    MetricStat: {
      Metric: {
        Dimensions: toNotifiedDimensions(MetricStat.Metric.Dimensions),
        MetricName: MetricStat.Metric.MetricName,
        Namespace: MetricStat.Metric.Namespace,
      },
      Period: MetricStat.Period,
      Stat: MetricStat.Stat,
    },
  }),
  ReturnData,
});

const toNotifiedDimensions = (dimensions: AlarmDefinition['properties']['Dimensions'] = []) =>
  dimensions.map(({ Name, Value }) => ({ value: Value, name: Name }));

/** `SampleCount` → `SAMPLE_COUNT` */
const snsStatistic = (name: string): string => name.replace(/([a-z])([A-Z])/g, '$1_$2').toUpperCase();

/** `2026-11-27T08:00:00.000+0000` */
const snsTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '+0000');
