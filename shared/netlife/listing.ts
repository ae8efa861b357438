import type { ZodType } from 'zod';
import { badAnswer } from './bad-answer';
import { reasonOf, uuidOf } from './schemas';
import type { RejectedRow } from './tally';

/** The schema of a list's rows, and how a row that cannot be read is reported. */
export interface Listing<T> {
  readonly schema: ZodType<T>;
  readonly list: RejectedRow['list'];
  readonly job?: string | undefined;
  /** Reported instead of the row's own uuid. */
  readonly subject?: string | undefined;
  /** A reason to report a row that can be read, and is used. */
  readonly faultOf?: ((row: T) => string | undefined) | undefined;
  /** The list's last try may take 120 s. */
  readonly slow?: boolean | undefined;
}

/**
 * Maximum number of rows to report. A response with more is not treated as a list, since the report would fill the
 * memory.
 */
const maxRejected = 5_000;

/**
 * Yields the rows that can be read. The others, and rows with a fault, are reported at the end, unless reading the list
 * failed.
 *
 * @throws {PipelineError} `BAD_ANSWER`, permanent, if over 5,000 rows must be reported; and what `rows` throws
 */
export async function* readRows<T>(
  rows: AsyncIterable<unknown>,
  { portal, schema, list, job, subject, faultOf }: Listing<T> & { readonly portal: string },
  onRejected: (rejected: readonly RejectedRow[]) => void,
): AsyncGenerator<T, void, undefined> {
  const rejected: RejectedRow[] = [];
  let position = 0;
  try {
    for await (const row of rows) {
      position++;
      const parsed = schema.safeParse(row);
      const reason = parsed.success ? faultOf?.(parsed.data) : reasonOf(parsed.error);
      if (reason !== undefined) {
        if (rejected.length === maxRejected) {
          throw badAnswer(`More than ${maxRejected} rows of a list cannot be read`);
        }
        rejected.push({ portal, job_uuid: job, list, uuid: subject ?? uuidOf(row), position, reason });
      }
      if (parsed.success) yield parsed.data;
    }
  } catch (error) {
    // The caller reads the whole list again.
    rejected.length = 0;
    throw error;
  } finally {
    onRejected(rejected);
  }
}

/**
 * Reads a response that is not a list. @throws {PipelineError} `BAD_ANSWER`, permanent, with the faults and no values
 */
export const readResponse = <T>(schema: ZodType<T>, response: unknown, what: string): T => {
  const parsed = schema.safeParse(response);
  if (parsed.success) return parsed.data;
  throw badAnswer(`The ${what} cannot be read: ${reasonOf(parsed.error)}`);
};
