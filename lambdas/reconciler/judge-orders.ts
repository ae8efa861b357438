import {
  type Entry,
  isForgotten,
  isInFlight,
  isToBeChecked,
  judge,
  type PassTimes,
} from '../../shared/completeness/judge';
import type { Counts, Pass } from '../../shared/completeness/pass-store';
import type { OrderQueries } from '../../shared/orders/queries';
import { isForeign } from './list-key';
import { createRoundsOfTurn, type Finding, isReadable, type RoundDependencies, type RoundResult } from './start-rounds';
import type { Turn } from './turn';
import { type BacklogDependencies, createBacklogWait } from './wait-for-backlog';

export interface JudgeDependencies extends RoundDependencies, BacklogDependencies {
  readonly orders: Pick<OrderQueries, 'readMany'>;
  readonly roundsPerSecond: number;
}

type Judged = Omit<Finding, 'verdict'> & { readonly verdict: ReturnType<typeof judge> };

/** The number of keys of one batch read. */
const largestChunk = 100;
/** A chunk starts all of its rounds at the configured pace, and must not take much longer than this. */
const chunkSeconds = 10;

const count = (pass: Pass, changes: Partial<Counts>): void => {
  const { counts } = pass.header;
  const sums = Object.entries(changes).map(([name, value]) => [name, counts[name as keyof Counts] + value]);
  pass.header = { ...pass.header, counts: { ...counts, ...Object.fromEntries(sums) } };
};

const isFinding = (judged: Judged): judged is Judged & Finding => judged.verdict.reason !== undefined;

/** Counts a finding, and keeps in the pass what the next pass must know of it. */
const recordFinding = (pass: Pass, { finding, outcome }: RoundResult, nowMs: number): void => {
  // A webhook has announced the order's state after all.
  if (outcome === 'superseded') return;
  const { entry, order, verdict } = finding;
  const { reason, isLost } = verdict;
  const isChange = reason === 'drifted' || reason === 'left';
  count(pass, { [reason]: 1, lost: isLost && isChange ? 1 : 0, not_started: outcome === 'failed' ? 1 : 0 });
  const entries = entry.leftAtMs === undefined ? pass.open : pass.closed;
  if (outcome === 'started' && isReadable(order) && isInFlight(order)) {
    entries.set(entry.orderId, { ...entry, startedAtMs: nowMs });
  }
  // The next pass must find the same change again.
  if (outcome === 'failed' && entry.previous !== undefined) {
    entries.set(entry.orderId, { ...entry, fingerprint: entry.previous, previous: undefined });
  }
};

/** Counts the orders by their status. */
const recordStatus = (pass: Pass, { order }: Judged, nowMs: number): void => {
  if (!isReadable(order)) return;
  if (order.status === 'FAILED') count(pass, { failed: 1 });
  if (!isInFlight(order)) return;
  count(pass, { in_flight: 1 });
  const { counts } = pass.header;
  const oldest = Math.max(counts.oldest_in_flight_ms, nowMs - Date.parse(order.notified_at));
  pass.header = { ...pass.header, counts: { ...counts, oldest_in_flight_ms: oldest } };
};

/** Keeps what the next pass must know of an order that left. */
const recordEnd = ({ closed }: Pass, { entry, verdict }: Judged, nowMs: number): void => {
  const { orderId, leftAtMs, settledAtMs } = entry;
  if (leftAtMs === undefined) return;
  if (verdict.isSettled && isForgotten(entry, nowMs)) closed.delete(orderId);
  else if (verdict.isSettled) closed.set(orderId, { ...entry, settledAtMs: nowMs });
  else if (settledAtMs !== undefined) {
    // A round has started since. `recordFinding` may have changed the entry.
    closed.set(orderId, { ...(closed.get(orderId) ?? entry), settledAtMs: undefined });
  }
};

/** Judges the orders of a pass, chunk by chunk, and starts the rounds that are needed. */
export const createJudge = (dependencies: JudgeDependencies) => {
  const { orders, roundsPerSecond, now } = dependencies;
  const chunkSize = Math.min(largestChunk, chunkSeconds * roundsPerSecond);

  const judgeChunk = async (entries: readonly Entry[], times: Omit<PassTimes, 'nowMs'>) => {
    const found = await orders.readMany(entries.map(({ orderId }) => orderId));
    const nowMs = now();
    const judged = entries.map((entry): Judged => {
      const order = found.get(entry.orderId);
      return { entry, order, verdict: judge(entry, order, { ...times, nowMs }) };
    });
    return { nowMs, judged };
  };

  /** @returns whether all orders were judged */
  return async (pass: Pass, { endsAtMs }: Turn): Promise<boolean> => {
    const rounds = createRoundsOfTurn(dependencies);
    const waitForBacklog = createBacklogWait(dependencies);
    const { started_at_ms: startedAtMs, walked_at_ms: walkedAtMs = now(), base } = pass.header;

    // Judge orders that left first: they are few, and no later list contains them.
    const sequence = [...pass.closed.values(), ...pass.open.values()].filter(
      (entry) => !isForeign(entry.orderId) && isToBeChecked(entry, startedAtMs),
    );
    for (let index = pass.header.judged; index < sequence.length; index += chunkSize) {
      if (now() >= endsAtMs) return false;
      const chunk = sequence.slice(index, index + chunkSize);
      const { nowMs, judged } = await judgeChunk(chunk, { walkedAtMs, lastPassAtMs: base?.started_at_ms });
      const findings = judged.filter(isFinding);
      // The first rounds of a turn do not wait: they are few.
      if (findings.length > 0 && rounds.count() > 0 && !(await waitForBacklog(endsAtMs))) return false;
      for (const result of await rounds.startAll(findings)) recordFinding(pass, result, nowMs);

      for (const order of judged) recordEnd(pass, order, nowMs);
      for (const order of judged) recordStatus(pass, order, nowMs);
      // Settled orders are not in the sequence of the next turn.
      const settled = judged.filter(({ verdict }) => verdict.isSettled);
      pass.header = { ...pass.header, judged: pass.header.judged + chunk.length - settled.length };
    }
    return true;
  };
};
