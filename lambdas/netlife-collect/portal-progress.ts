import type { Progress, ProgressSnapshot } from '../../shared/runs/progress';

/** Tracks how many jobs of a portal are done, and reports it. */
export const createPortalProgress = (portal: string, progress: Progress) => {
  let done = 0;
  let total: number | undefined;
  const snapshot = (): ProgressSnapshot => ({
    done,
    total,
    message: total === undefined ? `${portal}: looking for jobs` : `${portal}: ${done} of ${total} jobs`,
  });
  return {
    snapshot,
    /**
     * Called often within a job, which can take minutes: this is also how the worker finds out that the run was
     * stopped.
     */
    isTimeUp: (): boolean => progress.isTurnOver(snapshot()),
    /** The jobs are listed, and some of them were done in earlier turns. */
    start: (jobs: number, doneBefore: number): void => {
      total = jobs;
      done = doneBefore;
      progress.update(snapshot());
    },
    countJob: (): void => {
      done += 1;
      progress.update(snapshot());
    },
  };
};

export type PortalProgress = ReturnType<typeof createPortalProgress>;
