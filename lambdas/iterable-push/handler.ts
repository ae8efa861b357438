import type { Context } from 'aws-lambda';
import * as z from 'zod';
import type { CallContext } from '../../shared/http/api-client';
import type { IterableClient } from '../../shared/iterable/client';
import { iterablePlanSchema } from '../../shared/iterable/input';
import type { SentIndex } from '../../shared/iterable/sent-index';
import { createUserParts } from '../../shared/iterable/user-parts';
import { reportRetry } from '../../shared/observability/report-retry';
import { createStep } from '../../shared/runs/step';
import { thenAlways } from '../../shared/runs/then-always';
import { startTurn, type WorkerDependencies } from '../../shared/runs/turn';
import { confirmUsers } from './confirm-users';
import { pushParts } from './push-parts';

export interface IterablePushDependencies extends WorkerDependencies {
  readonly openClient: (useJwt: boolean) => IterableClient;
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly sentIndex: Pick<SentIndex, 'hold'>;
}

/** The turn before may have used up the calls of this second. */
const pauseMs = 1_000;

const schema = z.object({
  run: iterablePlanSchema.extend({
    /** What the state before this one returned: another turn, or the extraction. */
    step: z.object({ idle_turns: z.number().default(0) }).default({ idle_turns: 0 }),
  }),
});

/**
 * `PushUsers`: sends the parts that are not sent yet, until the time is up. After the last one, it reads a sample of the
 * users back.
 */
export const createHandler = (dependencies: IterablePushDependencies) => {
  const { openClient, logger, metrics, now, sleep, sentIndex } = dependencies;

  const run = async ({ run }: z.output<typeof schema>, context: Context) => {
    const { budget, progress, folder } = await startTurn(dependencies, run, 'iterable/push', context);
    const parts = createUserParts(folder);
    const client = run.dry_run ? undefined : openClient(run.iterable.use_jwt);
    if (client !== undefined) await sleep(pauseMs);
    let retries = 0;
    const calls: CallContext = {
      deadlineMs: budget.deadlineMs,
      onRetry: ({ error, attempt, waitMs }) => {
        retries += 1;
        reportRetry(logger, metrics, {}, { error, attempt, waitSeconds: waitMs / 1_000 });
      },
    };
    /** After the last user is sent, once per run. @returns false if another turn must do it */
    const confirm = async (): Promise<boolean> => {
      const { confirm: sampleSize } = run.iterable;
      if (client === undefined || sampleSize === 0 || (await parts.readConfirmation()) !== undefined) return true;
      if (budget.isSpent() || progress.stopped.aborted) return false;
      const confirmation = await confirmUsers({
        parts,
        client,
        context: { ...calls, signal: progress.stopped, keepLeases: progress.keepLeases },
        sampleSize,
        offset: Math.floor(Date.parse(run.started_at) / 1_000),
        isTimeUp: budget.isSpent,
        sleep,
      });
      // The calls of a stopped run end with an error, which says nothing about the users.
      progress.assertNotStopped();
      if (await parts.writeConfirmation(confirmation)) {
        metrics.add('SyncUsersUnconfirmed', confirmation.differences.length);
      }
      return true;
    };
    const push = () =>
      pushParts({
        parts,
        mode: run.iterable.mode,
        client,
        context: calls,
        idleTurns: run.step.idle_turns,
        progress,
        metrics,
        logger,
        now,
        beforeSending: async ({ parts: count, hasSent }) => {
          if (client === undefined) return;
          const rowsParts = run.iterable.source === 'rows' ? count : undefined;
          await sentIndex.hold({ runId: run.run_id, base: await parts.readBase(), rowsParts, hasSent });
        },
        afterSending: confirm,
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
