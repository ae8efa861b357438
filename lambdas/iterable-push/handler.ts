import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import type { IterableClient } from '../../shared/iterable/client';
import { iterablePlanSchema } from '../../shared/iterable/input';
import { createUserParts } from '../../shared/iterable/user-parts';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import { reportRetry } from '../../shared/observability/report-retry';
import type { OpenRunFolder } from '../../shared/runs/artifacts';
import { createBudget } from '../../shared/runs/budget';
import { createProgress } from '../../shared/runs/progress';
import type { RunRepository } from '../../shared/runs/repository';
import { createStep } from '../../shared/runs/step';
import { thenAlways } from '../../shared/runs/then-always';
import { pushParts } from './push-parts';

export interface IterablePushDependencies {
  readonly openClient: (useJwt: boolean) => IterableClient;
  readonly openFolder: OpenRunFolder;
  readonly runs: Pick<RunRepository, 'enter' | 'recordProgress'>;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** The turn before may have used up this second's calls. */
const pauseMs = 1_000;

const part = 'iterable/push';

const schema = z.object({
  run: iterablePlanSchema.extend({
    /** What the step before this one returned: another turn, or the extraction. */
    step: z.object({ idle_turns: z.number().default(0) }).default({ idle_turns: 0 }),
  }),
});

/** `PushUsers`: sends the parts that nobody sent yet, as far as the time goes. */
export const createHandler = (dependencies: IterablePushDependencies) => {
  const { openClient, openFolder, runs, logger, metrics, now, sleep } = dependencies;

  const run = async ({ run }: z.output<typeof schema>, context: Context) => {
    const budget = createBudget(context.getRemainingTimeInMillis(), now);
    const owner = await runs.enter(run, part, context.awsRequestId, now());
    const progress = createProgress({ runs, run: owner, part, budget, logger, now });
    const parts = createUserParts(openFolder(run.run_id));
    const client = run.dry_run ? undefined : openClient(run.iterable.use_jwt);
    if (client !== undefined) await sleep(pauseMs);
    let retries = 0;
    const push = () =>
      pushParts({
        parts,
        mode: run.iterable.mode,
        client,
        context: {
          deadlineMs: budget.deadlineMs,
          onRetry: ({ error, attempt, waitMs }) => {
            retries += 1;
            reportRetry(logger, metrics, {}, { error, attempt, waitSeconds: waitMs / 1_000 });
          },
        },
        idleTurns: run.step.idle_turns,
        progress,
        metrics,
        logger,
        now,
      });
    const end = async (): Promise<void> => {
      try {
        await parts.writeTurn(context.awsRequestId, { retries });
      } finally {
        await client?.close();
      }
    };
    return thenAlways(push, end);
  };

  return createStep({
    step: 'iterable_push',
    schema,
    logger,
    metrics,
    keys: ({ run }) => ({ run_id: run.run_id }),
    run,
  });
};
