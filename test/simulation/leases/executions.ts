import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createLogger } from '../../../shared/observability/logger';
import type { MetricsRecorder } from '../../../shared/observability/metrics';
import { AlreadyRunning } from '../../../shared/runs/leases';
import type { RunPlan } from '../../../shared/runs/plan';
import { createRunRepository, type RunRepository } from '../../../shared/runs/repository';
import { runIdSchema } from '../../../shared/runs/run-id';
import { startTurn } from '../../../shared/runs/turn';
import { lambdaContext } from '../../support/lambda-context';
import { unconfigured } from '../../support/unconfigured';
import { type CallOptions, createAwsClient } from '../aws-calls';
import { createLambdaProcess, type LambdaProcess } from '../lambda-process';
import { asSdkClient } from '../models/client';
import type { ModelClient } from '../world';

/** A run of a history: what it uses, and how much it does. */
export interface PlannedRun {
  readonly id: string;
  readonly startsAtMs: number;
  /** The vendors' limits that it uses. A worker makes calls under each. */
  readonly leases: readonly string[];
  readonly callsPerLease: number;
  readonly callIntervalMs: number;
}

export const tableNames = { runs: 'runs', operations: 'operations' } as const;

export type WorldOfExecutions = Omit<CallOptions, 'process'> & {
  readonly dynamodb: ModelClient;
  /** The maximum difference of a process's clock from the real time. */
  readonly maxSkewMs: number;
  /** Called for each call to a vendor. @param turn of a worker */
  readonly onCall: (lease: string, turn: string) => void;
  /** Called for each process that starts. */
  readonly onProcess: (process: LambdaProcess) => void;
};

const logger = createLogger({ STAGE: 'dev', SERVICE_VERSION: '1' });
logger.setLogLevel('SILENT');
const metrics: MetricsRecorder = { add: () => undefined, fields: () => ({}), flush: () => undefined };

const lambdaTimeoutMs = 15 * 60_000;
/** The wait of `WaitForOtherRun`. */
const waitMs = 60_000;
/** The retry of every task in the state machine. */
const retries = { waitMs: 2_000, maximum: 5 } as const;
/** A worker's pause before its first call. */
const pauseMs = 1_000;

/**
 * One execution of the state machine for a run, as far as it concerns leases: `PlanRun` and its waits, a worker for each
 * lease with its turns, and `FinishRun`. Each state is retried as in the machine.
 */
export const createExecution = (world: WorldOfExecutions, run: PlannedRun) => {
  const { scheduler } = world;
  const { choose } = scheduler;
  const arn = `arn:execution:${run.id}`;
  /** What the workers have done. It is stored in S3, and survives them. */
  const done = new Map(run.leases.map((lease) => [lease, 0]));
  let plan: RunPlan | undefined;
  let attempt = 0;
  let invocations = 0;
  let isOver = false;

  /** Runs a Lambda in a new process. @returns `crashed` if the process ended, or its time */
  const invoke = async <T>(
    name: string,
    work: (runs: RunRepository, process: LambdaProcess) => Promise<T>,
  ): Promise<T | 'crashed'> => {
    const process = createLambdaProcess(scheduler, `${run.id}/${name}`);
    process.skewBy((2 * choose.fraction() - 1) * world.maxSkewMs);
    world.onProcess(process);
    const client = createAwsClient({ ...world, process }, 'dynamodb', world.dynamodb);
    const documents = asSdkClient(DynamoDBDocumentClient, client);
    const runs = createRunRepository(documents, tableNames.runs, tableNames.operations, async (ms) => {
      await scheduler.sleep(ms);
      await process.canRun();
    });
    const timeout = scheduler.after(lambdaTimeoutMs, process.kill);
    try {
      return await Promise.race([work(runs, process), process.killed.then(() => 'crashed' as const)]);
    } finally {
      timeout.cancel();
    }
  };

  /** Runs a state with the retries of the state machine. @throws the error of the Lambda, which is not retried */
  const runState = async <T>(
    mine: number,
    name: string,
    work: (runs: RunRepository, process: LambdaProcess) => Promise<T>,
  ): Promise<T | undefined> => {
    for (let tries = 0; tries <= retries.maximum; tries++) {
      if (mine !== attempt) return undefined;
      const result = await invoke(name, work);
      if (result !== 'crashed') return mine === attempt ? result : undefined;
      await scheduler.sleep(choose.fraction() * retries.waitMs * 2 ** tries);
    }
    throw new Error(`${name} crashed too often`);
  };

  const planRun = async (mine: number): Promise<RunPlan | undefined> => {
    const input = { run_id: runIdSchema.parse(run.id) };
    while (mine === attempt) {
      const planned = await runState(mine, 'plan', async (runs, process) => {
        const start = { input, executionArn: arn, startedAtMs: process.now() };
        try {
          const { started_at } = await runs.start({ ...start, leases: run.leases });
          return { ...input, dry_run: false, started_at, execution_arn: arn, redrive_count: 0 };
        } catch (error) {
          if (!(error instanceof AlreadyRunning)) throw error;
          await runs.refuse({ ...start, status: 'WAITING', message: error.message });
          return 'waiting';
        }
      });
      if (planned !== 'waiting') return planned;
      await scheduler.sleep(waitMs);
    }
    return undefined;
  };

  /** @returns whether the worker has made all of its calls */
  const workOneTurn = async (
    lease: string,
    { run_id, ...rest }: RunPlan,
    runs: RunRepository,
    process: LambdaProcess,
  ) => {
    const context = {
      ...lambdaContext({ remainingMs: lambdaTimeoutMs }),
      awsRequestId: `${run.id}-${++invocations}`,
    };
    const dependencies = { openFolder: unconfigured('openFolder'), runs, logger, metrics, now: process.now };
    const { progress } = await startTurn(
      { ...dependencies, openFolder: () => unconfigured('folder') as never },
      { run_id, ...rest },
      lease,
      context,
    );
    const snapshot = () => ({ done: done.get(lease) ?? 0, total: run.callsPerLease, message: 'Calling' });
    const pause = async (ms: number): Promise<void> => {
      await scheduler.sleep(ms);
      await process.canRun();
    };
    await pause(pauseMs);
    while (snapshot().done < run.callsPerLease) {
      await progress.keepLeases();
      await process.canRun();
      world.onCall(lease, context.awsRequestId);
      done.set(lease, snapshot().done + 1);
      await pause(run.callIntervalMs * (0.5 + choose.fraction()));
      if (progress.isTurnOver(snapshot())) break;
    }
    await progress.close('work', snapshot());
    progress.assertNotStopped();
    return snapshot().done >= run.callsPerLease;
  };

  const work = async (mine: number, lease: string, planned: RunPlan): Promise<boolean> => {
    for (let isDone: boolean | undefined = false; isDone !== true; ) {
      isDone = await runState(mine, lease, (runs, process) => workOneTurn(lease, planned, runs, process));
      if (isDone === undefined) return false;
    }
    return true;
  };

  const finish = (mine: number, isComplete: boolean) =>
    runState(mine, 'finish', async (runs, process) => {
      const owner = { run_id: run.id, execution_arn: arn };
      if (!(await runs.claimFinish(owner, process.now()))) return;
      const status = isComplete ? 'SUCCEEDED' : 'FAILED';
      await runs.finish(owner, { status, message: 'Done', reports: [], finishedAtMs: process.now() });
    });

  /** Runs the states from `PlanRun`, or those of the jobs if the run was planned before. */
  const execute = async (): Promise<void> => {
    attempt += 1;
    const mine = attempt;
    isOver = false;
    try {
      plan ??= await planRun(mine);
      const planned = plan;
      if (planned === undefined) return;
      const outcomes = await Promise.all(run.leases.map((lease) => work(mine, lease, planned).catch(() => false)));
      await finish(mine, outcomes.every(Boolean));
    } catch {
      // The execution has failed. An operator redrives it.
    } finally {
      if (mine === attempt) isOver = true;
    }
  };

  return {
    run,
    execute,
    /** Whether no state runs. */
    isOver: (): boolean => isOver,
    isComplete: (): boolean => [...done.values()].every((calls) => calls >= run.callsPerLease),
    /** Stops the execution only, as the console does. */
    abort: (): void => {
      attempt += 1;
      isOver = true;
    },
    /** Stops the execution and then the run, as `pipeline sync stop` does. Its workers notice it by themselves. */
    stop: async (): Promise<void> => {
      attempt += 1;
      isOver = true;
      await invoke('stop', (runs, process) => runs.stop(run.id, process.now())).catch(() => undefined);
    },
  };
};
