import type { SourceRow } from './rows';

/** Which users a run is about. */
export interface UserQuery {
  readonly plan: string;
  /** At least one. */
  readonly pages: readonly string[];
  /** `YYYY-MM-DD HH:mm:ss`, UTC: the earliest view that counts. */
  readonly cutoff: string;
  /** At most so many users; 0 is no limit. */
  readonly limit: number;
  /** Only customers after this one: where an earlier reading stopped. */
  readonly afterId?: string | undefined;
}

/** Where the users come from. */
export interface UserSource {
  /**
   * One row a customer, by customer id, with the latest view of one of the pages. Rows stream: however many, few are in
   * memory. A connection that is lost is made anew, and the reading goes on after the last row given.
   *
   * @throws {PipelineError} `CONNECTION_FAULT`: retryable when the database could not be reached, permanent when it
   * refused the query or the sign-in
   */
  rows(query: UserQuery): AsyncIterable<SourceRow>;
}

const dayMs = 24 * 3_600_000;

/** The start of the day (UTC) so many days ago. */
export const cutoffOf = (nowMs: number, days: number): string =>
  `${new Date(nowMs - days * dayMs).toISOString().slice(0, 10)} 00:00:00`;

/** Runs unchanged on MySQL 8, MariaDB 10.11 and SQLite. */
const textFor = (pages: number): string => `
SELECT id, email, first_name, last_name, plan_type, candidate, page, device, browser, location, event_time
FROM (
  SELECT c.id, c.email, c.first_name, c.last_name, c.plan_type, c.candidate,
         v.page, v.device, v.browser, v.location, v.event_time,
         ROW_NUMBER() OVER (PARTITION BY c.id ORDER BY v.event_time DESC, v.id DESC) AS recency
  FROM customers c
  JOIN page_views v ON v.user_id = c.id
  WHERE c.plan_type = ? AND c.id > ? AND v.event_time >= ? AND v.page IN (${Array(pages).fill('?').join(', ')})
) AS latest
WHERE recency = 1
ORDER BY id
LIMIT ?`;

/** A query with its parameters, in the order of its placeholders. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly (string | bigint)[];
}

export const statementOf = ({ plan, pages, cutoff, limit, afterId = '0' }: UserQuery): Statement => ({
  sql: textFor(pages.length),
  parameters: [plan, BigInt(afterId), cutoff, ...pages, BigInt(limit === 0 ? Number.MAX_SAFE_INTEGER : limit)],
});
