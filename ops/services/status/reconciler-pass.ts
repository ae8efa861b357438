import type { LogService } from '../logs';
import { parseLogTime } from '../order-log/lines';

/** The last completed pass of the reconciler. */
export interface PassStatus {
  readonly endedAt: Date;
  readonly known: number;
  readonly missing: number;
  /** Orders that changed or closed at Qualia without a webhook. */
  readonly drifted: number;
  readonly stuck: number;
  readonly inFlight: number;
}

const periodMs = 24 * 3_600_000;

const query = [
  'filter message = "orders reconciled" and outcome = "complete"',
  'fields @timestamp, known, missing, drifted_unnoticed, stuck, in_flight',
  'sort @timestamp desc',
  'limit 1',
].join(' | ');

/** Reads the last pass of the last 24 hours; undefined if there was none. */
export const readLastPass = async (
  logs: Pick<LogService, 'search'>,
  nowMs: number,
): Promise<PassStatus | undefined> => {
  const period = { since: new Date(nowMs - periodMs), until: new Date(nowMs), limit: 1 };
  const [row] = await logs.search(query, period);
  if (row === undefined) return undefined;
  const count = (name: string): number => Number(row.get(name) ?? 0);
  return {
    endedAt: parseLogTime(row.get('@timestamp') ?? ''),
    known: count('known'),
    missing: count('missing'),
    drifted: count('drifted_unnoticed'),
    stuck: count('stuck'),
    inFlight: count('in_flight'),
  };
};
