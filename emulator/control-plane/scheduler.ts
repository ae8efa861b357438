import * as z from 'zod';
import { ServiceError } from '../json-service';
import { notServed } from '../not-served';
import { arnOf } from '../resource-types';
import { readStateFile, writeStateFile } from '../state-files';

/** Scheduler's default number of retries. */
const maxRetries = 185;
const retryMs = 1_000;
/** The longest delay of a timer of Node. */
const longestTimerMs = 2 ** 31 - 1;

const expressionPattern = /^at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)$/;
const scheduleSchema = z.strictObject({
  Description: z.string().optional(),
  ScheduleExpression: z.string().regex(expressionPattern, 'must be at(yyyy-mm-ddThh:mm:ss)'),
  ScheduleExpressionTimezone: z.literal('UTC').optional(),
  FlexibleTimeWindow: z.strictObject({ Mode: z.literal('OFF') }),
  ActionAfterCompletion: z.literal('DELETE'),
  Target: z.strictObject({ Arn: z.string(), RoleArn: z.string(), Input: z.string() }),
  ClientToken: z.string().optional(),
});
const fileSchema = z.record(z.string(), scheduleSchema);
type OneTimeSchedule = z.output<typeof scheduleSchema>;

const timeOf = ({ ScheduleExpression }: OneTimeSchedule): number =>
  Date.parse(`${expressionPattern.exec(ScheduleExpression)?.[1]}Z`);

/** EventBridge Scheduler, for one-time schedules that call an AWS API and are then deleted. */
export interface Scheduler {
  /** Creates, describes or deletes a schedule. @returns the body of the response */
  act(method: string, name: string, body: string): object;
  /** Names of the schedules that have not run yet. */
  names(): string[];
  stop(): void;
}

/**
 * Runs the schedules. They survive a restart; one whose time has passed by then runs at once.
 *
 * @param callOf returns the call of a universal target; undefined if it is not served
 */
export const startScheduler = (
  file: string,
  callOf: (targetArn: string, input: string) => (() => Promise<void>) | undefined,
): Scheduler => {
  const advice = 'Delete it: its schedules then do not run.';
  const schedules = new Map(Object.entries(readStateFile(file, fileSchema, advice) ?? {}));
  const timers = new Map<string, NodeJS.Timeout>();
  let isStopped = false;
  const save = (): void => writeStateFile(file, JSON.stringify(Object.fromEntries(schedules)));

  const remove = (name: string): void => {
    clearTimeout(timers.get(name));
    timers.delete(name);
    schedules.delete(name);
    save();
  };
  const arm = (name: string, schedule: OneTimeSchedule, retries: number, delayMs: number): void => {
    const run = async (): Promise<void> => {
      const waitMs = timeOf(schedule) - Date.now();
      if (waitMs > 0) return arm(name, schedule, retries, waitMs);
      const { Arn, Input } = schedule.Target;
      const failed = await callOf(Arn, Input)?.().then(
        () => false,
        () => true,
      );
      // It may have been deleted in the meantime.
      if (isStopped || schedules.get(name) !== schedule) return;
      if (failed && retries < maxRetries) arm(name, schedule, retries + 1, retryMs);
      else remove(name);
    };
    timers.set(name, setTimeout(run, Math.min(delayMs, longestTimerMs)).unref());
  };
  for (const [name, schedule] of schedules) arm(name, schedule, 0, timeOf(schedule) - Date.now());

  const create = (name: string, body: string): object => {
    const parsed = scheduleSchema.safeParse(JSON.parse(body));
    if (!parsed.success) {
      const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
      throw new ServiceError('ValidationException', `Not served by Scheduler CreateSchedule: ${faults.join(', ')}.`);
    }
    if (schedules.has(name)) throw new ServiceError('ConflictException', `Schedule ${name} already exists.`);
    const { Arn, Input } = parsed.data.Target;
    let call: ReturnType<typeof callOf>;
    try {
      call = callOf(Arn, Input);
    } catch (error) {
      throw new ServiceError('ValidationException', `Invalid input of ${Arn}: ${String(error)}`);
    }
    if (!call) throw new ServiceError('ValidationException', notServed(`the target ${Arn}`, 'Scheduler'));
    schedules.set(name, parsed.data);
    save();
    arm(name, parsed.data, 0, timeOf(parsed.data) - Date.now());
    return { ScheduleArn: arnOf('scheduler', `schedule/default/${name}`) };
  };

  return {
    act: (method, name, body) => {
      if (method === 'POST') return create(name, body);
      const schedule = schedules.get(name);
      if (!schedule) throw new ServiceError('ResourceNotFoundException', `Schedule ${name} does not exist.`);
      if (method === 'GET') return { Name: name, State: 'ENABLED', ...schedule };
      if (method !== 'DELETE') throw new ServiceError('ValidationException', notServed(method, 'Scheduler'));
      remove(name);
      return {};
    },
    names: () => [...schedules.keys()],
    stop: () => {
      isStopped = true;
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
};
