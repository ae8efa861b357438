import type { Logger } from '@aws-lambda-powertools/logger';
import { type Entry, isInFlight, type Reason, reconciliation, type Verdict } from '../../shared/completeness/judge';
import { allSettledOrThrow } from '../../shared/concurrency/settled';
import { type PipelineError, toPipelineError } from '../../shared/errors';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import type { Order, RequestId } from '../../shared/orders/order';
import { type OrderOrUnreadable, unreadable } from '../../shared/orders/queries';
import type { StartRound } from '../../shared/orders/start-round';

export interface RoundDependencies {
  readonly startRound: StartRound;
  /** Waits for the next slot to start a round. */
  readonly pace: () => Promise<void>;
  readonly newRequestId: () => string;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
  readonly now: () => number;
}

/** An order that needs a round. */
export interface Finding {
  readonly entry: Entry;
  readonly order: OrderOrUnreadable | undefined;
  readonly verdict: Verdict & { readonly reason: Reason };
}

export interface RoundResult {
  readonly finding: Finding;
  /** `superseded`: another round has started since the order was read. It downloads the order, so none is needed. */
  readonly outcome: 'started' | 'superseded' | 'failed';
}

/** This number of consecutive failures means that AWS fails, not an order. */
const failuresInRowToStop = 10;

export const isReadable = (order: OrderOrUnreadable | undefined): order is Order =>
  order !== undefined && order !== unreadable;

/** Starts the rounds of one turn, and logs one line for each. */
export const createRoundsOfTurn = (dependencies: RoundDependencies) => {
  const { startRound, pace, newRequestId, logger, metrics, now } = dependencies;
  let failuresInRow = 0;
  let startedCount = 0;

  const describe = ({ entry, order, verdict: { reason } }: Finding, requestId: RequestId) => ({
    order_id: entry.orderId,
    request_id: requestId,
    reason,
    ...(isReadable(order) && { age_seconds: Math.round((now() - Date.parse(order.notified_at)) / 1_000) }),
  });

  /** An order that is only due for its check, or that changed as usual, is not a warning. */
  const report = (line: ReturnType<typeof describe>, isLost: boolean, fault?: PipelineError): void => {
    const { reason } = line;
    if (reason === 'unreadable' || fault !== undefined) {
      const message = reason === 'unreadable' ? 'order item cannot be read' : 'order could not be reconciled';
      logger.error(message, {
        ...line,
        ...(fault === undefined && { status: 'NOTIFIED' }),
        error:
          fault?.message ?? 'The item in the Orders table is not an order of this release: a new round replaces it',
        error_code: fault?.code ?? 'INTERNAL_FAULT',
        ...(fault && { error_details: fault }),
      });
      return;
    }
    const isWarning = isLost || reason === 'stuck';
    logger[reason === 'unchecked' ? 'debug' : isWarning ? 'warn' : 'info']('order reconciled', {
      ...line,
      status: 'NOTIFIED',
      ...(isWarning && metrics.fields({ OrderReconciled: 1 })),
    });
  };

  /** @throws {PipelineError} the last of ten consecutive failures */
  const start = async (finding: Finding): Promise<RoundResult['outcome']> => {
    const { entry, order, verdict } = finding;
    await pace();
    const requestId = newRequestId() as RequestId;
    const line = describe(finding, requestId);
    try {
      const { outcome } = await startRound({
        orderId: entry.orderId,
        requestId,
        notificationType: reconciliation,
        after: isReadable(order) ? order.round : undefined,
        // The four-day limit of retries and the latency both count from the first notification.
        notifiedAtMs: isReadable(order) && isInFlight(order) ? Date.parse(order.notified_at) : undefined,
      });
      failuresInRow = 0;
      if (outcome === 'stale') return 'superseded';
    } catch (thrown) {
      const error = toPipelineError(thrown);
      report(line, verdict.isLost, error);
      if (++failuresInRow >= failuresInRowToStop) throw error;
      return 'failed';
    }
    startedCount++;
    report(line, verdict.isLost);
    return 'started';
  };

  return {
    /** The number of rounds that were started. */
    count: (): number => startedCount,

    /**
     * Starts a round for each finding, in their order at the given pace.
     *
     * @throws {PipelineError} when AWS fails, after all of them have ended
     */
    startAll: (findings: readonly Finding[]): Promise<readonly RoundResult[]> =>
      allSettledOrThrow(findings.map(async (finding) => ({ finding, outcome: await start(finding) }))),
  };
};
