import type { WorkerName } from '../../../shared/orders/order';
import { workerNames } from '../dead-letters';
import type { LogService } from '../logs';
import { parseLogTime } from '../order-log/lines';

/** The circuit of a worker, over all of its processes. */
export interface CircuitStatus {
  readonly worker: WorkerName;
  readonly isOpen: boolean;
  /** When it opened, to the minute; undefined while it is closed. */
  readonly openSince: Date | undefined;
}

/** While a circuit is open, a probe reports it at least this often. */
const reportsEveryMs = 180_000;
const periodMs = 24 * 3_600_000;
const maxRows = 10_000;

/** A worker adds the metric when its circuit opens, and at most once per probe while it is open. */
const openings = [
  'filter (CircuitOpen > 0 or CircuitOpen.0 > 0) and service in ["download", "processing"]',
  'stats max(@timestamp) as last by service, bin(1m) as minute',
  'sort minute desc',
].join(' | ');
/** Steps whose call to the API succeeded. */
const successes = [
  'filter message in ["order downloaded", "order processed"] and ispresent(response_time_ms)',
  'stats max(@timestamp) as last by service',
].join(' | ');

/** Derives the circuits of the workers from what they logged in the last 24 hours. */
export const readCircuits = async (logs: Pick<LogService, 'search'>, nowMs: number): Promise<CircuitStatus[]> => {
  const period = { since: new Date(nowMs - periodMs), until: new Date(nowMs), limit: maxRows };
  const [opened, succeeded] = await Promise.all([logs.search(openings, period), logs.search(successes, period)]);
  return workerNames.map((worker) => {
    const ofWorker = (rows: typeof opened) =>
      rows.filter((row) => row.get('service') === worker).map((row) => parseLogTime(row.get('last') ?? '').getTime());
    const lastSuccessMs = Math.max(Number.NEGATIVE_INFINITY, ...ofWorker(succeeded));
    const sinceSuccess = ofWorker(opened).filter((openedMs) => openedMs > lastSuccessMs);
    const isOpen = sinceSuccess.some((openedMs) => nowMs - openedMs <= reportsEveryMs);
    return { worker, isOpen, openSince: isOpen ? new Date(Math.min(...sinceSuccess)) : undefined };
  });
};
