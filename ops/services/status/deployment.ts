import { paginateDescribeAlarms } from '@aws-sdk/client-cloudwatch';
import { DescribeRuleCommand, ListRuleNamesByTargetCommand } from '@aws-sdk/client-eventbridge';
import { GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { workerNames } from '../dead-letters';
import type { LogService } from '../logs';
import { readSwitches } from '../pause/switches';
import { hasEnded, type RunStatus } from '../run-status';
import type { StageConnection } from '../stage-connection';
import { createSyncService } from '../sync-runs';

/** An alarm in the state ALARM. */
export interface RaisedAlarm {
  readonly name: string;
  readonly since: Date | undefined;
  /** Impact and runbook heading. */
  readonly description: string;
}

export interface AlarmStatus {
  readonly total: number;
  readonly raised: readonly RaisedAlarm[];
  /** Alarms that notify nobody, raised or not. */
  readonly silent: readonly string[];
}

/** A release, and the functions that run it. */
export interface Release {
  readonly version: string;
  readonly commit: string;
  readonly functions: readonly string[];
}

/** The sync runs: those in progress, and the newest that has ended. */
export interface SyncStatus {
  readonly running: readonly { readonly name: string; readonly startedAt: Date }[];
  readonly last: { readonly name: string; readonly status: RunStatus; readonly endedAt: Date } | undefined;
}

/** Newest runs that are read. Only few run at the same time. */
const maxRuns = 20;

/** Reads the alarms of a stage. */
export const readAlarms = async ({ name, cloudWatch }: StageConnection): Promise<AlarmStatus> => {
  const raised: RaisedAlarm[] = [];
  const silent: string[] = [];
  let total = 0;
  const prefix = `${name}-marketplace-`;
  const pages = paginateDescribeAlarms({ client: cloudWatch }, { AlarmNamePrefix: prefix });
  for await (const { MetricAlarms = [] } of pages) {
    total += MetricAlarms.length;
    for (const alarm of MetricAlarms) {
      const { AlarmName = '', AlarmDescription = '', ActionsEnabled, StateValue, StateUpdatedTimestamp } = alarm;
      if (ActionsEnabled === false) silent.push(AlarmName.slice(prefix.length));
      if (StateValue !== 'ALARM') continue;
      raised.push({
        name: AlarmName.slice(prefix.length),
        since: StateUpdatedTimestamp,
        description: AlarmDescription,
      });
    }
  }
  return { total, raised, silent };
};

/** Names the workers whose event source mapping is disabled: their queue is not consumed. */
export const readDisabledWorkers = async (stage: StageConnection): Promise<string[]> => {
  const switches = await Promise.all(workerNames.map((worker) => readSwitches(stage, worker)));
  return workerNames.filter((_, index) => switches[index]?.some(({ isOn }) => !isOn));
};

/** What schedules start at the moment, and what none starts: `reconciler`, unless an earlier version deployed it; `sync`. */
export interface ScheduleStatus {
  readonly on: readonly string[];
  readonly off: readonly string[];
}

/** Reads whether the schedules of a stage are enabled. */
export const readSchedules = async (stage: StageConnection): Promise<ScheduleStatus> => {
  const client = stage.eventBridge;
  const isScheduled = async (TargetArn: string): Promise<boolean> => {
    const { RuleNames = [] } = await client.send(new ListRuleNamesByTargetCommand({ TargetArn }));
    const rules = await Promise.all(RuleNames.map((Name) => client.send(new DescribeRuleCommand({ Name }))));
    return rules.some(({ State }) => State === 'ENABLED');
  };
  const { reconcilerFunctionName: FunctionName } = stage;
  const reconciler =
    FunctionName === undefined
      ? undefined
      : await stage.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
  const targets = { ...(reconciler && { reconciler: reconciler.FunctionArn ?? '' }), sync: stage.stateMachineArn };
  const states = await Promise.all(
    Object.entries(targets).map(async ([name, arn]) => ({ name, scheduled: await isScheduled(arn) })),
  );
  const namesOf = (isOn: boolean) => states.filter(({ scheduled }) => scheduled === isOn).map(({ name }) => name);
  return { on: namesOf(true), off: namesOf(false) };
};

const releaseSchema = z.object({ SERVICE_VERSION: z.string(), COMMIT_SHA: z.string() });
const functionLogGroup = /^\/aws\/lambda\/(.*)$/;

/** Reads which release each Lambda runs, the release of most functions first. */
export const readReleases = async (
  stage: StageConnection,
  logs: Pick<LogService, 'listLogGroups'>,
): Promise<Release[]> => {
  // Each Lambda has a log group, which bears its name.
  const names = (await logs.listLogGroups()).flatMap((group) => functionLogGroup.exec(group)?.[1] ?? []);
  const releases = new Map<string, { version: string; commit: string; functions: string[] }>();
  const configurations = await Promise.all(
    names.map((FunctionName) => stage.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))),
  );
  for (const { FunctionName = '', Environment } of configurations) {
    const { data } = releaseSchema.safeParse(Environment?.Variables);
    const [version, commit] = data ? [data.SERVICE_VERSION, data.COMMIT_SHA] : ['unknown', 'unknown'];
    const key = `${version} ${commit}`;
    const release = releases.get(key) ?? { version, commit, functions: [] };
    release.functions.push(FunctionName.replace(`${stage.name}-marketplace-`, ''));
    releases.set(key, release);
  }
  return [...releases.values()].sort((a, b) => b.functions.length - a.functions.length);
};

/** Reads the runs in progress or waiting, and the newest that has ended. One that was skipped has done nothing. */
export const readSyncs = async (stage: StageConnection): Promise<SyncStatus> => {
  const { runs } = await createSyncService(stage).list(maxRuns);
  const running = runs
    .filter(({ status }) => !hasEnded(status))
    .map(({ runId, startedAt }) => ({ name: runId, startedAt: new Date(startedAt) }));
  const ended = runs.find(({ status }) => hasEnded(status) && status !== 'SKIPPED');
  const last = ended && {
    name: ended.runId,
    status: ended.status,
    endedAt: new Date(ended.finishedAt ?? ended.startedAt),
  };
  return { running, last };
};
