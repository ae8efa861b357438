import type { Context } from 'aws-lambda';
import * as z from 'zod';
import type { IterableClient } from '../../shared/iterable/client';
import { iterablePlanSchema } from '../../shared/iterable/input';
import { createUserParts } from '../../shared/iterable/user-parts';
import { reportRetry } from '../../shared/observability/report-retry';
import { createStep } from '../../shared/runs/step';
import { thenAlways } from '../../shared/runs/then-always';
import { startTurn, type WorkerDependencies } from '../../shared/runs/turn';
import { pushParts } from './push-parts';

export interface IterablePushDependencies extends WorkerDependencies {
  readonly openClient: (useJwt: boolean) => IterableClient;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** The turn before may have used up the calls of this second. */
const pauseMs = 1_000;

const schema = z.object({
  run: iterablePlanSchema.extend({
    /** What the state before this one returned: another turn, or the extraction. */
    step: z.object({ idle_turns: z.number().default(0) }).default({ idle_turns: 0 }),
  }),
});

/** `PushUsers`: sends the parts that are not sent yet, until the time is up. */
export const createHandler = (dependencies: IterablePushDependencies) => {
  const { openClient, logger, metrics, now, sleep } = dependencies;

  const run = async ({ run }: z.output<typeof schema>, context: Context) => {
    const { budget, progress, folder } = await startTurn(dependencies, run, 'iterable/push', context);
    const parts = createUserParts(folder);
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
