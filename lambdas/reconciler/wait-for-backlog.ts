import type { Logger } from '@aws-lambda-powertools/logger';

export interface BacklogDependencies {
  /** Messages in the download queue. */
  readonly backlog: () => Promise<number>;
  /** No round is started while the backlog exceeds this. */
  readonly backlogLimit: number;
  readonly logger: Logger;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

const pollMs = 1_000;

/** Waits until the download queue is short, so that webhooks are not delayed behind these rounds. Logs its first wait. */
export const createBacklogWait = ({ backlog, backlogLimit, logger, now, sleep }: BacklogDependencies) => {
  let hasLogged = false;

  /** @returns whether the queue became short in time */
  return async (endsAtMs: number): Promise<boolean> => {
    for (;;) {
      const messages = await backlog();
      if (messages <= backlogLimit) return true;
      if (!hasLogged) logger.info('reconciliation waits for the download queue', { backlog: messages });
      hasLogged = true;
      if (now() >= endsAtMs) return false;
      await sleep(pollMs);
    }
  };
};
