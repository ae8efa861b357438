import { readSchedules, startRates } from '../../../emulator/schedules';
import { applicationOf } from '../../local/fixture/application';

const rule = (name: string, properties: object) => ({
  Type: 'AWS::Events::Rule',
  Properties: {
    Name: name,
    Targets: [{ Arn: `arn:aws:lambda:us-east-1:000000000000:function:${name}` }],
    ...properties,
  },
});
const schedules = readSchedules(
  applicationOf({
    Watch: rule('watch', { ScheduleExpression: 'rate(5 minutes)' }),
    Hourly: rule('hourly', { ScheduleExpression: 'rate(1 hour)', State: 'DISABLED' }),
    Nightly: rule('nightly', { ScheduleExpression: 'cron(0 2 * * ? *)' }),
  }),
);

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test('rules with a rate fire while they are enabled, and no other schedule', () => {
  const fired: string[] = [];
  const switched = new Map<string, boolean>();
  const stop = startRates(
    schedules,
    (name, isDeclaredOn) => switched.get(name) ?? isDeclaredOn,
    ({ targetArn }) => fired.push(targetArn.replace(/^.*:/, '')),
  );
  jest.advanceTimersByTime(299_999);
  expect(fired).toEqual([]);
  jest.advanceTimersByTime(300_001);
  expect(fired).toEqual(['watch', 'watch']);
  switched.set('watch', false).set('hourly', true);
  jest.advanceTimersByTime(3_000_000);
  expect(fired).toEqual(['watch', 'watch', 'hourly']);
  stop();
  jest.advanceTimersByTime(86_400_000);
  expect(fired).toHaveLength(3);
});
