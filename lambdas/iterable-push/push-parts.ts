import type { Logger } from '@aws-lambda-powertools/logger';
import type { CallContext } from '../../shared/http/api-client';
import type { IterableClient } from '../../shared/iterable/client';
import { usersPerPart } from '../../shared/iterable/parts';
import { type PushMode, type PushResult, pushUsers } from '../../shared/iterable/push';
import { type IterableUser, readRow } from '../../shared/iterable/rows';
import type { UserParts } from '../../shared/iterable/user-parts';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import type { Progress } from '../../shared/runs/progress';
import { createFailureLog } from './failure-log';

export interface PushPartsOptions {
  readonly parts: UserParts;
  readonly mode: PushMode;
  /** Absent in a dry run. */
  readonly client: IterableClient | undefined;
  readonly context: CallContext;
  /** How many turns before this one gained no part, one after the other. */
  readonly idleTurns: number;
  readonly progress: Progress;
  readonly metrics: MetricsRecorder;
  readonly logger: Pick<Logger, 'warn'>;
  readonly now: () => number;
}

/** How far the sending is; the parts themselves are the cursor. */
export interface PushStanding {
  readonly done: boolean;
  readonly parts_done: number;
  readonly parts_total: number;
  /** Iterable asked for a wait that this turn had no time for. */
  readonly wait_seconds?: number;
  /** So many turns, this one included, gained no part. */
  readonly idle_turns?: number;
}

/** After so long it is asked again, whatever it asked for. */
const longestWaitSeconds = 3_600;
/** Progress decides how often it writes: this is how much later it may be. */
const heartbeatMs = 500;
/** So many turns try a user: in the last of them, what its newest try came to is its result. */
const mostIdleTurns = 3;

/**
 * Sends the users of each part that has no results, in one stream, so that the pace does not pause between parts, and
 * writes a part's results as soon as its last user has one. When the time is up, no further part is begun; a part of
 * which a user is left open then is not written, so that the next turn sends it. After two turns that gained no part
 * the third leaves nobody open whom Iterable asks to wait: such a user has failed, and the others are tried all the same.
 */
export const pushParts = async (options: PushPartsOptions): Promise<PushStanding> => {
  const { parts, progress, metrics, idleTurns } = options;
  const logFailures = createFailureLog(options);
  const ended = new AbortController();
  const context = { ...options.context, signal: AbortSignal.any([ended.signal, progress.stopped]) };
  const isLastTry = idleTurns + 1 >= mostIdleTurns;
  const { paths } = await parts.surveyRows();
  const { rows = 0, rejected = 0 } = (await parts.readExtracted()) ?? {};
  const unsent = await parts.unsent(paths);
  const total = rows - rejected;
  /** Of the parts that were sent before, it counts the rejected rows too. */
  let done = (paths.length - unsent.length) * usersPerPart;
  let partsDone = paths.length - unsent.length;
  const standing = () => {
    const sent = Math.min(total, done);
    return { done: sent, total, message: `iterable: ${sent} of ${total} users sent` };
  };
  progress.update(standing());

  /** Parts that are being sent, in their order, and how many of their results are still to come. */
  const open: { readonly path: string; left: number; readonly results: PushResult[]; givenUp: boolean }[] = [];
  /** Set as soon as a user is left open: how long to wait before the next turn. */
  let waitMs: number | undefined;
  /** Parts that were written, with nobody given up in them. */
  let gained = 0;

  const writeComplete = async (): Promise<void> => {
    for (let first = open[0]; first !== undefined && first.left === 0; first = open[0]) {
      const { path, results, givenUp } = first;
      open.shift();
      if (results.some(({ openForMs }) => openForMs !== undefined)) continue;
      await parts.writeResults(path, results);
      partsDone += 1;
      if (!givenUp) gained += 1;
      // A dry run sends nothing.
      if (options.client === undefined) continue;
      const failed = results.filter(({ record }) => !record.overall_success).length;
      metrics.add('SyncUsersSent', results.length - failed);
      metrics.add('SyncUsersFailed', failed);
      await logFailures(results);
    }
  };

  const users = async function* (): AsyncGenerator<IterableUser> {
    for (const path of unsent) {
      if (progress.isTurnOver(standing()) || waitMs !== undefined) return;
      const sendable: IterableUser[] = [];
      for (const row of await parts.readRows(path)) {
        const read = readRow(row);
        if ('user' in read) sendable.push(read.user);
      }
      open.push({ path, left: sendable.length, results: [], givenUp: false });
      yield* sendable;
    }
  };

  // While all of them wait, no result comes by which we would hear of a stop.
  const heartbeat = setInterval(() => progress.update(standing()), heartbeatMs).unref();
  try {
    for await (const result of pushUsers(users(), { ...options, context })) {
      // A part without a user to send has no result that would complete it.
      await writeComplete();
      const first = open[0];
      if (first === undefined) break;
      const { openForMs, ...closed } = result;
      const asksToWait = openForMs !== undefined && openForMs > 0 && !progress.stopped.aborted;
      const givesUp = isLastTry && asksToWait;
      first.givenUp ||= givesUp;
      first.results.push(givesUp ? closed : result);
      first.left -= 1;
      if (openForMs === undefined || givesUp) done += 1;
      else waitMs = Math.max(waitMs ?? 0, openForMs);
      progress.update(standing());
      await writeComplete();
    }
    await writeComplete();
  } finally {
    clearInterval(heartbeat);
    ended.abort();
  }

  await progress.close('iterable_push', standing());
  const allDone = partsDone === paths.length;
  if (!allDone) progress.assertGoesOn();
  return {
    done: allDone,
    parts_done: partsDone,
    parts_total: paths.length,
    ...(!allDone && gained === 0 && { idle_turns: idleTurns + 1 }),
    ...(waitMs && { wait_seconds: Math.min(longestWaitSeconds, Math.ceil(waitMs / 1_000)) }),
  };
};
