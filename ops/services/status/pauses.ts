import { graceMs, isInForce } from '../pause/pause';
import { createPauseRecords, type Pause } from '../pause/record';
import { readSwitches } from '../pause/switches';
import type { StageConnection } from '../stage-connection';

/** A recorded pause, compared with what is switched off. */
export interface PauseStatus {
  readonly pause: Pause;
  /** Whether its end is still to come. */
  readonly isInForce: boolean;
  /** Whether everything is as the record says: off while it is in force, and on afterwards. */
  readonly isComplete: boolean;
  /** Names of the alarms that it keeps silent, without the prefix of the stage. */
  readonly silences: readonly string[];
}

/** Reads the pauses that are in force, and those that ended. */
export const readPauses = async (stage: StageConnection, nowMs: number): Promise<PauseStatus[]> => {
  const pauses = await createPauseRecords(stage).list(nowMs);
  return Promise.all(
    pauses.map(async (pause) => {
      const switches = await readSwitches(stage, pause.part);
      const inForce = isInForce(pause, nowMs);
      const recorded = switches.filter(({ id }) => pause.switches.includes(id));
      const isSilent = isInForce(pause, nowMs - graceMs);
      return {
        pause,
        isInForce: inForce,
        isComplete: recorded.every(({ isOn }) => isOn !== inForce),
        silences: isSilent
          ? stage.alarmsSilentWhilePaused[pause.part].map((name) => name.replace(`${stage.name}-marketplace-`, ''))
          : [],
      };
    }),
  );
};
