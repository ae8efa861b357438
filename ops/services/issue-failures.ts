import type { LogService } from './logs';
import { parseLogTime } from './order-log/lines';

/** Failures of an issue in each of the last 24 hours, the oldest first. */
export type FailuresByHour = ReadonlyMap<string, readonly number[]>;

const hourMs = 3_600_000;
const hours = 24;
const maxRows = 10_000;
const query = [
  'filter message = "order failed for good" and ispresent(issue_id)',
  'stats count(*) as failures by issue_id, bin(1h) as hour',
].join(' | ');

/** Counts the failures of every issue by hour, from the log lines. */
export const readFailuresByHour = async (logs: Pick<LogService, 'search'>, nowMs: number): Promise<FailuresByHour> => {
  const firstHourMs = (Math.floor(nowMs / hourMs) - hours + 1) * hourMs;
  const rows = await logs.search(query, { since: new Date(firstHourMs), until: new Date(nowMs), limit: maxRows });
  const failures = new Map<string, number[]>();
  for (const row of rows) {
    const issueId = row.get('issue_id') ?? '';
    const counts = failures.get(issueId) ?? new Array<number>(hours).fill(0);
    failures.set(issueId, counts);
    const hour = (parseLogTime(row.get('hour') ?? '').getTime() - firstHourMs) / hourMs;
    if (hour in counts) counts[hour] = Number(row.get('failures'));
  }
  return failures;
};
