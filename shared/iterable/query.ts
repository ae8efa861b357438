import { type SourceColumn, type SourceRow, sourceColumns } from './rows';

/** Selects the users of a run. */
export interface UserQuery {
  readonly plan: string;
  /** At least one. */
  readonly pages: readonly string[];
  /** Time of the earliest view that counts: `YYYY-MM-DD HH:mm:ss`, UTC. */
  readonly cutoff: string;
  /** Maximum number of users; 0 means no limit. */
  readonly limit: number;
  /** Only customers after this one, at which an earlier read stopped. */
  readonly afterId?: string | undefined;
}

/** A source of users. */
export interface UserSource {
  /**
   * One row per customer, ordered by customer id, with the latest view of one of the pages. Rows are streamed: memory
   * does not grow with their number. After a lost connection it reconnects and resumes after the last row.
   *
   * @throws {PipelineError} `CONNECTION_FAULT`: retryable if the database could not be reached, permanent if it refused
   * the query or the login
   */
  rows(query: UserQuery): AsyncIterable<SourceRow>;

  /**
   * The id and e-mail address of customers that still exist, ordered by id; all other columns are null.
   *
   * @param ids at most a few thousand
   * @throws {PipelineError} as `rows`
   */
  leavers(ids: readonly string[]): AsyncIterable<SourceRow>;

  /**
   * The plan of a customer and the time of the latest view of one of the pages; all other columns except the id are
   * null. No row if there is no such customer.
   *
   * @param pages at least one
   * @throws {PipelineError} as `rows`
   */
  customer(id: string, pages: readonly string[]): AsyncIterable<SourceRow>;

  /**
   * The columns, such as `customers.email`, that `rows` needs and that the database lacks or our user is not allowed to
   * read. Reads no row.
   *
   * @throws {PipelineError} as `rows`, if the query is refused for another reason
   */
  missingColumns(): Promise<readonly string[]>;
}

const dayMs = 24 * 3_600_000;

/** Start of the day (UTC) this many days ago. */
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

/** The columns that the query reads, by table. */
export const queriedColumns = {
  customers: ['id', 'email', 'first_name', 'last_name', 'plan_type', 'candidate'],
  page_views: ['id', 'user_id', 'page', 'device', 'browser', 'location', 'event_time'],
} as const;

const nothingBut = (...columns: readonly SourceColumn[]): string =>
  sourceColumns
    .filter((column) => !columns.includes(column))
    .map((column) => `NULL AS ${column}`)
    .join(', ');

/** SQL, with parameters in the order of its placeholders. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly (string | bigint)[];
}

export const statementOf = ({ plan, pages, cutoff, limit, afterId = '0' }: UserQuery): Statement => ({
  sql: textFor(pages.length),
  parameters: [plan, BigInt(afterId), cutoff, ...pages, BigInt(limit === 0 ? Number.MAX_SAFE_INTEGER : limit)],
});

/** The query of a run, without a row. The database still checks the tables, the columns and our rights. */
export const emptyStatement: Statement = { sql: textFor(1), parameters: ['pro', 0n, '1970-01-01 00:00:00', '', 0n] };

/** Reads one column, without a row. */
export const columnStatement = (table: keyof typeof queriedColumns, column: string): Statement => ({
  sql: `SELECT ${column} FROM ${table} LIMIT 0`,
  parameters: [],
});

export const leaversStatement = (ids: readonly string[]): Statement => ({
  sql: `SELECT id, email, ${nothingBut('id', 'email')} FROM customers WHERE id IN (${ids.map(() => '?').join(', ')}) ORDER BY id`,
  parameters: ids.map(BigInt),
});

export const customerStatement = (id: string, pages: readonly string[]): Statement => ({
  sql: `
SELECT c.id, c.plan_type,
       (SELECT MAX(v.event_time) FROM page_views v
        WHERE v.user_id = c.id AND v.page IN (${pages.map(() => '?').join(', ')})) AS event_time,
       ${nothingBut('id', 'plan_type', 'event_time')}
FROM customers c WHERE c.id = ?`,
  parameters: [...pages, BigInt(id)],
});
