import * as z from 'zod';
import { type Action, action, pageOf, ServiceError } from '../json-service';
import type { Alarm, Alarms } from './alarms';

const names = z.array(z.string()).max(100);
/** Unix time in seconds. */
const time = z.number();
const pageSize = z.int().min(1).max(100).default(50);
const stateSchema = z.enum(['OK', 'ALARM', 'INSUFFICIENT_DATA']);
const typesSchema = z.array(z.enum(['MetricAlarm', 'CompositeAlarm'])).default(['MetricAlarm']);

/** Creates the actions that read alarms, and change their state or whether they act. */
export const createAlarmActions = (alarms: Alarms): Readonly<Record<string, Action>> => {
  const find = (name: string) => alarms.all.find(({ definition }) => definition.name === name);
  // Like CloudWatch, without an error for a name that does not exist.
  const enable = (enabled: boolean) =>
    action({ AlarmNames: names }, ({ AlarmNames }) => {
      for (const alarm of AlarmNames.flatMap((name) => find(name) ?? [])) alarms.enableActions(alarm, enabled);
      return {};
    });

  return {
    DescribeAlarms: action(
      {
        AlarmNames: names.optional(),
        AlarmNamePrefix: z.string().optional(),
        AlarmTypes: typesSchema,
        StateValue: stateSchema.optional(),
        ActionPrefix: z.string().optional(),
        MaxRecords: pageSize,
        NextToken: z.string().optional(),
      },
      ({ AlarmNames, AlarmNamePrefix = '', AlarmTypes, StateValue, ActionPrefix, MaxRecords, NextToken }) => {
        const wanted = alarms.all
          .filter(({ definition }) => AlarmNames?.includes(definition.name) ?? true)
          .filter(({ definition }) => definition.name.startsWith(AlarmNamePrefix))
          .filter(({ state }) => (StateValue ?? state) === state)
          .filter((alarm) => ActionPrefix === undefined || hasAction(alarm, ActionPrefix))
          .toSorted((a, b) => (a.definition.name < b.definition.name ? -1 : 1));
        const page = pageOf(AlarmTypes.includes('MetricAlarm') ? wanted : [], MaxRecords, NextToken);
        return { MetricAlarms: page.items.map(toMetricAlarm), CompositeAlarms: [], ...next(page) };
      },
    ),

    DescribeAlarmHistory: action(
      {
        AlarmName: z.string().optional(),
        AlarmTypes: typesSchema,
        HistoryItemType: z.enum(['ConfigurationUpdate', 'StateUpdate', 'Action']).optional(),
        StartDate: time.optional(),
        EndDate: time.optional(),
        ScanBy: z.enum(['TimestampAscending', 'TimestampDescending']).default('TimestampDescending'),
        MaxRecords: pageSize,
        NextToken: z.string().optional(),
      },
      ({ AlarmName, HistoryItemType, StartDate = 0, EndDate = Number.POSITIVE_INFINITY, ScanBy, ...request }) => {
        const items = alarms.all
          .filter(({ definition }) => (AlarmName ?? definition.name) === definition.name)
          .flatMap(({ history }) => history)
          .filter(({ type, atMs }) => {
            const isInTime = atMs >= StartDate * 1_000 && atMs <= EndDate * 1_000;
            return isInTime && (HistoryItemType ?? type) === type;
          })
          .toSorted((a, b) => a.atMs - b.atMs);
        const wanted = request.AlarmTypes.includes('MetricAlarm') ? items : [];
        if (ScanBy === 'TimestampDescending') wanted.reverse();
        const page = pageOf(wanted, request.MaxRecords, request.NextToken);
        return {
          AlarmHistoryItems: page.items.map(({ alarmName, atMs, type, summary, data }) => ({
            AlarmName: alarmName,
            AlarmType: 'MetricAlarm',
            Timestamp: atMs / 1_000,
            HistoryItemType: type,
            HistorySummary: summary,
            HistoryData: JSON.stringify(data),
          })),
          ...next(page),
        };
      },
    ),

    SetAlarmState: action(
      {
        AlarmName: z.string(),
        StateValue: stateSchema,
        StateReason: z.string().max(1_023),
        StateReasonData: z.string().max(4_000).optional(),
      },
      ({ AlarmName, StateValue, StateReason, StateReasonData }) => {
        const alarm = find(AlarmName);
        if (!alarm) throw new ServiceError('ResourceNotFound', `There is no alarm ${AlarmName}.`);
        alarms.setState(alarm, StateValue, StateReason, StateReasonData);
        return {};
      },
    ),

    EnableAlarmActions: enable(true),
    DisableAlarmActions: enable(false),
  };
};

const next = ({ nextToken }: { readonly nextToken?: string }) =>
  nextToken === undefined ? {} : { NextToken: nextToken };

const hasAction = ({ definition: { properties } }: Alarm, prefix: string): boolean =>
  [properties.AlarmActions, properties.OKActions, properties.InsufficientDataActions]
    .flat()
    .some((action) => action.startsWith(prefix));

const toMetricAlarm = ({ definition, ...alarm }: Alarm) => {
  const { AlarmName: _, Tags: __, Metrics, ...properties } = definition.properties;
  return {
    AlarmName: definition.name,
    AlarmArn: definition.arn,
    ...properties,
    ...(Metrics ? { Metrics } : { Dimensions: properties.Dimensions ?? [] }),
    ActionsEnabled: alarm.actionsEnabled,
    AlarmConfigurationUpdatedTimestamp: alarm.configuredAtMs / 1_000,
    StateValue: alarm.state,
    StateReason: alarm.reason,
    StateReasonData: alarm.reasonData,
    StateUpdatedTimestamp: alarm.changedAtMs / 1_000,
    StateTransitionedTimestamp: alarm.changedAtMs / 1_000,
  };
};
