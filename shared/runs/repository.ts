import { setTimeout as sleepFor } from 'node:timers/promises';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { PipelineError } from '../errors';
import { AlreadyRunning, claimMs, createLeaseStore, createLeases, leaseMs, noticeMs } from './leases';
import { hasOpenTurn } from './open-turn';
import type { OutcomeStatus } from './outcome';
import type { Counter, Run } from './run';
import { createRunTable } from './run-table';

export interface RunStart {
  /** The whole input is stored, for people to see. */
  readonly input: { readonly run_id: string };
  readonly executionArn: string;
  readonly startedAtMs: number;
  /** The vendors' limits that no other run may use meanwhile. */
  readonly leases: readonly string[];
}

/** A run that could not start, because another one is using the limits that it needs. */
export type RunRefusal = Omit<RunStart, 'leases'> & {
  readonly status: 'WAITING' | 'SKIPPED' | 'FAILED';
  readonly message: string;
};

export interface RunEnd {
  readonly status: OutcomeStatus;
  readonly message: string;
  readonly reports: readonly string[];
  readonly finishedAtMs: number;
}

/** How far a worker is. */
export interface ProgressRecord {
  readonly counter: Counter;
  readonly message: string;
  readonly atMs: number;
  /** No worker writes for this time, because the run waits for a vendor. */
  readonly idleMs?: number | undefined;
  /** Whether the turn ends: it calls no vendor after this write. */
  readonly endsTurn?: boolean | undefined;
}

const nextGeneration = (run: Run | undefined): number => (run?.lease_generation ?? 0) + 1;

const keptSeconds = 90 * 24 * 3_600;

const iso = (ms: number): string => new Date(ms).toISOString();

/** The writer of a run's item. */
export interface RunOwner {
  readonly run_id: string;
  readonly execution_arn: string;
  /** The only invocation that may write a counter. Absent where there can be no other. */
  readonly turn?: string | undefined;
}

/**
 * The SyncRuns table: one item per run, for people to watch. It also records which execution works on the run and
 * whether the run was stopped. From then on a worker's writes are rejected, which is how the worker finds out. Every
 * write of a worker renews the leases of its run.
 *
 * @param operationsTableName holds the leases
 */
export const createRunRepository = (
  client: DynamoDBDocumentClient,
  tableName: string,
  operationsTableName: string,
  sleep: (ms: number) => Promise<unknown> = sleepFor,
) => {
  const { read, update, updateFrom, list } = createRunTable(client, tableName);
  const status = { '#status': 'status' };

  const store = createLeaseStore(client, operationsTableName);
  const leases = createLeases({ store, readRun: read, sleep });

  /**
   * Takes the leases of a run again, after it was stopped or did not renew them in time.
   *
   * @returns their generation; `undefined` if another execution works on the run
   * @throws {AlreadyRunning} if another run has taken one of them meanwhile
   */
  const takeAgain = async ({ run_id, execution_arn }: RunOwner, atMs: number): Promise<number | undefined> => {
    const run = await read(run_id);
    if (run?.execution_arn !== execution_arn) return undefined;
    const generation = nextGeneration(run);
    await leases.take(run_id, generation, run.leases ?? [], atMs);
    return generation;
  };

  return {
    read,
    list,

    /**
     * Starts or resumes a run, with all of its leases. A resumed run keeps its first start and its counters.
     *
     * @throws {AlreadyRunning} if another run holds one of the leases; nothing is written then
     */
    start: async ({ input, executionArn, startedAtMs, leases: names }: RunStart): Promise<Run> => {
      const before = await read(input.run_id);
      const generation = nextGeneration(before);
      await leases.take(input.run_id, generation, names, startedAtMs);
      const started = await update(
        input.run_id,
        'SET #status = :running, #input = :input, execution_arn = :mine, updated_at = :now, expires_at = :expires, ' +
          'started_at = if_not_exists(started_at, :now), counters = if_not_exists(counters, :counters), ' +
          'turns = if_not_exists(turns, :turns), leases = :leases, lease_generation = :generation, leased_until = :until ' +
          'REMOVE finished_at, reports, message, waiting_since',
        {
          ':running': 'RUNNING',
          ':input': input,
          ':mine': executionArn,
          ':now': iso(startedAtMs),
          ':expires': Math.floor(startedAtMs / 1_000) + keptSeconds,
          ':counters': {},
          ':turns': {},
          ':leases': names,
          ':generation': generation,
          ':until': iso(startedAtMs + claimMs),
        },
        { names: { ...status, '#input': 'input' } },
      );
      if (started === undefined)
        throw new PipelineError('INTERNAL_FAULT', 'A write without a condition was refused', { retryable: false });
      // The workers of an earlier execution that still works on the run may make calls until they notice.
      if (before?.status === 'RUNNING' && before.execution_arn !== executionArn) await sleep(noticeMs);
      return started;
    },

    /**
     * Records that a run could not start. A run that an earlier execution has started keeps what that one recorded.
     *
     * @returns since when the run has been waiting for another one; epoch ms
     */
    refuse: async (refusal: RunRefusal): Promise<number> => {
      const { input, executionArn, startedAtMs, message } = refusal;
      const isWaiting = refusal.status === 'WAITING';
      const refused = await update(
        input.run_id,
        'SET #status = :status, #input = :input, execution_arn = :mine, updated_at = :now, expires_at = :expires, ' +
          'started_at = if_not_exists(started_at, :now), counters = if_not_exists(counters, :none), ' +
          'turns = if_not_exists(turns, :none), message = :message, ' +
          (isWaiting
            ? 'waiting_since = if_not_exists(waiting_since, :now)'
            : 'finished_at = :now REMOVE waiting_since'),
        {
          ':status': refusal.status,
          ':input': input,
          ':mine': executionArn,
          ':now': iso(startedAtMs),
          ':expires': Math.floor(startedAtMs / 1_000) + keptSeconds,
          ':none': {},
          ':message': message,
        },
        { condition: 'attribute_not_exists(run_id) OR execution_arn = :mine', names: { ...status, '#input': 'input' } },
      );
      return Date.parse(refused?.waiting_since ?? iso(startedAtMs));
    },

    /**
     * Starts a worker's turn at a counter. A run that was stopped or had failed takes its leases and is running again.
     * An earlier turn at the same counter, such as a worker that has not noticed a stop and a redrive yet, is rejected
     * at its next write. If it has not recorded its end, this waits until it must have noticed.
     *
     * @returns the owner to pass to `recordProgress`
     * @throws {PipelineError} `RUN_TAKEN_OVER`, permanent, if another execution works on the run
     * @throws {AlreadyRunning} if another run has taken its leases meanwhile
     */
    enter: async (owner: RunOwner, counterName: string, turn: string, atMs: number): Promise<RunOwner> => {
      const { run_id, execution_arn } = owner;
      const write = (condition: string, generation?: number) =>
        updateFrom(run_id, {
          expression:
            'SET #status = :running, updated_at = :now, turns.#counter = :turn, leased_until = :until' +
            `${generation === undefined ? '' : ', lease_generation = :generation'} REMOVE finished_at, reports`,
          values: {
            ':running': 'RUNNING',
            ':now': iso(atMs),
            ':turn': turn,
            ':mine': execution_arn,
            ':until': iso(atMs + (generation === undefined ? leaseMs : claimMs)),
            ...(generation !== undefined && { ':generation': generation }),
          },
          condition,
          names: { ...status, '#counter': counterName },
        });
      const mine = 'execution_arn = :mine';
      const enterAgain = async () => {
        const generation = await takeAgain(owner, atMs);
        return generation === undefined ? undefined : write(mine, generation);
      };
      const before = (await write(`${mine} AND #status = :running AND leased_until > :now`)) ?? (await enterAgain());
      if (before === undefined)
        throw new PipelineError('RUN_TAKEN_OVER', 'Another execution works on this run', { retryable: false });
      if (hasOpenTurn(before, counterName)) await sleep(noticeMs);
      return { run_id, execution_arn, turn };
    },

    /**
     * Writes a counter and the newest message, and renews the leases.
     *
     * @returns until when the leases hold, epoch ms; `undefined` if the run was stopped, if another turn or execution
     * took it over, or if its leases ended and another run has taken them
     */
    recordProgress: async (
      owner: RunOwner,
      counterName: string,
      progress: ProgressRecord,
    ): Promise<number | undefined> => {
      const { run_id, execution_arn, turn } = owner;
      const { counter, message, atMs, idleMs = 0, endsTurn = false } = progress;
      const write = (condition: string, generation?: number): Promise<Run | undefined> =>
        update(
          run_id,
          'SET counters.#counter = :counter, message = :message, updated_at = :now, leased_until = :until' +
            (generation === undefined ? '' : ', lease_generation = :generation'),
          {
            ':counter': { ...counter, updated_at: iso(atMs), ...(endsTurn && { ended_turn: turn }) },
            ':message': message,
            ':now': iso(atMs),
            ':mine': execution_arn,
            ':running': 'RUNNING',
            ':until': iso(atMs + (generation === undefined ? leaseMs + idleMs : claimMs)),
            ...(turn !== undefined && { ':turn': turn }),
            ...(generation !== undefined && { ':generation': generation }),
          },
          { condition, names: { ...status, '#counter': counterName } },
        );
      const mine = `execution_arn = :mine AND #status = :running${turn === undefined ? '' : ' AND turns.#counter = :turn'}`;
      if (await write(`${mine} AND leased_until > :now`)) return atMs + leaseMs;
      const run = await read(run_id);
      // Only an end of the leases can be repaired.
      if (run?.status !== 'RUNNING' || (run.leased_until ?? '') > iso(atMs)) return undefined;
      try {
        const generation = await takeAgain(owner, atMs);
        const isTaken = generation !== undefined && (await write(mine, generation)) !== undefined;
        return isTaken ? atMs + claimMs : undefined;
      } catch (error) {
        if (error instanceof AlreadyRunning) return undefined;
        throw error;
      }
    },

    /**
     * Checks that the execution may close the run.
     *
     * @returns false if another execution took the run over
     */
    claimFinish: async ({ run_id, execution_arn }: RunOwner, atMs: number): Promise<boolean> => {
      const values = { ':now': iso(atMs), ':mine': execution_arn };
      const owned = await update(run_id, 'SET updated_at = :now', values, { condition: 'execution_arn = :mine' });
      return owned !== undefined;
    },

    /** Closes a run, unless another execution took it over. */
    finish: async ({ run_id, execution_arn }: RunOwner, end: RunEnd): Promise<void> => {
      await update(
        run_id,
        'SET #status = :status, message = :message, reports = :reports, finished_at = :now, updated_at = :now ' +
          'REMOVE leased_until',
        {
          ':status': end.status,
          ':message': end.message,
          ':reports': end.reports,
          ':now': iso(end.finishedAtMs),
          ':mine': execution_arn,
        },
        { condition: 'execution_arn = :mine', names: status },
      );
    },

    /**
     * Marks a run as stopped, after its execution was stopped or has timed out: its worker notices only this, and ends its turn.
     */
    stop: async (runId: string, atMs: number, message = 'Stopped by an operator'): Promise<void> => {
      await update(
        runId,
        'SET #status = :stopped, message = :message, finished_at = :now, updated_at = :now ' +
          'REMOVE leased_until, waiting_since',
        {
          ':stopped': 'STOPPED',
          ':message': message,
          ':now': iso(atMs),
          ':running': 'RUNNING',
          ':waiting': 'WAITING',
        },
        { condition: '#status IN (:running, :waiting)', names: status },
      );
    },
  };
};

export type RunRepository = ReturnType<typeof createRunRepository>;
