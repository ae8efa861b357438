import type { Logger } from '@aws-lambda-powertools/logger';
import { PipelineError, toPipelineError } from '../errors';
import type { Budget } from './budget';
import { claimMs, leaseMarginMs } from './leases';
import type { ProgressRecord, RunOwner, RunRepository } from './repository';
import type { Counter } from './run';

export interface ProgressOptions {
  readonly runs: Pick<RunRepository, 'recordProgress'>;
  readonly run: RunOwner;
  /** Such as `netlife/nowandforeverphoto`. */
  readonly counterName: string;
  readonly budget: Pick<Budget, 'isSpent'>;
  readonly logger: Logger;
  readonly now: () => number;
}

/** How much of its work a worker has done. */
export interface ProgressSnapshot {
  readonly done: number;
  readonly total?: number | undefined;
  readonly message: string;
}

type TurnEnd = Pick<ProgressRecord, 'idleMs' | 'endsTurn'>;

const intervalMs = 2_000;

const takenOver = () => new PipelineError('RUN_TAKEN_OVER', 'The run was stopped or taken over', { retryable: false });

/**
 * Lets people watch a worker: writes its snapshot to the run's item, at most every 2 s. The response shows whether the
 * run was stopped. A write that fails is logged and does not stop the worker; the next one replaces it. Every write
 * renews the run's leases, which the start of the turn took.
 */
export const createProgress = ({ runs, run, counterName, budget, logger, now }: ProgressOptions) => {
  const startedAtMs = now();
  let doneBefore: number | undefined;
  let newest: ProgressSnapshot | undefined;
  let last: ProgressSnapshot = { done: 0, message: counterName };
  let leasedUntilMs = startedAtMs + claimMs;
  let renewing: Promise<void> | undefined;
  let writtenAtMs = Number.NEGATIVE_INFINITY;
  let writing: Promise<void> | undefined;
  const stopped = new AbortController();

  const counterOf = ({ done, total }: ProgressSnapshot): Counter => {
    const seconds = (now() - startedAtMs) / 1_000;
    const gained = done - (doneBefore ?? done);
    const rate = gained > 0 && seconds > 0 ? Math.round((gained / seconds) * 100) / 100 : undefined;
    return {
      done,
      ...(total !== undefined && { total }),
      ...(rate !== undefined && { rate_per_second: rate }),
    };
  };

  const record = async (snapshot: ProgressSnapshot, end: TurnEnd = {}): Promise<void> => {
    last = snapshot;
    writtenAtMs = now();
    const progress = { counter: counterOf(snapshot), message: snapshot.message, atMs: writtenAtMs, ...end };
    const untilMs = await runs.recordProgress(run, counterName, progress);
    if (untilMs === undefined) stopped.abort();
    else leasedUntilMs = untilMs;
  };

  const write = async (end?: TurnEnd): Promise<void> => {
    const snapshot = newest;
    if (snapshot === undefined) return;
    newest = undefined;
    try {
      await record(snapshot, end);
    } catch (thrown) {
      const { message, code } = toPipelineError(thrown);
      logger.warn('progress not recorded', { error: message, error_code: code });
    }
  };

  const update = (snapshot: ProgressSnapshot): void => {
    doneBefore ??= snapshot.done;
    newest = snapshot;
    // One write at a time: a slow write is not followed by one for each update in the meantime.
    if (now() - writtenAtMs < intervalMs || writing !== undefined) return;
    writing = write().finally(() => {
      writing = undefined;
    });
  };

  return {
    update,

    /**
     * Updates the progress. @returns whether the turn must end: its time is up, or the run was stopped or taken over
     */
    isTurnOver: (snapshot: ProgressSnapshot): boolean => {
      update(snapshot);
      return budget.isSpent() || stopped.signal.aborted;
    },

    /** Aborted at the first write after the run was stopped or another execution took it over. */
    stopped: stopped.signal,

    /** @throws {PipelineError} `RUN_TAKEN_OVER` if the run was stopped or taken over, so that no further turn starts */
    assertNotStopped: (): void => {
      if (stopped.signal.aborted) throw takenOver();
    },

    /**
     * Call it before each call to a vendor. If the leases may have ended, because no write succeeded for minutes, it
     * renews them first.
     *
     * @returns `undefined` while the leases hold
     * @throws {PipelineError} `RUN_TAKEN_OVER` if another run has taken them; or the error of the write
     */
    keepLeases: (): Promise<void> | undefined => {
      if (now() < leasedUntilMs - leaseMarginMs) return undefined;
      renewing ??= record(newest ?? last).finally(() => {
        renewing = undefined;
      });
      return renewing.then(() => {
        if (stopped.signal.aborted) throw takenOver();
      });
    },

    /**
     * Logs the end of a step, and writes the last snapshot and the end of the turn. Call no vendor after it: the next
     * turn may start.
     *
     * @param idleMs how long the run will wait before its next turn
     */
    close: async (
      step: string,
      snapshot: ProgressSnapshot,
      details: Readonly<Record<string, unknown>> = {},
      idleMs?: number,
    ): Promise<void> => {
      doneBefore ??= snapshot.done;
      newest = snapshot;
      const { done, total, rate_per_second } = counterOf(snapshot);
      logger.info('sync step', { step, phase: 'ended', done, total, rate_per_second, ...details });
      await writing;
      await write({ idleMs, endsTurn: true });
    },
  };
};

export type Progress = ReturnType<typeof createProgress>;
