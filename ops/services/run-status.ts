import type { Run } from '../../shared/runs/run';

/**
 * The status of a run. Comes from its execution, which also ends when no Lambda could record the end. The run's item
 * tells apart what Step Functions does not: a run that waits for another one, was skipped because of it, or whose result
 * is not complete.
 */
export type RunStatus = Run['status'] | 'TIMED_OUT';

/**
 * @param execution status of the run's execution in Step Functions; unknown if it is no longer, or not yet, visible
 * @param item status in the run's item, if the item describes this execution
 */
export const runStatusOf = (execution: string | undefined, item: Run['status'] | undefined): RunStatus => {
  switch (execution) {
    case undefined:
      return item ?? 'RUNNING';
    case 'SUCCEEDED':
      return item === 'SKIPPED' || item === 'PARTIAL' ? item : execution;
    case 'FAILED':
      // A stage can treat PARTIAL as a failure.
      return item === 'PARTIAL' ? item : execution;
    case 'TIMED_OUT':
      return execution;
    case 'ABORTED':
      return 'STOPPED';
    default:
      return item === 'WAITING' ? item : 'RUNNING';
  }
};

/** Whether a run has ended. */
export const hasEnded = (status: RunStatus): boolean => status !== 'RUNNING' && status !== 'WAITING';
