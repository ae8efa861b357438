import type { Logger } from '@aws-lambda-powertools/logger';
import type { PushResult } from '../../shared/iterable/push';
import { maxFailuresLogged } from '../../shared/iterable/report';
import type { UserParts } from '../../shared/iterable/user-parts';

export interface FailureLogOptions {
  readonly parts: Pick<UserParts, 'readLoggedFailures' | 'writeLoggedFailures'>;
  readonly logger: Pick<Logger, 'warn'>;
}

/**
 * Logs one line for each of the first hundred failed users of a run, because log volume costs money. If there are more,
 * the report step logs their counts. The number of lines is stored in the run's folder before the lines are logged: a
 * turn that dies in between logs fewer lines, never more.
 */
export const createFailureLog = ({ parts, logger }: FailureLogOptions) => {
  let logged: number | undefined;

  /** @param results results of a part that was just written */
  return async (results: readonly PushResult[]): Promise<void> => {
    const failed = results.filter(({ failure }) => failure !== undefined);
    if (failed.length === 0) return;
    logged ??= await parts.readLoggedFailures();
    const first = failed.slice(0, Math.max(0, maxFailuresLogged - logged));
    if (first.length === 0) return;
    logged += first.length;
    await parts.writeLoggedFailures(logged);
    for (const { failedRow, failure } of first) {
      logger.warn('user failed', { customer_id: failedRow?.id, error: 'A call about the user failed', ...failure });
    }
  };
};
