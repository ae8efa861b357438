import { createHash } from 'node:crypto';
import type { Logger } from '@aws-lambda-powertools/logger';
import {
  type Entry,
  isInFlight,
  judge,
  type Reason,
  reconciliation,
  type Verdict,
} from '../../shared/completeness/judge';
import { type Counts, noCounts, type Pass, type StoredPass } from '../../shared/completeness/pass-store';
import { walkOpenOrders, walkStart } from '../../shared/completeness/walk';
import { type PipelineError, toPipelineError } from '../../shared/errors';
import type { CallContext } from '../../shared/http/api-client';
import type { MetricsRecorder } from '../../shared/observability/metrics';
import { type Order, type OrderId, orderIdSchema, type RequestId } from '../../shared/orders/order';
import { type OrderOrUnreadable, type OrderQueries, unreadable } from '../../shared/orders/queries';
import type { StartRound } from '../../shared/orders/start-round';
import type { QualiaClient } from '../../shared/qualia/client';

export interface PassDependencies {
  readonly qualia: Pick<QualiaClient, 'listOpenOrders'>;
  readonly orders: Pick<OrderQueries, 'readMany'>;
  readonly startRound: StartRound;
  /** Messages in the download queue. */
  readonly backlog: () => Promise<number>;
  /** No round is started while the backlog exceeds this. */
  readonly backlogLimit: number;
  readonly roundsPerSecond: number;
  /** Waits for the next slot to start a round. */
  readonly pace: () => Promise<void>;
  /** Time between reading the list and judging its orders, so that delayed webhooks can arrive. */
  readonly settleMs: number;
  readonly logger: Logger;
  readonly metrics: MetricsRecorder;
  readonly newRequestId: () => string;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** One invocation's share of the work on a pass. */
export interface Turn {
  /** Epoch ms. No new work begins after it. */
  readonly endsAtMs: number;
  /** For calls to Qualia. The deadline leaves time for a call in progress to end. */
  readonly context: CallContext;
}

/** The number of keys of one batch read. */
const largestChunk = 100;
/** A chunk starts all of its rounds at the configured pace, and must not take much longer than this. */
const chunkSeconds = 10;
const backlogPollMs = 1_000;
/** This number of consecutive failures means that AWS fails, not an order. */
const failuresInRowToStop = 10;

const foreignMark = '!';

/** The id itself, or a key that replaces an id that is not valid in a webhook. */
const keyOf = (id: string): string =>
  orderIdSchema.safeParse(id).success ? id : foreignMark + createHash('sha256').update(id).digest('base64url');
const isForeign = (key: string): boolean => key.startsWith(foreignMark);

const isWaiting = (order: OrderOrUnreadable | undefined): order is Order =>
  order !== undefined && order !== unreadable && isInFlight(order);

/** Begins a pass, which is compared with the last one. */
export const beginPass = (id: string, nowMs: number, last: StoredPass | undefined): Pass => ({
  header: {
    format: 1,
    id,
    started_at_ms: nowMs,
    saved_at_ms: nowMs,
    continues: false,
    walk: walkStart,
    is_endless: false,
    judged: 0,
    counts: noCounts,
    ...(last && { base: { etag: last.etag, started_at_ms: last.pass?.header.started_at_ms } }),
  },
  open: new Map(),
  closed: new Map(),
});

/** The number of orders in a pass, without list entries that cannot be orders of ours. */
export const knownIn = ({ open, closed }: Pass): number =>
  closed.size + [...open.keys()].filter((key) => !isForeign(key)).length;

/**
 * Advances a pass: reads the list of open orders to its end, then judges each order that the list or the last pass
 * named, and starts the rounds that are needed. A pass that is advanced again from an older state does some work twice
 * and skips nothing: an order is judged by its item, and is forgotten only when nothing remains to be done.
 */
export const createPassRunner = (dependencies: PassDependencies) => {
  const { qualia, orders, startRound, logger, metrics, now, sleep } = dependencies;

  const count = (pass: Pass, changes: Partial<Counts>): void => {
    const sums = Object.entries(changes).map(([name, value]) => [
      name,
      pass.header.counts[name as keyof Counts] + value,
    ]);
    pass.header = { ...pass.header, counts: { ...pass.header.counts, ...Object.fromEntries(sums) } };
  };

  /** Compares the list with the last pass: orders that were open then and are not listed now have left. */
  const closeWalk = (pass: Pass, last: Pass | undefined, isEndless: boolean): void => {
    const walkedAtMs = now();
    pass.header = { ...pass.header, walked_at_ms: walkedAtMs, is_endless: isEndless };
    for (const [key, { previous: _, ...entry }] of last?.open ?? []) {
      if (pass.open.has(key) || isForeign(key)) continue;
      // The walk may have missed the order, so it has not certainly left.
      if (isEndless) pass.open.set(key, entry);
      else pass.closed.set(key, { ...entry, leftAtMs: walkedAtMs });
    }
    for (const [key, entry] of last?.closed ?? []) if (!pass.open.has(key)) pass.closed.set(key, entry);
    if (isEndless) logger.warn('the list of open orders repeats itself', { listed: pass.open.size });
  };

  const walk = async (pass: Pass, last: Pass | undefined, { endsAtMs, context }: Turn): Promise<boolean> => {
    const walked = await walkOpenOrders({
      list: (request) => qualia.listOpenOrders(request, context),
      progress: pass.header.walk,
      hasSeen: (id) => pass.open.has(keyOf(id)),
      onOrder: ({ id, fingerprint: listed }) => {
        const key = keyOf(id);
        const before = last?.open.get(key) ?? last?.closed.get(key);
        const fingerprint = listed ?? before?.fingerprint;
        const previous = before?.fingerprint === fingerprint ? undefined : before?.fingerprint;
        pass.open.set(key, { orderId: key as OrderId, fingerprint, previous, startedAtMs: before?.startedAtMs });
      },
      onProgress: (progress) => {
        pass.header = { ...pass.header, walk: progress };
      },
      isTimeUp: () => now() >= endsAtMs,
      onStatusRefused: (error) =>
        logger.warn('Qualia does not show the status of listed orders', {
          error: error.message,
          error_code: error.code,
          status_code: error.statusCode,
          api: error.api,
        }),
    });
    if (walked === 'out of time') return false;
    closeWalk(pass, last, walked === 'endless');
    return true;
  };

  let hasReportedWait = false;

  /** Waits until the download queue is short, so that webhooks are not delayed behind these rounds. */
  const waitForRoom = async (endsAtMs: number): Promise<boolean> => {
    for (;;) {
      const backlog = await dependencies.backlog();
      if (backlog <= dependencies.backlogLimit) return true;
      if (!hasReportedWait) logger.info('reconciliation waits for the download queue', { backlog });
      hasReportedWait = true;
      if (now() >= endsAtMs) return false;
      await sleep(backlogPollMs);
    }
  };

  const describe = (entry: Entry, reason: Reason, requestId: RequestId, order: OrderOrUnreadable | undefined) => ({
    order_id: entry.orderId,
    request_id: requestId,
    reason,
    ...(order !== undefined &&
      order !== unreadable && { age_seconds: Math.round((now() - Date.parse(order.notified_at)) / 1_000) }),
  });

  /** Logs one line per order. An order that is only due for its check, or that changed as usual, is not a warning. */
  const report = (line: ReturnType<typeof describe>, isLost: boolean, fault: PipelineError | undefined): void => {
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
    const fields = { ...line, status: 'NOTIFIED' };
    const isWarning = isLost || reason === 'stuck';
    logger[reason === 'unchecked' ? 'debug' : isWarning ? 'warn' : 'info']('order reconciled', fields);
    if (isWarning) metrics.add('OrderReconciled');
  };

  let failuresInRow = 0;
  let roundsInTurn = 0;

  /** @returns whether the round was started */
  const start = async (
    entry: Entry,
    order: OrderOrUnreadable | undefined,
    { reason, isLost }: Verdict & { readonly reason: Reason },
  ): Promise<boolean> => {
    await dependencies.pace();
    const requestId = dependencies.newRequestId() as RequestId;
    const line = describe(entry, reason, requestId, order);
    try {
      await startRound({
        orderId: entry.orderId,
        requestId,
        notificationType: reconciliation,
        // The four-day limit of retries and the latency both count from the first notification.
        notifiedAtMs: isWaiting(order) ? Date.parse(order.notified_at) : undefined,
      });
    } catch (thrown) {
      const error = toPipelineError(thrown);
      report(line, isLost, error);
      if (++failuresInRow >= failuresInRowToStop) throw error;
      return false;
    }
    failuresInRow = 0;
    roundsInTurn++;
    report(line, isLost, undefined);
    return true;
  };

  const judgeChunk = async (pass: Pass, entries: readonly Entry[], { endsAtMs }: Turn): Promise<boolean> => {
    const { walked_at_ms: walkedAtMs = now(), base } = pass.header;
    const found = await orders.readMany(entries.map(({ orderId }) => orderId));
    const times = { nowMs: now(), walkedAtMs, lastPassAtMs: base?.started_at_ms };
    const judged = entries.map((entry) => {
      const order = found.get(entry.orderId);
      return { entry, order, verdict: judge(entry, order, times) };
    });
    const findings = judged.flatMap(({ entry, order, verdict: { reason, ...verdict } }) =>
      reason === undefined ? [] : [{ entry, order, verdict: { ...verdict, reason } }],
    );
    // The first rounds of a turn do not wait: they are few.
    if (findings.length > 0 && roundsInTurn > 0 && !(await waitForRoom(endsAtMs))) return false;

    const rounds = await Promise.allSettled(findings.map(({ entry, order, verdict }) => start(entry, order, verdict)));
    const stopped = rounds.find((round) => round.status === 'rejected');
    if (stopped) throw stopped.reason;
    findings.forEach(({ entry, order, verdict: { reason, isLost } }, index) => {
      const round = rounds[index];
      const isStarted = round?.status === 'fulfilled' && round.value;
      const isChange = reason === 'drifted' || reason === 'left';
      count(pass, { [reason]: 1, lost: isLost && isChange ? 1 : 0, not_started: isStarted ? 0 : 1 });
      const entries = entry.leftAtMs === undefined ? pass.open : pass.closed;
      if (isStarted && isWaiting(order)) entries.set(entry.orderId, { ...entry, startedAtMs: times.nowMs });
      // The next pass must find the same change again.
      if (!isStarted && entry.previous !== undefined) {
        entries.set(entry.orderId, { ...entry, fingerprint: entry.previous, previous: undefined });
      }
    });

    let settled = 0;
    for (const { entry, order, verdict } of judged) {
      if (verdict.isSettled) {
        pass.closed.delete(entry.orderId);
        settled++;
      }
      if (order === undefined || order === unreadable) continue;
      if (order.status === 'FAILED') count(pass, { failed: 1 });
      if (!isInFlight(order)) continue;
      count(pass, { in_flight: 1 });
      const { counts } = pass.header;
      const oldest = Math.max(counts.oldest_in_flight_ms, times.nowMs - Date.parse(order.notified_at));
      pass.header = { ...pass.header, counts: { ...counts, oldest_in_flight_ms: oldest } };
    }
    pass.header = { ...pass.header, judged: pass.header.judged + entries.length - settled };
    return true;
  };

  const judgeAll = async (pass: Pass, turn: Turn): Promise<boolean> => {
    const size = Math.min(largestChunk, chunkSeconds * dependencies.roundsPerSecond);
    // Judge orders that left first: they are few, and no later list contains them.
    const sequence = [...pass.closed.values(), ...pass.open.values()].filter(({ orderId }) => !isForeign(orderId));
    for (let index = pass.header.judged; index < sequence.length; index += size) {
      if (now() >= turn.endsAtMs) return false;
      if (!(await judgeChunk(pass, sequence.slice(index, index + size), turn))) return false;
    }
    return true;
  };

  /**
   * Advances a pass until its end, or the end of the turn.
   *
   * @param last the pass to compare with; required until the walk has ended
   * @returns whether the pass has reached its end
   */
  return async (pass: Pass, last: Pass | undefined, turn: Turn): Promise<boolean> => {
    failuresInRow = 0;
    roundsInTurn = 0;
    hasReportedWait = false;
    if (pass.header.walked_at_ms === undefined && !(await walk(pass, last, turn))) return false;
    const settlesAtMs = (pass.header.walked_at_ms ?? 0) + dependencies.settleMs;
    if (settlesAtMs >= turn.endsAtMs) return false;
    if (settlesAtMs > now()) await sleep(settlesAtMs - now());
    return judgeAll(pass, turn);
  };
};
