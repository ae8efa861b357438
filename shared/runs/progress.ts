import type { Logger } from '@aws-lambda-powertools/logger';
import { PipelineError, toPipelineError } from '../errors';
import type { Budget } from './budget';
import type { Counter, RunOwner, RunRepository } from './repository';

export interface ProgressOptions {
  readonly runs: Pick<RunRepository, 'recordProgress'>;
  readonly run: RunOwner;
  /** What is counted, such as `netlife/nowandforeverphoto`. */
  readonly part: string;
  readonly budget: Pick<Budget, 'isSpent'>;
  readonly logger: Logger;
  readonly now: () => number;
}

/** How far a worker is. */
export interface Standing {
  readonly done: number;
  readonly total?: number | undefined;
  readonly message: string;
}

const intervalMs = 2_000;

/**
 * Lets people watch a worker: at most every 2 s its standing goes into the run's item, and the worker hears whether it
 * shall go on. That nobody can watch is no reason to stop: a write that fails is logged, and the next makes up for it.
 */
export const createProgress = ({ runs, run, part, budget, logger, now }: ProgressOptions) => {
  const startedAtMs = now();
  let doneBefore: number | undefined;
  let newest: Standing | undefined;
  let writtenAtMs = Number.NEGATIVE_INFINITY;
  let writing: Promise<void> | undefined;
  const stopped = new AbortController();

  const counterOf = ({ done, total }: Standing): Counter => {
    const seconds = (now() - startedAtMs) / 1_000;
    const gained = done - (doneBefore ?? done);
    const rate = gained > 0 && seconds > 0 ? Math.round((gained / seconds) * 100) / 100 : undefined;
    return {
      done,
      ...(total !== undefined && { total }),
      ...(rate !== undefined && { rate_per_second: rate }),
    };
  };

  const write = async (): Promise<void> => {
    const standing = newest;
    if (standing === undefined) return;
    newest = undefined;
    writtenAtMs = now();
    const progress = { counter: counterOf(standing), message: standing.message, atMs: now() };
    try {
      if (!(await runs.recordProgress(run, part, progress))) stopped.abort();
    } catch (thrown) {
      const { message, code } = toPipelineError(thrown);
      logger.warn('progress not recorded', { error: message, error_code: code });
    }
  };

  const update = (standing: Standing): void => {
    doneBefore ??= standing.done;
    newest = standing;
    // A write that takes longer than that is not followed by one for each update that it missed.
    if (now() - writtenAtMs < intervalMs || writing !== undefined) return;
    writing = write().finally(() => {
      writing = undefined;
    });
  };

  return {
    update,

    /** Tells how far the worker is, and says whether it has to end: its time is up, or the run is no longer its own. */
    isTurnOver: (standing: Standing): boolean => {
      update(standing);
      return budget.isSpent() || stopped.signal.aborted;
    },

    /** Aborted when the run was stopped, or taken over by another execution: heard of at the next write. */
    stopped: stopped.signal,

    /** @throws {PipelineError} `RUN_TAKEN_OVER`, when it was: another turn would be one too many. */
    assertGoesOn: (): void => {
      if (stopped.signal.aborted)
        throw new PipelineError('RUN_TAKEN_OVER', 'The run was stopped or taken over', { retryable: false });
    },

    /** Writes what is newest, logs it as the end of a step, and waits until both are done. */
    close: async (step: string, standing: Standing, details: Readonly<Record<string, unknown>> = {}): Promise<void> => {
      doneBefore ??= standing.done;
      newest = standing;
      const { done, total, rate_per_second } = counterOf(standing);
      logger.info('sync step', { step, phase: 'ended', done, total, rate_per_second, ...details });
      await writing;
      await write();
    },
  };
};

export type Progress = ReturnType<typeof createProgress>;
