import { noCounts, type Pass, type StoredPass } from '../../shared/completeness/pass-store';
import { walkStart } from '../../shared/completeness/walk';
import type { OrderQueries } from '../../shared/orders/queries';
import { createJudge, type JudgeDependencies } from './judge-orders';
import { isForeign } from './list-key';
import { createListReader, type ListReaderDependencies } from './read-list';
import { createTableScan, type TableScanDependencies } from './scan-table';
import type { Turn } from './turn';

export interface PassDependencies extends ListReaderDependencies, TableScanDependencies, JudgeDependencies {
  readonly orders: Pick<OrderQueries, 'readMany' | 'scanInFlight'>;
  /** Time between reading the list and judging its orders, so that delayed webhooks can arrive. */
  readonly settleMs: number;
}

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
    scanned_at_ms: last?.pass?.header.scanned_at_ms,
    ...(last && { base: { etag: last.etag, started_at_ms: last.pass?.header.started_at_ms } }),
  },
  open: new Map(),
  closed: new Map(),
});

/** The number of orders in a pass, without settled ones and list entries that cannot be orders of ours. */
export const knownIn = ({ open, closed }: Pass): number =>
  [...closed.values()].filter(({ settledAtMs }) => settledAtMs === undefined).length +
  [...open.keys()].filter((key) => !isForeign(key)).length;

/**
 * Advances a pass: reads the list of open orders to its end, once a day scans the table for orders that no list names,
 * then judges each order that the list, the scan or the last pass named, and starts the rounds that are needed. A pass
 * that is advanced again from an older state does some work twice and skips nothing: an order is judged by its item, and
 * is forgotten only a day after nothing remains to be done.
 */
export const createPassRunner = (dependencies: PassDependencies) => {
  const { settleMs, now, sleep } = dependencies;
  const readList = createListReader(dependencies);
  const scanTable = createTableScan(dependencies);
  const judgeOrders = createJudge(dependencies);

  /**
   * Advances a pass until its end, or the end of the turn.
   *
   * @param last the pass to compare with; required until the list has been read
   * @returns whether the pass has reached its end
   */
  return async (pass: Pass, last: Pass | undefined, turn: Turn): Promise<boolean> => {
    if (pass.header.walked_at_ms === undefined && !(await readList(pass, last, turn))) return false;
    if (!(await scanTable(pass, turn))) return false;
    const settlesAtMs = (pass.header.walked_at_ms ?? 0) + settleMs;
    if (settlesAtMs >= turn.endsAtMs) return false;
    if (settlesAtMs > now()) await sleep(settlesAtMs - now());
    return judgeOrders(pass, turn);
  };
};
