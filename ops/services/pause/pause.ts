import type { StageConnection } from '../stage-connection';
import { backlogOf, readQueues } from '../status/queues';
import { alarmsOf, setNotifications } from './alarms';
import type { PausablePart } from './parts';
import { createPauseRecords, type Pause } from './record';
import { cancelSchedules, scheduleNotifications, scheduleSwitches } from './resume-schedules';
import { flip, readSwitches } from './switches';

/**
 * How long alarms stay silent after the end of a pause: what waited meanwhile is late, and this is not news. They are
 * switched on at once if nothing waits.
 */
export const graceMs = 15 * 60_000;

/** Whether a pause is in force at a time. */
export const isInForce = ({ until }: Pick<Pause, 'until'>, nowMs: number): boolean =>
  until === undefined || Date.parse(until) > nowMs;

/** What an operator wants. */
export interface PauseRequest {
  readonly by: string;
  readonly reason: string;
  /** When it ends by itself; undefined: when somebody ends it. */
  readonly until: Date | undefined;
}

/**
 * Plans a pause, and changes nothing. A part that is paused already keeps what the first pause has switched off, so that
 * the pause can be completed or changed.
 *
 * @returns the switches that it switches off; undefined if there is none, as for a sync without a schedule
 */
export const planPause = async (
  stage: StageConnection,
  part: PausablePart,
  nowMs: number,
): Promise<{ readonly switches: readonly string[]; readonly present: Pause | undefined } | undefined> => {
  const [record, switches] = await Promise.all([createPauseRecords(stage).read(part), readSwitches(stage, part)]);
  const present = record && isInForce(record, nowMs) ? record : undefined;
  const known = present?.switches ?? [];
  // A worker's mapping is on in every stage. A rule that is off was switched off by the configuration.
  const off = switches.filter(({ id, isOn }) => isOn || part !== 'sync' || known.includes(id)).map(({ id }) => id);
  return off.length === 0 ? undefined : { switches: off, present };
};

/**
 * Pauses a part. Every step can be repeated: if one fails, the record shows a pause that is not complete, and a second
 * call completes it.
 */
export const pausePart = async (
  stage: StageConnection,
  part: PausablePart,
  { by, reason, until }: PauseRequest,
  { switches, present }: NonNullable<Awaited<ReturnType<typeof planPause>>>,
  nowMs: number,
): Promise<Pause> => {
  const records = createPauseRecords(stage);
  const pause: Pause = {
    part,
    by,
    reason,
    since: present?.since ?? new Date(nowMs).toISOString(),
    ...(until !== undefined && { until: until.toISOString() }),
    switches: [...switches],
  };
  await records.write(pause);
  await cancelSchedules(stage, part, switches.length);
  if (until !== undefined) {
    await scheduleSwitches(stage, part, switches, until.getTime());
    await scheduleNotifications(stage, part, alarmsOf(stage, part), until.getTime() + graceMs);
  }
  await setNotifications(stage, alarmsOf(stage, part), false);
  for (const id of switches) await flip(stage, part, id, false);
  return pause;
};

/** How a part was resumed. */
export interface Resumption {
  /** The pause that ended; undefined if the part was switched off by other means. */
  readonly pause: Pause | undefined;
  /** When its alarms notify again; undefined: at once. */
  readonly alarmsAt: Date | undefined;
}

/**
 * Resumes a part, however it was switched off. Like a pause, it can be repeated.
 *
 * @returns undefined if nothing is switched off or silent
 */
export const planResume = async (
  stage: StageConnection,
  part: PausablePart,
  nowMs: number,
): Promise<{ readonly pause: Pause | undefined; readonly switches: readonly string[] } | undefined> => {
  const [pause, switches] = await Promise.all([createPauseRecords(stage).read(part), readSwitches(stage, part)]);
  const inForce = pause !== undefined && isInForce(pause, nowMs);
  const known = pause?.switches ?? [];
  const off = switches.filter(({ id, isOn }) => !isOn && (part !== 'sync' || known.includes(id))).map(({ id }) => id);
  return inForce || off.length > 0 ? { pause, switches: off } : undefined;
};

/** Ends a pause now. */
export const resumePart = async (
  stage: StageConnection,
  part: PausablePart,
  { pause, switches }: NonNullable<Awaited<ReturnType<typeof planResume>>>,
  nowMs: number,
): Promise<Resumption> => {
  const records = createPauseRecords(stage);
  if (pause && isInForce(pause, nowMs)) await records.write({ ...pause, until: new Date(nowMs).toISOString() });
  for (const id of switches) await flip(stage, part, id, true);
  await cancelSchedules(stage, part, Math.max(switches.length, pause?.switches.length ?? 0));
  const others = (await records.list(nowMs)).filter((other) => other.part !== part && isInForce(other, nowMs));
  const alarms = alarmsOf(
    stage,
    part,
    others.map((other) => other.part),
  );
  const queue = (await readQueues(stage)).find(({ worker }) => worker === part);
  const alarmsAt = queue && backlogOf(queue) > 0 ? new Date(nowMs + graceMs) : undefined;
  if (alarmsAt) await scheduleNotifications(stage, part, alarms, alarmsAt.getTime());
  else await setNotifications(stage, alarms, true);
  return { pause, alarmsAt };
};
