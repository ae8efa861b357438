import type { FailedAttempt } from '../../shared/http/api-client';
import { iterablePlanSchema } from '../../shared/iterable/input';
import { createUserParts } from '../../shared/iterable/user-parts';
import { reportRetry } from '../../shared/observability/report-retry';
import { createPreflight } from '../../shared/runs/preflight';
import { thenAlways } from '../../shared/runs/then-always';
import type { IterablePushDependencies } from './handler';

/** `CheckKey`: checks whether Iterable accepts our key for the calls of the run, unless nothing is left to send. */
export const createKeyCheck = (dependencies: Omit<IterablePushDependencies, 'sentIndex' | 'sleep'>) => {
  const { openClient, logger, metrics } = dependencies;
  return createPreflight({
    ...dependencies,
    name: 'key',
    plan: iterablePlanSchema,
    checksOf: ({ dry_run, iterable }, { folder, progress, deadlineMs }) => {
      const run = async (): Promise<void> => {
        if (await createUserParts(folder).isSent()) return;
        const client = openClient(iterable.use_jwt);
        const context = {
          deadlineMs,
          signal: progress.stopped,
          keepLeases: progress.keepLeases,
          onRetry: ({ error, attempt, waitMs }: FailedAttempt) =>
            reportRetry(logger, metrics, {}, { error, attempt, waitSeconds: waitMs / 1_000 }),
        };
        await thenAlways(
          () => client.checkKey(context),
          () => client.close(),
        );
      };
      // A dry run does not call Iterable.
      return dry_run ? [] : [{ name: 'iterable/key', run }];
    },
  });
};
