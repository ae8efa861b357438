import type { Logger } from '@aws-lambda-powertools/logger';
import type { IterableClient } from '../../shared/iterable/client';
import { usersPerPart } from '../../shared/iterable/parts';
import type { PushResult } from '../../shared/iterable/push';
import type { IterableUser } from '../../shared/iterable/rows';
import type { UserParts } from '../../shared/iterable/user-parts';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import type { Progress, ProgressSnapshot } from '../../shared/runs/progress';
import { createFailureLog } from './failure-log';

export interface PartSenderOptions {
  readonly parts: UserParts;
  /** Absent in a dry run. */
  readonly client: IterableClient | undefined;
  readonly progress: Progress;
  readonly metrics: MetricsRecorder;
  readonly logger: Pick<Logger, 'warn'>;
}

/** A part whose users are being sent. */
interface OpenPart {
  readonly path: string;
  /** Users that have no result yet. */
  left: number;
  readonly results: PushResult[];
  /** Whether a user of it was given up in the last try. */
  givenUp: boolean;
}

interface Start {
  /** Users to send in the whole run. */
  readonly users: number;
  /** Parts that have results from earlier turns. */
  readonly partsDone: number;
  /** Whether a user for whom Iterable asks to wait is given up in this turn. */
  readonly isLastTry: boolean;
}

/** Reads users part by part, and writes the results of each part once all of its users have one. */
export const createPartSender = (options: PartSenderOptions, { users, partsDone: doneBefore, isLastTry }: Start) => {
  const { parts, progress, metrics, client } = options;
  const logFailures = createFailureLog(options);
  /** In the order of the parts, which is the order of the results. */
  const open: OpenPart[] = [];
  let partsDone = doneBefore;
  let partsGained = 0;
  /** For parts of earlier turns it includes the rejected rows. */
  let usersDone = doneBefore * usersPerPart;
  /** Set as soon as a user is left open. */
  let waitMs: number | undefined;

  const snapshot = (): ProgressSnapshot => {
    const sent = Math.min(users, usersDone);
    return { done: sent, total: users, message: `iterable: ${sent} of ${users} users sent` };
  };

  const writeResults = async ({ path, results, givenUp }: OpenPart): Promise<void> => {
    await parts.writeResults(path, results);
    partsDone += 1;
    if (!givenUp) partsGained += 1;
    // A dry run sends nothing.
    if (client === undefined) return;
    const failed = results.filter(({ record }) => !record.overall_success).length;
    metrics.add('SyncUsersSent', results.length - failed);
    metrics.add('SyncUsersFailed', failed);
    await logFailures(results);
  };

  const writeCompleteParts = async (): Promise<void> => {
    for (let first = open[0]; first !== undefined && first.left === 0; first = open[0]) {
      open.shift();
      const isLeftOpen = first.results.some(({ openForMs }) => openForMs !== undefined);
      if (!isLeftOpen) await writeResults(first);
    }
  };

  return {
    snapshot,
    writeCompleteParts,

    /** The users of the parts. Ends when the time is up, or once a user is left open. */
    readUsers: async function* (paths: readonly string[]): AsyncGenerator<IterableUser> {
      for (const path of paths) {
        if (progress.isTurnOver(snapshot()) || waitMs !== undefined) return;
        const sendable = await parts.readUsers(path);
        open.push({ path, left: sendable.length, results: [], givenUp: false });
        yield* sendable;
      }
    },

    /** Takes the result of the next user. @returns whether there was a part for it */
    addResult: async (result: PushResult): Promise<boolean> => {
      // A part without users to send has no result that would complete it.
      await writeCompleteParts();
      const first = open[0];
      if (first === undefined) return false;
      const { openForMs, ...final } = result;
      const asksToWait = openForMs !== undefined && openForMs > 0 && !progress.stopped.aborted;
      const isGivenUp = isLastTry && asksToWait;
      first.givenUp ||= isGivenUp;
      first.results.push(isGivenUp ? final : result);
      first.left -= 1;
      if (openForMs === undefined || isGivenUp) usersDone += 1;
      else waitMs = Math.max(waitMs ?? 0, openForMs);
      progress.update(snapshot());
      await writeCompleteParts();
      return true;
    },

    /**
     * Parts that have results, those of them that this turn completed, and the longest wait that Iterable asked for.
     */
    counts: () => ({ partsDone, partsGained, waitMs }),
  };
};
