import type { Overrides } from '../overrides';
import type { AlarmDefinition } from './alarm-definition';
import { notificationOf, type StateChange, subjectOf } from './alarm-notification';
import { type AlarmState, decide, evaluationRange, type Verdict } from './alarm-state';
import { hourMs, type MetricStore, minuteMs } from './metric-store';

/** Publishes a notification to an SNS topic. */
export type Publish = (topicArn: string, subject: string, message: string) => void;

/** An entry of an alarm's history. */
export interface HistoryItem {
  readonly alarmName: string;
  /** Unix time in ms. */
  readonly atMs: number;
  readonly type: 'ConfigurationUpdate' | 'StateUpdate' | 'Action';
  readonly summary: string;
  readonly data: object;
}

/** An alarm and its state. */
export interface Alarm {
  readonly definition: AlarmDefinition;
  readonly configuredAtMs: number;
  state: AlarmState;
  reason: string;
  /** What was evaluated, as JSON text; absent before the first evaluation. */
  reasonData: string | undefined;
  /** Unix time in ms of the last change of the state. */
  changedAtMs: number;
  actionsEnabled: boolean;
  /** End of the newest evaluated period. */
  evaluatedToMs: number;
  /** Newest last. */
  readonly history: HistoryItem[];
}

/** The alarms of an application. */
export interface Alarms {
  readonly all: readonly Alarm[];
  /** Evaluates every alarm at the end of a minute. */
  evaluate(endMs: number): void;
  /** Changes the state of an alarm until its next evaluation. */
  setState(alarm: Alarm, state: AlarmState, reason: string, reasonData: string | undefined): void;
  enableActions(alarm: Alarm, enabled: boolean): void;
}

const maxHistory = 200;

interface AlarmDependencies {
  readonly store: MetricStore;
  /** Keeps the alarms whose actions were disabled or enabled. */
  readonly overrides: Overrides;
  readonly publish: Publish;
  /** Unix time in ms of CloudWatch's clock. */
  now(): number;
}

export const createAlarms = (
  definitions: readonly AlarmDefinition[],
  { store, overrides, publish, now }: AlarmDependencies,
): Alarms => {
  const startedAtMs = now();
  const all = definitions.map(
    (definition): Alarm => ({
      definition,
      configuredAtMs: startedAtMs,
      state: 'INSUFFICIENT_DATA',
      reason: 'Unchecked: Initial alarm creation',
      reasonData: undefined,
      changedAtMs: startedAtMs,
      actionsEnabled: overrides.read(definition.arn, definition.properties.ActionsEnabled),
      evaluatedToMs: 0,
      history: [],
    }),
  );

  const remember = (alarm: Alarm, type: HistoryItem['type'], summary: string, data: object) => {
    alarm.history.push({ alarmName: alarm.definition.name, atMs: now(), type, summary, data });
    if (alarm.history.length > maxHistory) alarm.history.shift();
  };

  const notify = (alarm: Alarm, change: StateChange) => {
    const { properties } = alarm.definition;
    const actions = {
      OK: properties.OKActions,
      ALARM: properties.AlarmActions,
      INSUFFICIENT_DATA: properties.InsufficientDataActions,
    };
    for (const topicArn of alarm.actionsEnabled ? actions[change.to] : []) {
      const message = notificationOf(alarm.definition, change, alarm.configuredAtMs);
      publish(topicArn, subjectOf(alarm.definition, change), message);
      const data = { actionState: 'Succeeded', notificationResource: topicArn, publishedMessage: JSON.parse(message) };
      remember(alarm, 'Action', `Successfully executed action ${topicArn}`, data);
    }
  };

  const setState: Alarms['setState'] = (alarm, to, reason, reasonData) => {
    const from = alarm.state;
    if (from === to) return;
    const before = { stateValue: from, stateReason: alarm.reason };
    Object.assign(alarm, { state: to, reason, reasonData, changedAtMs: now() });
    const after = { stateValue: to, stateReason: reason };
    const data = { version: '1.0', oldState: before, newState: after };
    remember(alarm, 'StateUpdate', `Alarm updated from ${from} to ${to}`, data);
    notify(alarm, { from, to, reason, atMs: alarm.changedAtMs });
  };

  return {
    all,
    setState,
    evaluate(minuteEndMs) {
      for (const alarm of all) {
        const endMs = lastPeriodEnd(alarm.definition, minuteEndMs);
        if (endMs === alarm.evaluatedToMs) continue;
        alarm.evaluatedToMs = endMs;
        const { definition } = alarm;
        const { periodMs, queries, resultId } = definition;
        const length = evaluationRange(definition);
        const startMs = endMs - length * periodMs;
        const values = queries.evaluate(store, resultId, { startMs, periodMs, length });
        const verdict = decide(definition, values, startMs);
        if (verdict) setState(alarm, verdict.state, verdict.reason, reasonDataOf(definition, verdict, now()));
      }
    },
    enableActions(alarm, enabled) {
      if (alarm.actionsEnabled === enabled) return;
      alarm.actionsEnabled = enabled;
      overrides.write(alarm.definition.arn, alarm.definition.properties.ActionsEnabled, enabled);
      const summary = `Alarm "${alarm.definition.name}" updated`;
      remember(alarm, 'ConfigurationUpdate', summary, { type: 'Update', updatedAlarm: { actionsEnabled: enabled } });
    },
  };
};

/**
 * The end of the newest period. Alarms are evaluated each minute over periods that end with this minute, except those that
 * look back further than a day: they are evaluated each hour.
 */
const lastPeriodEnd = ({ periodMs, evaluationPeriods }: AlarmDefinition, minuteEndMs: number): number => {
  const unitMs = periodMs * evaluationPeriods > 24 * hourMs ? hourMs : minuteMs;
  return Math.floor(minuteEndMs / unitMs) * unitMs;
};

const reasonDataOf = (
  { properties: { Statistic, ExtendedStatistic, Threshold }, periodMs }: AlarmDefinition,
  { recent }: Verdict,
  nowMs: number,
): string => {
  const time = (ms: number) => new Date(ms).toISOString().replace('Z', '+0000');
  const oldest = recent.at(-1);
  return JSON.stringify({
    version: '1.0',
    queryDate: time(nowMs),
    ...(oldest && { startDate: time(oldest.startMs) }),
    ...(Statistic !== undefined && { statistic: Statistic }),
    ...(ExtendedStatistic !== undefined && { statistic: ExtendedStatistic }),
    period: periodMs / 1_000,
    recentDatapoints: recent.map(({ value }) => value).toReversed(),
    threshold: Threshold,
    evaluatedDatapoints: recent.map(({ startMs, value }) => ({ timestamp: time(startMs), value })),
  });
};
