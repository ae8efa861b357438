import { DisableAlarmActionsCommand, EnableAlarmActionsCommand } from '@aws-sdk/client-cloudwatch';
import type { StageConnection } from '../stage-connection';
import type { PausablePart } from './parts';

type Connection = Pick<StageConnection, 'cloudWatch' | 'alarmsSilentWhilePaused'>;

/** Names of the alarms of a part that the pauses of other parts do not keep silent. */
export const alarmsOf = (
  { alarmsSilentWhilePaused }: Pick<Connection, 'alarmsSilentWhilePaused'>,
  part: PausablePart,
  alsoPaused: readonly PausablePart[] = [],
): string[] => {
  const kept = new Set(alsoPaused.flatMap((other) => alarmsSilentWhilePaused[other]));
  return alarmsSilentWhilePaused[part].filter((name) => !kept.has(name));
};

/** Switches the notifications of alarms on or off. */
export const setNotifications = async (
  { cloudWatch }: Pick<Connection, 'cloudWatch'>,
  AlarmNames: string[],
  on: boolean,
): Promise<void> => {
  if (AlarmNames.length === 0) return;
  await cloudWatch.send(
    on ? new EnableAlarmActionsCommand({ AlarmNames }) : new DisableAlarmActionsCommand({ AlarmNames }),
  );
};
