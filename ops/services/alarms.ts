import {
  type DescribeAlarmHistoryCommandInput,
  type MetricAlarm,
  paginateDescribeAlarmHistory,
  paginateDescribeAlarms,
} from '@aws-sdk/client-cloudwatch';
import type { StageConnection } from './stage-connection';

/** An alarm of a stage. */
export interface Alarm {
  /** Without the prefix of the stage. */
  readonly name: string;
  readonly state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';
  readonly since: Date | undefined;
  /** Impact and runbook heading. */
  readonly description: string;
  /** Why CloudWatch set its state. */
  readonly reason: string;
  /** Whether it notifies nobody, as during a pause. */
  readonly isSilent: boolean;
}

/** A change of an alarm's state. */
export interface AlarmChange {
  readonly at: Date;
  readonly summary: string;
}

const maxChanges = 50;
const prefixOf = ({ name }: Pick<StageConnection, 'name'>): string => `${name}-marketplace-`;

/** Lists the alarms of a stage: raised ones first, then by name. */
export const listAlarms = async (stage: StageConnection): Promise<Alarm[]> => {
  const prefix = prefixOf(stage);
  const alarms: Alarm[] = [];
  for await (const page of paginateDescribeAlarms({ client: stage.cloudWatch }, { AlarmNamePrefix: prefix })) {
    alarms.push(...(page.MetricAlarms ?? []).map((alarm) => toAlarm(alarm, prefix)));
  }
  const rank = ({ state }: Alarm): number => (state === 'ALARM' ? 0 : 1);
  return alarms.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
};

const toAlarm = (alarm: MetricAlarm, prefix: string): Alarm => ({
  name: (alarm.AlarmName ?? '').slice(prefix.length),
  state: alarm.StateValue ?? 'INSUFFICIENT_DATA',
  since: alarm.StateUpdatedTimestamp,
  description: alarm.AlarmDescription ?? '',
  reason: alarm.StateReason ?? '',
  isSilent: alarm.ActionsEnabled === false,
});

/** Reads the newest changes of an alarm's state, the newest first. CloudWatch keeps them for 30 days. */
export const readAlarmHistory = async (stage: StageConnection, name: string): Promise<AlarmChange[]> => {
  const changes: AlarmChange[] = [];
  const request: DescribeAlarmHistoryCommandInput = {
    AlarmName: prefixOf(stage) + name,
    HistoryItemType: 'StateUpdate',
    ScanBy: 'TimestampDescending',
  };
  for await (const { AlarmHistoryItems = [] } of paginateDescribeAlarmHistory({ client: stage.cloudWatch }, request)) {
    for (const { Timestamp = new Date(0), HistorySummary = '' } of AlarmHistoryItems) {
      changes.push({ at: Timestamp, summary: HistorySummary });
    }
    if (changes.length >= maxChanges) break;
  }
  return changes.slice(0, maxChanges);
};
