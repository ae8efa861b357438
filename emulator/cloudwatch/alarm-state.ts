import type { AlarmDefinition } from './alarm-definition';
import type { Series } from './metric-math';

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

/** A period and its value. */
export interface Datapoint {
  /** Unix time in ms. */
  readonly startMs: number;
  readonly value: number;
}

/** The state that an alarm should have, and why. */
export interface Verdict {
  readonly state: AlarmState;
  readonly reason: string;
  /** The values that were evaluated, newest first. */
  readonly recent: readonly Datapoint[];
}

/**
 * Number of periods before the evaluated ones from which values are taken where recent ones are missing. CloudWatch does
 * not document it; in its examples, three evaluated periods have a range of five.
 */
const extraPeriods = 2;

type Rules = Pick<
  AlarmDefinition,
  'evaluationPeriods' | 'datapointsToAlarm' | 'periodMs' | 'phrase' | 'isBreaching' | 'properties'
>;

/** The number of periods that an evaluation reads. */
export const evaluationRange = ({ evaluationPeriods }: Pick<Rules, 'evaluationPeriods'>): number =>
  evaluationPeriods + extraPeriods;

/**
 * Decides the state of an alarm.
 *
 * @param values of the {@link evaluationRange}, oldest first
 * @param startMs start of the first period
 * @returns undefined if the alarm keeps its state
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 */
export const decide = (rules: Rules, values: Series, startMs: number): Verdict | undefined => {
  const { evaluationPeriods, datapointsToAlarm, isBreaching, properties } = rules;
  const newestFirst = values.map((value, index) => ({ startMs: startMs + index * rules.periodMs, value })).toReversed();
  const recent = newestFirst
    .filter((point): point is Datapoint => point.value !== undefined)
    .slice(0, evaluationPeriods);
  const breaching = recent.filter(({ value }) => isBreaching(value));
  const missing = evaluationPeriods - recent.length;
  const treatment = properties.TreatMissingData;

  const verdict = (state: AlarmState, reason: string): Verdict => ({ state, reason, recent });
  const crossed = (state: 'OK' | 'ALARM', filled: number) =>
    verdict(state, crossedReason(rules, state, recent, filled));

  if (breaching.length >= datapointsToAlarm) return crossed('ALARM', 0);
  if (missing === 0) return crossed('OK', 0);
  switch (treatment) {
    case 'breaching':
      return crossed(breaching.length + missing >= datapointsToAlarm ? 'ALARM' : 'OK', missing);
    case 'notBreaching':
      return crossed('OK', missing);
    default: {
      if (recent.some(({ value }) => !isBreaching(value))) return crossed('OK', 0);
      if (treatment === 'ignore') return undefined;
      if (recent.length === 0) {
        const points = evaluationPeriods === 1 ? '1 datapoint was' : `${evaluationPeriods} datapoints were`;
        return verdict('INSUFFICIENT_DATA', `Insufficient Data: ${points} unknown.`);
      }
      // Only breaching values, too few: they raise the alarm when the oldest is as old as the periods that it needs.
      const oldest = newestFirst.findLastIndex(({ value }) => value !== undefined) + 1;
      return oldest >= datapointsToAlarm ? crossed('ALARM', 0) : undefined;
    }
  }
};

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Explains a state in CloudWatch's words. */
const crossedReason = (
  { evaluationPeriods, datapointsToAlarm, phrase, isBreaching, properties: { Threshold, TreatMissingData } }: Rules,
  state: 'OK' | 'ALARM',
  recent: readonly Datapoint[],
  filled: number,
): string => {
  const treated = TreatMissingData === 'breaching' ? 'Breaching' : 'NonBreaching';
  if (recent.length === 0) {
    const points = filled === 1 ? 'datapoint was' : 'datapoints were';
    return `Threshold Crossed: no datapoints were received for ${plural(filled, 'period')} and ${filled} missing ${points} treated as [${treated}].`;
  }
  const counted = recent.filter(({ value }) => isBreaching(value) === (state === 'ALARM'));
  const shown = counted.map(({ value, startMs }) => `${decimal(value)} (${shortTime(startMs)})`).join(', ');
  const was = counted.length === 1 ? 'was' : 'were';
  const direction = state === 'ALARM' ? 'OK -> ALARM' : 'ALARM -> OK';
  const minimum = state === 'ALARM' ? datapointsToAlarm : evaluationPeriods - datapointsToAlarm + 1;
  const total = Math.min(evaluationPeriods, recent.length + filled);
  return [
    `Threshold Crossed: ${counted.length} out of the last ${plural(total, 'datapoint')} [${shown}] ${was}`,
    `${state === 'ALARM' ? '' : 'not '}${phrase} the threshold (${decimal(Threshold)})`,
    `(minimum ${plural(minimum, 'datapoint')} for ${direction} transition).`,
  ].join(' ');
};

const decimal = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));

/** `27/11/26 08:00:00` */
const shortTime = (ms: number): string => {
  const [date = '', time = ''] = new Date(ms).toISOString().split('T');
  return `${date.slice(8)}/${date.slice(5, 7)}/${date.slice(2, 4)} ${time.slice(0, 8)}`;
};
