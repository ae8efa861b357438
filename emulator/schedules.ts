import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { Application } from './application';
import type { Resource } from './assembly';
import { accountId, arnOf, region } from './resource-types';

const targetSchema = z.object({
  Arn: z.string(),
  Input: z.string().optional(),
  InputPath: z.never().optional(),
  InputTransformer: z.never().optional(),
});
const scheduleSchema = z.object({ Target: targetSchema });
const ruleSchema = z.object({
  Targets: z.array(targetSchema).default([]),
  ScheduleExpression: z.string().optional(),
  State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
});

/** A schedule of the application. It fires on request, and by {@link startRates}. */
export interface Schedule {
  /** Its name, its construct's id, and the name of the function or state machine that it fires. */
  readonly names: readonly string[];
  readonly targetArn: string;
  /** Of an EventBridge rule with a rate. */
  readonly rate?: { readonly ruleName: string; readonly periodMs: number; readonly isDeclaredOn: boolean };
  /** Creates the event for the time `now`, as JSON text. */
  event(now: Date): string;
}

/** Reads the schedules of EventBridge Scheduler, and the rules of EventBridge, one for each target. */
export const readSchedules = (application: Application): Schedule[] => {
  const schedules = application
    .resources(['AWS::Scheduler::Schedule'], scheduleSchema)
    .map(({ name, resource, properties: { Target } }) => {
      const arn = arnOf('scheduler', `schedule/default/${name}`);
      const event = (now: Date) =>
        Target.Input === undefined
          ? scheduledEvent('aws.scheduler', arn, now, '{}')
          : withContext(Target.Input, arn, now);
      return { names: namesOf(name, resource, Target.Arn), targetArn: Target.Arn, event };
    });
  const rules = application.resources(['AWS::Events::Rule'], ruleSchema).flatMap(({ name, resource, properties }) =>
    properties.Targets.map((target) => ({
      names: namesOf(name, resource, target.Arn),
      targetArn: target.Arn,
      ...rateOf(name, properties),
      event: (now: Date) => target.Input ?? scheduledEvent('aws.events', arnOf('events', `rule/${name}`), now, {}),
    })),
  );
  return [...schedules, ...rules];
};

const unitMs: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

const rateOf = (
  ruleName: string,
  { ScheduleExpression = '', State }: z.output<typeof ruleSchema>,
): Pick<Schedule, 'rate'> => {
  const [, count, unit = ''] = /^rate\((\d+) (\w+?)s?\)$/.exec(ScheduleExpression) ?? [];
  const periodMs = Number(count) * (unitMs[unit] ?? Number.NaN);
  return periodMs > 0 ? { rate: { ruleName, periodMs, isDeclaredOn: State === 'ENABLED' } } : {};
};

/**
 * Fires the rules with a rate, while they are enabled: for the first time after one period. Other schedules fire only on
 * request.
 *
 * @param isOn whether a rule is enabled now
 * @returns a function that stops it
 */
export const startRates = (
  schedules: readonly Schedule[],
  isOn: (ruleName: string, isDeclaredOn: boolean) => boolean,
  fire: (schedule: Schedule) => void,
): (() => void) => {
  const timers = schedules.flatMap((schedule) => {
    const { rate } = schedule;
    if (rate === undefined) return [];
    return setInterval(() => isOn(rate.ruleName, rate.isDeclaredOn) && fire(schedule), rate.periodMs);
  });
  return () => timers.forEach(clearInterval);
};

const namesOf = (name: string, { constructId }: Resource, targetArn: string): string[] => [
  name,
  constructId,
  targetArn.replace(/^.*(?:function|stateMachine):/, ''),
];

const scheduledEvent = (source: string, arn: string, now: Date, detail: unknown): string =>
  JSON.stringify({
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source,
    account: accountId,
    time: awsTime(now),
    region,
    resources: [arn],
    detail,
  });

/** Replaces the context attributes of EventBridge Scheduler in an input. */
const withContext = (input: string, arn: string, now: Date): string => {
  const context: Readonly<Record<string, string>> = {
    'schedule-arn': arn,
    'scheduled-time': awsTime(now),
    'execution-id': randomUUID(),
    'attempt-number': '1',
  };
  return input.replace(/<aws\.scheduler\.([a-z-]+)>/g, (whole, name: string) => context[name] ?? whole);
};

const awsTime = (now: Date): string => now.toISOString().replace(/\.\d+Z$/, 'Z');
