import { CreateScheduleCommand, DeleteScheduleCommand, ResourceNotFoundException } from '@aws-sdk/client-scheduler';
import type { StageConnection } from '../stage-connection';
import type { PausablePart } from './parts';

type Connection = Pick<StageConnection, 'name' | 'scheduler' | 'resumeRoleArn'>;

/** One call of an AWS API at a time: a universal target of EventBridge Scheduler. */
interface TimedCall {
  readonly name: string;
  readonly atMs: number;
  /** The SDK's name of service and action: `lambda:updateEventSourceMapping`. */
  readonly action: string;
  readonly input: object;
}

const prefixOf = ({ name }: Connection, part: PausablePart): string => `${name}-marketplace-resume-${part}`;

const remove = async ({ scheduler }: Connection, Name: string): Promise<void> => {
  await scheduler.send(new DeleteScheduleCommand({ Name })).catch((error: unknown) => {
    if (!(error instanceof ResourceNotFoundException)) throw error;
  });
};

/** Replaces a schedule. It runs once, and is then deleted. */
const replace = async (stage: Connection, { name, atMs, action, input }: TimedCall): Promise<void> => {
  await remove(stage, name);
  await stage.scheduler.send(
    new CreateScheduleCommand({
      Name: name,
      ScheduleExpression: `at(${new Date(atMs).toISOString().slice(0, 19)})`,
      FlexibleTimeWindow: { Mode: 'OFF' },
      ActionAfterCompletion: 'DELETE',
      Target: {
        Arn: `arn:aws:scheduler:::aws-sdk:${action}`,
        RoleArn: stage.resumeRoleArn,
        Input: JSON.stringify(input),
      },
    }),
  );
};

/** Switches a part on at a time. */
export const scheduleSwitches = async (
  stage: Connection,
  part: PausablePart,
  ids: readonly string[],
  atMs: number,
): Promise<void> => {
  for (const [index, id] of ids.entries()) {
    const call =
      part === 'sync'
        ? { action: 'eventbridge:enableRule', input: { Name: id } }
        : { action: 'lambda:updateEventSourceMapping', input: { Uuid: id, Enabled: true } };
    await replace(stage, { name: `${prefixOf(stage, part)}-${index}`, atMs, ...call });
  }
};

/** Switches the notifications of alarms on at a time. */
export const scheduleNotifications = async (
  stage: Connection,
  part: PausablePart,
  AlarmNames: readonly string[],
  atMs: number,
): Promise<void> => {
  if (AlarmNames.length === 0) return;
  const call = { action: 'cloudwatch:enableAlarmActions', input: { AlarmNames } };
  await replace(stage, { name: `${prefixOf(stage, part)}-alarms`, atMs, ...call });
};

/** Deletes the schedules of a part. */
export const cancelSchedules = async (stage: Connection, part: PausablePart, switches: number): Promise<void> => {
  const names = [...Array.from({ length: switches }, (_, index) => String(index)), 'alarms'];
  for (const name of names) await remove(stage, `${prefixOf(stage, part)}-${name}`);
};
