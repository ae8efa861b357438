import type { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import { toPipelineError } from '../../shared/errors';
import type { CallContext } from '../../shared/http/api-client';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import { reportRetry } from '../../shared/observability/report-retry';
import type { OrderId, RequestId } from '../../shared/orders/order';
import { type OrderOrUnreadable, type OrderQueries, unreadable } from '../../shared/orders/queries';
import type { StartRound } from '../../shared/orders/start-round';
import type { QualiaClient } from '../../shared/qualia/client';
import type { PositionStore } from './position';

export interface ReconcilerDependencies {
  readonly qualia: Pick<QualiaClient, 'listOpenOrders'>;
  readonly orders: Pick<OrderQueries, 'readMany'>;
  readonly startRound: StartRound;
  readonly position: PositionStore;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
  readonly newRequestId: () => string;
  readonly now: () => number;
}

/** What a run did. */
export interface ReconcilerReport {
  /** Open orders that Qualia listed. */
  readonly compared: number;
  readonly missing: number;
  readonly stuck: number;
  /** Where the next run begins; 0 after the end of the list. */
  readonly nextOffset: number;
}

/** As many ids as one batch read of DynamoDB takes. */
const pageSize = 100;
const maxRoundsPerRun = 1_000;
/** An order that has been NOTIFIED for longer is stuck. */
const stuckAfterMs = 15 * 60_000;
/** Left of an invocation for the last page's rounds. */
const reserveMs = 30_000;
const concurrentRounds = 10;

type Finding = { readonly orderId: OrderId } & (
  | { readonly reason: 'missing' }
  | { readonly reason: 'stuck'; readonly ageMs: number }
);

/**
 * Finds the orders that are open at Qualia and that we never heard of, or that never got past NOTIFIED, and starts a
 * round for each. Begins where the run before stopped, so that no part of a long list is starved.
 */
export const createHandler = (dependencies: ReconcilerDependencies) => {
  const { qualia, orders, startRound, position, logger, metrics, newRequestId, now } = dependencies;

  const judge = (orderId: OrderId, order: OrderOrUnreadable | undefined): Finding | undefined => {
    if (order === undefined) return { orderId, reason: 'missing' };
    if (order === unreadable) {
      logger.error('order item cannot be read', {
        order_id: orderId,
        error: 'The item in the Orders table is not an order of this release',
        error_code: 'INTERNAL_FAULT',
      });
      return undefined;
    }
    const ageMs = now() - Date.parse(order.notified_at);
    return order.status === 'NOTIFIED' && ageMs > stuckAfterMs ? { orderId, reason: 'stuck', ageMs } : undefined;
  };

  const reconcile = async (finding: Finding): Promise<void> => {
    const requestId = newRequestId() as RequestId;
    await startRound({ orderId: finding.orderId, requestId, notificationType: 'reconciliation' });
    metrics.add('OrderReconciled');
    logger.warn('order reconciled', {
      order_id: finding.orderId,
      request_id: requestId,
      status: 'NOTIFIED',
      reason: finding.reason,
      ...(finding.reason === 'stuck' && { age_seconds: Math.round(finding.ageMs / 1_000) }),
    });
  };

  const run = async (context: CallContext): Promise<ReconcilerReport> => {
    let offset = await position.load();
    const counts = { compared: 0, missing: 0, stuck: 0 };
    const seen = new Set<OrderId>();
    try {
      while (counts.missing + counts.stuck < maxRoundsPerRun && now() < context.deadlineMs) {
        const page = await qualia.listOpenOrders({ limit: pageSize, offset }, context);
        const { listed } = page;
        const orderIds = page.orderIds.filter((orderId) => !seen.has(orderId));
        for (const orderId of orderIds) seen.add(orderId);
        // The end; also of a list that goes round, should Qualia not know `offset`.
        if (listed === 0 || (page.orderIds.length > 0 && orderIds.length === 0)) {
          offset = 0;
          break;
        }
        const known = await orders.readMany(orderIds);
        const findings = orderIds.flatMap((orderId) => judge(orderId, known.get(orderId)) ?? []);
        const allowed = findings.slice(0, maxRoundsPerRun - counts.missing - counts.stuck);
        for (let start = 0; start < allowed.length; start += concurrentRounds) {
          const rounds = await Promise.allSettled(allowed.slice(start, start + concurrentRounds).map(reconcile));
          const refused = rounds.find((round) => round.status === 'rejected');
          if (refused) throw refused.reason;
        }
        for (const { reason } of allowed) counts[reason]++;
        counts.compared += listed;
        // A page that was cut short is the next run's first.
        if (allowed.length === findings.length) offset += listed;
      }
    } finally {
      await position.save(offset);
    }
    return { ...counts, nextOffset: offset };
  };

  return async (_event: unknown, context: Context): Promise<ReconcilerReport> => {
    logger.addContext(context);
    metrics.add('OrderReconciled', 0);
    try {
      const report = await run({
        deadlineMs: now() + context.getRemainingTimeInMillis() - reserveMs,
        onRetry: ({ error, attempt, waitMs }) =>
          reportRetry(logger, metrics, {}, { error, attempt, waitSeconds: waitMs / 1_000 }),
      });
      logger.info('orders reconciled', { ...report });
      return report;
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
