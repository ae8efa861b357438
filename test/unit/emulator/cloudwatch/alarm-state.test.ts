import { type AlarmState, decide } from '../../../../emulator/cloudwatch/alarm-state';

const startMs = Date.UTC(2026, 10, 27, 8);
const rulesOf = (
  evaluationPeriods: number,
  datapointsToAlarm: number,
  TreatMissingData = 'missing',
  Threshold = 0,
) => ({
  evaluationPeriods,
  datapointsToAlarm,
  periodMs: 60_000,
  phrase: 'greater than',
  isBreaching: (value: number) => value > Threshold,
  properties: { Threshold, TreatMissingData } as Parameters<typeof decide>[0]['properties'],
});

/** `0`: not breaching, `X`: breaching, `-`: missing, oldest first. */
const valuesOf = (text: string) => text.split(' ').map((point) => (point === '-' ? undefined : point === 'X' ? 1 : 0));

const treatments = ['missing', 'ignore', 'breaching', 'notBreaching'];
const kept = undefined;

// The examples of "Configuring how CloudWatch alarms treat missing data".
test.each<[string, string, ...(AlarmState | undefined)[]]>([
  ['3 of 3', '0 - X - X', 'OK', 'OK', 'OK', 'OK'],
  ['3 of 3', '0 - - - -', 'OK', 'OK', 'OK', 'OK'],
  ['3 of 3', '- - - - -', 'INSUFFICIENT_DATA', kept, 'ALARM', 'OK'],
  ['3 of 3', '0 X X - X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
  ['3 of 3', '- - X - -', 'ALARM', kept, 'ALARM', 'OK'],
  ['2 of 3', '0 - X - X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
  ['2 of 3', '0 0 X 0 X', 'ALARM', 'ALARM', 'ALARM', 'ALARM'],
  ['2 of 3', '0 - X - -', 'OK', 'OK', 'ALARM', 'OK'],
  ['2 of 3', '- - - - 0', 'OK', 'OK', 'ALARM', 'OK'],
  ['2 of 3', '- - - X -', 'ALARM', kept, 'ALARM', 'OK'],
])('%s of the values %s', (rule, values, ...expected) => {
  const [datapoints = 0, periods = 0] = rule.split(' of ').map(Number);
  const states = treatments.map((treatment) => {
    const verdict = decide(rulesOf(periods, datapoints, treatment), valuesOf(values), startMs);
    return verdict?.state;
  });
  expect(states).toEqual(expected);
});

test('one breaching value is too recent to raise an alarm alone, so the alarm keeps its state', () => {
  expect(decide(rulesOf(3, 3), valuesOf('- - - - X'), startMs)).toBeUndefined();
});

test('looks at two periods before the evaluated ones only to replace missing values', () => {
  expect(decide(rulesOf(2, 2), valuesOf('X X 0 0'), startMs)?.state).toBe('OK');
  expect(decide(rulesOf(2, 2), valuesOf('X X - -'), startMs)?.state).toBe('ALARM');
});

test.each([
  [
    'ALARM',
    rulesOf(3, 2),
    [undefined, undefined, 3, 0, 2.5],
    'Threshold Crossed: 2 out of the last 3 datapoints [2.5 (27/11/26 08:04:00), 3.0 (27/11/26 08:02:00)] were greater than the threshold (0.0) (minimum 2 datapoints for OK -> ALARM transition).',
  ],
  [
    'OK',
    rulesOf(1, 1),
    [undefined, undefined, 0],
    'Threshold Crossed: 1 out of the last 1 datapoint [0.0 (27/11/26 08:02:00)] was not greater than the threshold (0.0) (minimum 1 datapoint for ALARM -> OK transition).',
  ],
  [
    'OK',
    rulesOf(1, 1, 'notBreaching'),
    [undefined, undefined, undefined],
    'Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [NonBreaching].',
  ],
  [
    'ALARM',
    rulesOf(2, 2, 'breaching'),
    [undefined, undefined, undefined, undefined],
    'Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as [Breaching].',
  ],
  [
    'INSUFFICIENT_DATA',
    rulesOf(1, 1, 'missing'),
    [undefined, undefined, undefined],
    'Insufficient Data: 1 datapoint was unknown.',
  ],
])('explains %s', (state, rules, values, reason) => {
  expect(decide(rules, values, startMs)).toMatchObject({ state, reason });
});
