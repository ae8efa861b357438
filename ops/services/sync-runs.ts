import { setTimeout as wait } from 'node:timers/promises';
import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  ExecutionNotRedrivable,
  paginateListExecutions,
  RedriveExecutionCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { failedRowsPath, rowsFilePath } from '../../shared/iterable/rows-file';
import { parseJson } from '../../shared/json';
import { createRunFolders } from '../../shared/runs/artifacts';
import { fileStamp } from '../../shared/runs/files';
import { readRunInput } from '../../shared/runs/input';
import { syncJobNames } from '../../shared/runs/jobs';
import { createRunRepository } from '../../shared/runs/repository';
import type { Run } from '../../shared/runs/run';
import { ServiceFault } from './fault';
import { type JobOutcome, type RunReport, readRunOutcomes, readRunReport } from './run-report';
import { hasEnded, type RunStatus, runStatusOf } from './run-status';
import type { StageConnection } from './stage-connection';

/** A run's execution in Step Functions. Absent after 90 days, and possibly in the first moments. */
export interface RunExecution {
  readonly startedAt: Date | undefined;
  readonly stoppedAt: Date | undefined;
  readonly redrives: number;
  /** The reason why the execution cannot be redriven, if it cannot. */
  readonly notRedrivable: string | undefined;
  /** The name and message of the error that it failed with. */
  readonly error: string | undefined;
  readonly cause: string | undefined;
}

/** A run: its newest execution, and its item once the run has been planned. */
export interface RunView {
  readonly runId: string;
  readonly status: RunStatus;
  readonly executionArn: string;
  readonly execution: RunExecution | undefined;
  readonly run: Run | undefined;
}

/** An entry in the list of runs. */
export interface ListedRun {
  readonly runId: string;
  readonly status: RunStatus;
  readonly startedAt: string;
  readonly finishedAt: string | undefined;
  readonly jobs: readonly string[];
  readonly isDryRun: boolean;
  readonly message: string | undefined;
}

export interface WatchOptions {
  /** Show only the progress of this execution. The run's item may still describe an earlier one. */
  readonly executionArn?: string | undefined;
  /** Ends the watch; the run continues. */
  readonly signal?: AbortSignal | undefined;
}

const pollIntervalMs = 1_000;

/** The settings of a run with which its failed users are sent again. */
const sendingSchema = z.object({ iterable: z.object({ mode: z.string(), use_jwt: z.boolean() }) });

/** Reads, starts, stops and redrives the sync runs of a stage. */
export const createSyncService = (stage: StageConnection) => {
  const { sfn, stateMachineArn, artifactsBucketName } = stage;
  const runs = createRunRepository(
    DynamoDBDocumentClient.from(stage.dynamodb),
    stage.syncRunsTableName,
    stage.operationsTableName,
  );
  const openFolder = createRunFolders(stage.s3, artifactsBucketName);
  const executionArnOf = (name: string): string =>
    `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;

  const describe = async (executionArn: string): Promise<DescribeExecutionCommandOutput | undefined> => {
    try {
      return await sfn.send(new DescribeExecutionCommand({ executionArn }));
    } catch (error) {
      if (error instanceof ExecutionDoesNotExist) return undefined;
      throw error;
    }
  };

  /** @returns undefined if neither the run nor the execution exists */
  const look = async (runId: string, startedArn?: string): Promise<RunView | undefined> => {
    const executionArn = startedArn ?? (await runs.read(runId))?.execution_arn ?? executionArnOf(runId);
    const execution = await describe(executionArn);
    // Read the item after the execution: once the execution has ended, the item is complete.
    const item = await runs.read(runId);
    const run = item?.execution_arn === executionArn ? item : undefined;
    if (execution === undefined && run === undefined && startedArn === undefined) return undefined;
    // A new execution becomes visible after a delay, because Step Functions is eventually consistent.
    const status = runStatusOf(execution?.status, run?.status);
    return { runId, status, executionArn, execution: execution && toRunExecution(execution), run };
  };

  const existing = async (runId: string, startedArn?: string): Promise<RunView> => {
    const view = await look(runId, startedArn);
    if (view !== undefined) return view;
    throw new ServiceFault('absent', `There is no sync run ${runId} in ${stage.name}.`);
  };

  /** Lists a run by its item. Until it has ended there, the status comes from the execution. */
  const toListed = async (run: Run): Promise<ListedRun> => {
    const execution = hasEnded(run.status) ? undefined : await describe(run.execution_arn);
    return {
      runId: run.run_id,
      status: runStatusOf(execution?.status, run.status),
      startedAt: run.started_at,
      finishedAt: run.finished_at ?? execution?.stopDate?.toISOString(),
      jobs: syncJobNames.filter((job) => job in run.input),
      isDryRun: run.input.dry_run === true,
      message: run.message,
    };
  };

  /** Executions that ended before they began a run, because their input was refused. */
  const listUnplanned = async (planned: readonly Run[], limit: number): Promise<ListedRun[]> => {
    const known = new Set(planned.flatMap(({ run_id, execution_arn }) => [executionArnOf(run_id), execution_arn]));
    const listed: ListedRun[] = [];
    let seen = 0;
    for await (const { executions = [] } of paginateListExecutions({ client: sfn }, { stateMachineArn })) {
      for (const { name = '', executionArn = '', startDate, stopDate, status } of executions) {
        seen += 1;
        if (known.has(executionArn) || startDate === undefined) continue;
        listed.push({
          runId: name,
          status: runStatusOf(status, undefined),
          startedAt: startDate.toISOString(),
          finishedAt: stopDate?.toISOString(),
          jobs: [],
          isDryRun: false,
          message: undefined,
        });
      }
      if (seen >= limit) break;
    }
    return listed;
  };

  /**
   * Stores the rows of a run that has not started yet, with `source: "rows"` in its input.
   *
   * @throws {ServiceFault} `failed` if it has rows already
   */
  const storeRows = async (runId: string, csv: string): Promise<void> => {
    if (await openFolder(runId).putOnce(rowsFilePath, csv)) return;
    throw new ServiceFault('failed', `The sync run ${runId} has rows already: use another --run-id.`);
  };

  /**
   * Starts a run.
   *
   * @param input a JSON object that {@link checkInput} accepted
   * @returns the ARN of its execution, which has the run's id as its name
   * @throws {ServiceFault} `failed` if an execution with this name exists
   */
  const start = async (runId: string, input: object): Promise<string> => {
    try {
      const { executionArn = '' } = await sfn.send(
        new StartExecutionCommand({ stateMachineArn, name: runId, input: JSON.stringify(input) }),
      );
      return executionArn;
    } catch (error) {
      if (!(error instanceof ExecutionAlreadyExists)) throw error;
      const hint = `use "sync redrive ${runId}" to resume it if it failed, or another --run-id to start a new run`;
      throw new ServiceFault('failed', `The sync run ${runId} already exists: ${hint}.`, error);
    }
  };

  return {
    /**
     * Checks the input of a run in the same way as the run's first step.
     *
     * @throws {InvalidInput} that lists every fault
     */
    checkInput: (input: unknown, runId: string) => readRunInput(input, runId, { portals: stage.portals }),

    storeRows,
    start,

    /**
     * Starts a run that sends the users who failed in another one to Iterable again, from its `failed.csv`.
     *
     * @param newRunId id of the run to start
     * @throws {ServiceFault} `absent` if no user failed, or if its files have expired
     */
    resendFailed: async ({ runId, run }: RunView, newRunId: string): Promise<void> => {
      const rows = (await openFolder(runId).readText(failedRowsPath)) ?? '';
      const sending = sendingSchema.safeParse(run?.input).data;
      const isEmpty = !rows.trimEnd().includes('\n');
      if (isEmpty || sending === undefined) {
        throw new ServiceFault('absent', `The sync run ${runId} has no failed users to send again.`);
      }
      const { mode, use_jwt } = sending.iterable;
      await storeRows(newRunId, rows);
      await start(newRunId, { run_id: newRunId, iterable: { source: 'rows', mode, use_jwt } });
    },

    /** Lists at most `limit` runs, the newest first, and the total number. */
    list: async (limit: number): Promise<{ readonly total: number; readonly runs: ListedRun[] }> => {
      const planned: Run[] = [];
      for await (const run of runs.list()) planned.push(run);
      planned.sort((a, b) => b.started_at.localeCompare(a.started_at));
      const unplanned = await listUnplanned(planned, limit);
      const listed = [...(await Promise.all(planned.slice(0, limit).map(toListed))), ...unplanned];
      listed.sort((a, b) => b.startedAt.localeCompare(a.startedAt));
      return { total: planned.length + unplanned.length, runs: listed.slice(0, limit) };
    },

    /** @throws {ServiceFault} `absent` if the run does not exist */
    get: (runId: string): Promise<RunView> => existing(runId),

    /** The reports of a run; undefined while it runs, or if it ended before it could write them. */
    report: async ({ runId, status, run }: RunView): Promise<RunReport | undefined> =>
      run === undefined || !hasEnded(status)
        ? undefined
        : readRunReport({ folder: openFolder(runId), bucket: artifactsBucketName, run }),

    /** What became of the jobs of a run that has ended; undefined if it could not write its summary. */
    outcomes: async (runId: string): Promise<readonly JobOutcome[] | undefined> => {
      const run = await runs.read(runId);
      return run && readRunOutcomes(openFolder(runId), run);
    },

    /** Stops the execution of a run, and marks its item so that a Lambda in the middle of its work stops too. */
    stop: async ({ runId, status, executionArn }: RunView): Promise<void> => {
      if (!hasEnded(status)) {
        await sfn.send(new StopExecutionCommand({ executionArn, error: 'Stopped', cause: 'Stopped by an operator' }));
      }
      await runs.stop(runId, Date.now());
    },

    /**
     * Redrives the execution of a run that failed or was stopped: it resumes where it ended. For a PARTIAL run, whose
     * execution succeeded, starts another execution with the same input, which tries what failed again.
     *
     * @throws {ServiceFault} `failed` if Step Functions refuses the redrive
     */
    redrive: async ({ runId, status, executionArn, execution, run }: RunView): Promise<void> => {
      const refuse = (why: string, cause?: unknown): never => {
        throw new ServiceFault('failed', `The sync run ${runId} cannot be redriven: ${why}`, cause);
      };
      if (status === 'PARTIAL' && execution?.error === undefined && run !== undefined) {
        const name = `${runId.slice(0, 60)}-${fileStamp(new Date().toISOString())}`;
        await sfn.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(run.input) }));
        return;
      }
      if (execution === undefined) return refuse('its execution is no longer in Step Functions.');
      if (execution.notRedrivable !== undefined) return refuse(execution.notRedrivable);
      try {
        await sfn.send(new RedriveExecutionCommand({ executionArn }));
      } catch (error) {
        if (!(error instanceof ExecutionNotRedrivable)) throw error;
        refuse(error.message, error);
      }
    },

    /**
     * Yields the state of a run once a second and at its end. Aborting does not stop the run.
     *
     * @throws {ServiceFault} `absent` if the run does not exist
     */
    async *watch(runId: string, { executionArn, signal }: WatchOptions = {}): AsyncGenerator<RunView> {
      while (!signal?.aborted) {
        const view = await existing(runId, executionArn);
        yield view;
        if (hasEnded(view.status)) return;
        await wait(pollIntervalMs, undefined, { signal }).catch(() => undefined);
      }
    },
  };
};

export type SyncService = ReturnType<typeof createSyncService>;

/** Lambda returns a thrown error as JSON. */
const thrownSchema = z.object({ errorMessage: z.string() });

const toRunExecution = (execution: DescribeExecutionCommandOutput): RunExecution => {
  const { startDate, stopDate, redriveCount = 0, redriveStatus, redriveStatusReason, error, cause } = execution;
  return {
    startedAt: startDate,
    stoppedAt: stopDate,
    redrives: redriveCount,
    notRedrivable: redriveStatus === 'NOT_REDRIVABLE' ? (redriveStatusReason ?? 'it is not redrivable.') : undefined,
    error,
    cause: cause === undefined ? undefined : (thrownSchema.safeParse(parseJson(cause)).data?.errorMessage ?? cause),
  };
};
