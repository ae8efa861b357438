import type { CallContext, FailedAttempt } from '../../shared/http/api-client';

/** The context of calls with `leftMs` until their deadline, and the failed attempts that they reported. */
export const callContext = (leftMs = 600_000) => {
  const failedTries: FailedAttempt[] = [];
  const context: CallContext = { deadlineMs: Date.now() + leftMs, onRetry: (failed) => failedTries.push(failed) };
  return { context, failedTries };
};
