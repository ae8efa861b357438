import type { Context } from 'aws-lambda';
import * as z from 'zod/mini';
import type { Queue } from '../../shared/aws/queue';
import type { Pass, PassStore, StoredPass } from '../../shared/completeness/pass-store';
import { PipelineError, toPipelineError } from '../../shared/errors';
import { parseJson } from '../../shared/json';
import type { MetricFields } from '../../shared/observability/metrics';
import { reportRetry } from '../../shared/observability/report-retry';
import { beginPass, createPassRunner, knownIn, type PassDependencies } from './pass';
import { createUnsentSender, type UnsentSenderDependencies } from './send-unsent';
import type { Turn } from './turn';

/** A message of the reconciler's queue: the pass to continue. */
export interface Continuation {
  readonly pass: string;
}

export interface ReconcilerDependencies extends PassDependencies, UnsentSenderDependencies {
  readonly orders: PassDependencies['orders'];
  readonly passes: PassStore;
  readonly queue: Pick<Queue<Continuation>, 'send'>;
  readonly newPassId: () => string;
}

/**
 * - `complete`: the pass has reached its end, and the next one is compared with it.
 * - `continues`: a message continues it.
 * - `under way`: nothing was done, because another invocation works on a pass.
 * - `superseded`: another invocation was faster. The rounds that this one started remain.
 */
export type Outcome = 'complete' | 'continues' | 'under way' | 'superseded';

/** What an invocation returns. Counts are of the pass so far. */
export interface ReconcilerReport {
  readonly outcome: Outcome;
  readonly [count: string]: string | number | undefined;
}

/** Time reserved at the end of an invocation for work in progress and for writing the pass. */
const reserveMs = 60_000;
/** Time left in the invocation when a call to Qualia is aborted. */
const callReserveMs = 25_000;
/** Longer than an invocation can take: no invocation is working on a pass that was saved earlier than this. */
const longestTurnMs = 20 * 60_000;
/** A list that was read earlier than this is out of date, so a new pass begins instead. */
const staleAfterMs = 3 * 3_600_000;

const queueEventSchema = z.object({
  Records: z.tuple([z.object({ eventSource: z.literal('aws:sqs'), body: z.string() })]),
});
const continuationSchema = z.object({ pass: z.string() });

/** The id of the pass to continue; undefined for a schedule's or an operator's event. */
const passToContinue = (event: unknown): string | undefined => {
  const parsed = queueEventSchema.safeParse(event);
  if (!parsed.success) return undefined;
  const message = continuationSchema.safeParse(parseJson(parsed.data.Records[0].body));
  if (message.success) return message.data.pass;
  throw new PipelineError('BAD_MESSAGE', 'The message is not one of ours', { retryable: false });
};

/**
 * Proves that no order at Qualia is missing or out of date here (docs/contracts/qualia.md, section 3). A schedule
 * begins a pass every hour; a pass that exceeds an invocation continues by a message to the reconciler's own queue.
 */
export const createHandler = (dependencies: ReconcilerDependencies) => {
  const { passes, queue, logger, metrics, now, newPassId } = dependencies;
  const sendUnsent = createUnsentSender(dependencies);
  const advance = createPassRunner(dependencies);

  const reportUnreadable = (name: string, stored: StoredPass | undefined): void => {
    if (stored === undefined || stored.pass !== undefined) return;
    const error = `The ${name} pass in S3 cannot be read: changes and closed orders since then are not noticed`;
    logger.error('stored pass cannot be read', { error, error_code: 'INTERNAL_FAULT' });
  };

  /** The pass to work on, or why there is none. */
  const choose = (
    passId: string | undefined,
    current: Pass | undefined,
    last: StoredPass | undefined,
  ): Pass | 'under way' | 'superseded' => {
    const { header } = current ?? {};
    const isUnfinished =
      header !== undefined && header.id !== last?.pass?.header.id && header.base?.etag === last?.etag;
    const savedAgoMs = now() - (header?.saved_at_ms ?? 0);
    if (passId !== undefined) {
      return isUnfinished && current !== undefined && header.id === passId ? current : 'superseded';
    }
    if (isUnfinished && header.continues && savedAgoMs < longestTurnMs) return 'under way';
    if (isUnfinished && current !== undefined && savedAgoMs < staleAfterMs) return current;
    return beginPass(newPassId(), now(), last);
  };

  const saveUnfinished = (pass: Pass, continues: boolean, etag: string | undefined) => {
    pass.header = { ...pass.header, saved_at_ms: now(), continues };
    return passes.save('current', pass, etag);
  };

  const work = async (
    pass: Pass,
    last: StoredPass | undefined,
    current: StoredPass | undefined,
    turn: Turn,
  ): Promise<Outcome> => {
    let etag = current?.etag;
    try {
      const isComplete = await advance(pass, last?.pass, turn);
      if (isComplete) {
        return (await passes.save('last', pass, last?.etag)) === undefined ? 'superseded' : 'complete';
      }
      const saved = await saveUnfinished(pass, true, etag);
      if (saved === undefined) return 'superseded';
      etag = saved;
      await queue.send({ pass: pass.header.id });
      return 'continues';
    } catch (error) {
      // The next invocation resumes here. If this write fails, it resumes from an older state.
      await saveUnfinished(pass, false, etag).catch(() => undefined);
      throw error;
    }
  };

  const metricsOf = ({ header: { counts } }: Pass, outcome: Outcome): MetricFields =>
    metrics.fields({
      OrdersMissing: counts.missing,
      OrdersDrifted: counts.lost,
      ...(outcome !== 'continues' && {
        OrdersInFlight: counts.in_flight,
        OldestOrderInFlight: Math.round(counts.oldest_in_flight_ms / 1_000),
      }),
    });

  const describe = (pass: Pass): Omit<ReconcilerReport, 'outcome'> => {
    const { id, counts, judged, started_at_ms: startedAtMs } = pass.header;
    const { oldest_in_flight_ms: oldestMs, lost, ...reasons } = counts;
    const known = knownIn(pass);
    return {
      pass: id,
      known,
      judged,
      ...reasons,
      drifted_unnoticed: lost,
      oldest_in_flight_seconds: Math.round(oldestMs / 1_000),
      duration_seconds: Math.round((now() - startedAtMs) / 1_000),
    };
  };

  const run = async (event: unknown, turn: Turn): Promise<ReconcilerReport> => {
    const startedAtMs = now();
    const passId = passToContinue(event);
    await sendUnsent(turn);
    const [current, last] = await Promise.all([passes.load('current'), passes.load('last')]);
    reportUnreadable('current', current);
    reportUnreadable('last', last);
    const chosen = choose(passId, current?.pass, last);
    if (typeof chosen === 'string') {
      logger.info('reconciliation not needed', { outcome: chosen, pass: passId });
      return { outcome: chosen };
    }
    const outcome = await work(chosen, last, current, turn);
    const report: ReconcilerReport = { outcome, ...describe(chosen) };
    logger.info(outcome === 'continues' ? 'reconciliation continues' : 'orders reconciled', {
      ...report,
      turn_ms: now() - startedAtMs,
      ...metricsOf(chosen, outcome),
    });
    return report;
  };

  return async (event: unknown, context: Context): Promise<ReconcilerReport> => {
    logger.addContext(context);
    metrics.add('OrderReconciled', 0);
    const endsAtMs = now() + context.getRemainingTimeInMillis();
    try {
      return await run(event, {
        endsAtMs: endsAtMs - reserveMs,
        context: {
          deadlineMs: endsAtMs - callReserveMs,
          onRetry: ({ error, attempt, waitMs }) =>
            reportRetry(logger, metrics, {}, { error, attempt, waitSeconds: waitMs / 1_000 }),
        },
      });
    } catch (thrown) {
      const error = toPipelineError(thrown);
      logger.error('reconciliation failed', {
        error: error.message,
        error_code: error.code,
        error_details: error,
      });
      throw error;
    } finally {
      metrics.flush();
    }
  };
};
