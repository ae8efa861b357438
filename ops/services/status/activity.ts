import type { WorkerName } from '../../../shared/orders/order';
import type { LogRow, LogService, SearchPeriod } from '../logs';
import { parseLogTime } from '../order-log/lines';

/** What happened to webhooks and orders in an hour, counted by log lines. */
export interface Activity {
  readonly webhooks: number;
  readonly refused: number;
  readonly downloaded: number;
  readonly processed: number;
  readonly failed: number;
}

/** The last hour, compared. */
export interface ActivityReport {
  readonly lastHour: Activity;
  readonly hourBefore: Activity;
  readonly sameHourYesterday: Activity;
  /** The last hour in bins of five minutes, the oldest first. The first and the last bin are not complete. */
  readonly bins: readonly Activity[];
  /** Orders that each worker completed per minute, over the last ten minutes. */
  readonly perMinute: Readonly<Record<WorkerName, number>>;
}

const messages: Readonly<Record<string, keyof Activity>> = {
  'webhook accepted': 'webhooks',
  'webhook refused': 'refused',
  'order downloaded': 'downloaded',
  'order processed': 'processed',
  'order failed for good': 'failed',
};

const hourMs = 3_600_000;
const rateBins = 2;
const binMs = 300_000;

const query = [
  `filter message in [${Object.keys(messages)
    .map((message) => `"${message}"`)
    .join(', ')}]`,
  'stats count(*) as lines by message, bin(5m) as five_minutes',
].join(' | ');
const maxRows = 1_000;

const countOf = (rows: readonly LogRow[]): Activity => {
  const counts = { webhooks: 0, refused: 0, downloaded: 0, processed: 0, failed: 0 };
  for (const row of rows) {
    const name = messages[row.get('message') ?? ''];
    if (name !== undefined) counts[name] += Number(row.get('lines'));
  }
  return counts;
};

/** Counts the last hour, the hour before it, and the same hour of the day before. */
export const readActivity = async (logs: Pick<LogService, 'search'>, nowMs: number): Promise<ActivityReport> => {
  const search = ({ since, until }: SearchPeriod) => logs.search(query, { since, until, limit: maxRows });
  // The period of a query includes both of its ends.
  const hourUntil = (untilMs: number) =>
    search({ since: new Date(untilMs - hourMs + 1_000), until: new Date(untilMs) });
  const [last, before, yesterday] = await Promise.all([
    hourUntil(nowMs),
    hourUntil(nowMs - hourMs),
    hourUntil(nowMs - 24 * hourMs),
  ]);
  const rateSinceMs = Math.floor(nowMs / binMs - rateBins) * binMs;
  const startOf = (row: LogRow): number => parseLogTime(row.get('five_minutes') ?? '').getTime();
  const recent = countOf(last.filter((row) => startOf(row) >= rateSinceMs));
  const firstBinMs = Math.floor((nowMs - hourMs) / binMs) * binMs;
  const bins = Array.from({ length: hourMs / binMs + 1 }, (_, index) =>
    countOf(last.filter((row) => startOf(row) === firstBinMs + index * binMs)),
  );
  const minutes = (nowMs - rateSinceMs) / 60_000;
  return {
    lastHour: countOf(last),
    hourBefore: countOf(before),
    sameHourYesterday: countOf(yesterday),
    bins,
    perMinute: { download: recent.downloaded / minutes, processing: recent.processed / minutes },
  };
};
