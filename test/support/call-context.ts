import type { CallContext, FailedAttempt } from '../../shared/http/api-client';

/** The context of calls whose deadline is in `remainingMs`, and the failed attempts that they report. */
export const callContext = (remainingMs = 600_000) => {
  const failedAttempts: FailedAttempt[] = [];
  const context: CallContext = {
    deadlineMs: Date.now() + remainingMs,
    onRetry: (failed) => failedAttempts.push(failed),
  };
  return { context, failedAttempts };
};
