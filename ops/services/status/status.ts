import type { Issue } from '../../../shared/issues/issue';
import { createIssueService } from '../issues';
import { createLogService } from '../logs';
import { createOrderLog, type WaitingOrder } from '../order-log/order-log';
import { createRefusedBodyService } from '../refused-bodies';
import type { StageConnection } from '../stage-connection';
import { type ActivityReport, readActivity } from './activity';
import { type CircuitStatus, readCircuits } from './circuits';
import {
  type AlarmStatus,
  type Release,
  readAlarms,
  readDisabledWorkers,
  readReleases,
  readSchedules,
  readSyncs,
  type ScheduleStatus,
  type SyncStatus,
} from './deployment';
import { type PauseStatus, readPauses } from './pauses';
import { type QueueStatus, readQueues } from './queues';
import { type Reading, read } from './reading';
import { type PassStatus, readLastPass } from './reconciler-pass';

/** The state of a stage at one moment. */
export interface Status {
  readonly stage: string;
  readonly at: Date;
  readonly activity: Reading<ActivityReport>;
  readonly queues: Reading<readonly QueueStatus[]>;
  /** Open orders that wrote a line in the last 24 hours, the oldest first. */
  readonly waiting: Reading<readonly WaitingOrder[]>;
  /** Issues that are not resolved. */
  readonly issues: Reading<readonly Issue[]>;
  /** Number of webhook bodies that were refused with 422 in the last seven days, and are kept. */
  readonly refusedBodies: Reading<number>;
  readonly circuits: Reading<readonly CircuitStatus[]>;
  readonly alarms: Reading<AlarmStatus>;
  /** Workers whose queue is not consumed. */
  readonly disabledWorkers: Reading<readonly string[]>;
  readonly schedules: Reading<ScheduleStatus>;
  /** What operators have paused, also what should have resumed by now. */
  readonly pauses: Reading<readonly PauseStatus[]>;
  readonly syncs: Reading<SyncStatus>;
  readonly lastPass: Reading<PassStatus | undefined>;
  readonly releases: Reading<readonly Release[]>;
}

const waitingPeriodMs = 24 * 3_600_000;
const refusedPeriodMs = 7 * waitingPeriodMs;

/** Reads the state of a stage. A part that cannot be read does not hide the others. */
export const readStatus = async (stage: StageConnection, now: () => number): Promise<Status> => {
  const nowMs = now();
  const logs = createLogService(stage);
  const [
    activity,
    queues,
    waiting,
    issues,
    refusedBodies,
    circuits,
    alarms,
    disabledWorkers,
    schedules,
    pauses,
    syncs,
    lastPass,
    releases,
  ] = await Promise.all([
    read(() => readActivity(logs, nowMs)),
    read(() => readQueues(stage)),
    read(() => createOrderLog(stage, now, logs).listOpen(new Date(nowMs - waitingPeriodMs))),
    read(async () => (await createIssueService(stage, now).list(false)).issues),
    read(async () => (await createRefusedBodyService(stage, now).list(new Date(nowMs - refusedPeriodMs))).length),
    read(() => readCircuits(logs, nowMs)),
    read(() => readAlarms(stage)),
    read(() => readDisabledWorkers(stage)),
    read(() => readSchedules(stage)),
    read(() => readPauses(stage, nowMs)),
    read(() => readSyncs(stage)),
    read(() => readLastPass(logs, nowMs)),
    read(() => readReleases(stage, logs)),
  ]);
  return {
    stage: stage.name,
    at: new Date(nowMs),
    activity,
    queues,
    waiting,
    issues,
    refusedBodies,
    circuits,
    alarms,
    disabledWorkers,
    schedules,
    pauses,
    syncs,
    lastPass,
    releases,
  };
};
