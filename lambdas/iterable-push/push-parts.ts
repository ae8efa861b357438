import type { CallContext } from '../../shared/http/api-client';
import { type PushMode, pushUsers } from '../../shared/iterable/push';
import { usersToSend } from '../../shared/iterable/user-parts';
import { createPartSender, type PartSenderOptions } from './part-sender';

export interface PushPartsOptions extends PartSenderOptions {
  readonly mode: PushMode;
  readonly context: CallContext;
  /** Number of consecutive turns before this one that completed no part. */
  readonly idleTurns: number;
  readonly now: () => number;
  /** Called before the first user of the turn is sent, with the number of parts, and whether some were sent before. */
  readonly beforeSending: (sending: { readonly parts: number; readonly hasSent: boolean }) => Promise<void>;
  /** Called when all users are sent. @returns false if it is left to another turn */
  readonly afterSending: () => Promise<boolean>;
}

/** What a turn returns. It needs no cursor: the written parts show where to resume. */
interface PushTurnResult {
  readonly done: boolean;
  readonly parts_done: number;
  readonly parts_total: number;
  /** Iterable asked for a wait that this turn had no time for. */
  readonly wait_seconds?: number;
  /** Number of consecutive turns, including this one, that completed no part. */
  readonly idle_turns?: number;
}

/** Iterable is called again after this wait, even if it asked for a longer one. */
const maxWaitSeconds = 3_600;
/** How often the progress is offered for writing; it decides itself how often it writes. */
const heartbeatMs = 500;
/** Number of turns that try a user. The result of its newest try in the last of them is final. */
const maxIdleTurns = 3;

/**
 * Sends the users of each part that has no results, in one stream, so that the pace does not pause between parts. A
 * part's results are written as soon as its last user has one. When the time is up, no further part is started, and a
 * part with users left open is not written, so that the next turn sends it again. In the third turn in a row that
 * completes no part, a user for whom Iterable asks to wait has failed, and the others are still tried.
 */
export const pushParts = async (options: PushPartsOptions): Promise<PushTurnResult> => {
  const { parts, progress, idleTurns } = options;
  const paths = await parts.listToSend();
  const extracted = await parts.readExtracted();
  const unsent = await parts.unsent(paths);
  if (unsent.length > 0) await options.beforeSending({ parts: paths.length, hasSent: unsent.length < paths.length });
  const isLastTry = idleTurns + 1 >= maxIdleTurns;
  const sender = createPartSender(options, {
    users: extracted === undefined ? 0 : usersToSend(extracted),
    partsDone: paths.length - unsent.length,
    isLastTry,
  });
  progress.update(sender.snapshot());

  const ended = new AbortController();
  const context = {
    ...options.context,
    signal: AbortSignal.any([ended.signal, progress.stopped]),
    keepLeases: progress.keepLeases,
  };
  // While all users wait or are read back, no result arrives that would write the progress, which is how the worker
  // notices a stop.
  const heartbeat = setInterval(() => progress.update(sender.snapshot()), heartbeatMs).unref();
  const isSent = (): boolean => sender.counts().partsDone === paths.length;
  let done: boolean;
  try {
    for await (const result of pushUsers(sender.readUsers(unsent), { ...options, context })) {
      if (!(await sender.addResult(result))) break;
    }
    await sender.writeCompleteParts();
    done = isSent() && (await options.afterSending());
  } finally {
    clearInterval(heartbeat);
    ended.abort();
  }

  const { partsDone, partsGained, waitMs } = sender.counts();
  const waitSeconds = waitMs && Math.min(maxWaitSeconds, Math.ceil(waitMs / 1_000));
  await progress.close('iterable_push', sender.snapshot(), {}, waitSeconds && waitSeconds * 1_000);
  if (!done) progress.assertNotStopped();
  return {
    done,
    parts_done: partsDone,
    parts_total: paths.length,
    ...(!isSent() && partsGained === 0 && { idle_turns: idleTurns + 1 }),
    ...(waitSeconds && { wait_seconds: waitSeconds }),
  };
};
