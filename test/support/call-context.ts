import type { CallContext, FailedAttempt } from '../../shared/http/api-client';

/** The context of calls that have `leftMs` left, and the tries that they reported as failed. */
export const callContext = (leftMs = 600_000) => {
  const failedTries: FailedAttempt[] = [];
  const context: CallContext = { deadlineMs: Date.now() + leftMs, onRetry: (failed) => failedTries.push(failed) };
  return { context, failedTries };
};
