import type { ZodType } from 'zod';
import { badAnswer } from './bad-answer';
import { reasonOf, uuidOf } from './schemas';
import type { RejectedRow } from './tally';

/** What the rows of a list are, and how one that cannot be read is reported. */
export interface Listing<T> {
  readonly schema: ZodType<T>;
  readonly list: RejectedRow['list'];
  readonly job?: string | undefined;
  /** Reported in place of the row's own uuid. */
  readonly subject?: string | undefined;
  /** The list's last try may take 120 s. */
  readonly slow?: boolean | undefined;
}

/** A list of which more cannot be read is none: what it says would fill the memory, and nobody would read it. */
const mostRejected = 5_000;

/**
 * The rows that can be read; the others are reported at the end, unless the list could not be had.
 *
 * @throws {PipelineError} `BAD_ANSWER`, permanent, when over 5,000 rows cannot be read; and what `rows` throws
 */
export async function* readRows<T>(
  rows: AsyncIterable<unknown>,
  { portal, schema, list, job, subject }: Listing<T> & { readonly portal: string },
  onRejected: (rejected: readonly RejectedRow[]) => void,
): AsyncGenerator<T, void, undefined> {
  const rejected: RejectedRow[] = [];
  let position = 0;
  try {
    for await (const row of rows) {
      position++;
      const parsed = schema.safeParse(row);
      if (parsed.success) yield parsed.data;
      else {
        if (rejected.length === mostRejected) {
          throw badAnswer(`More than ${mostRejected} rows of a list cannot be read`);
        }
        const [uuid, reason] = [subject ?? uuidOf(row), reasonOf(parsed.error)];
        rejected.push({ portal, job_uuid: job, list, uuid, position, reason });
      }
    }
  } catch (error) {
    // The caller will ask for the whole list again.
    rejected.length = 0;
    throw error;
  } finally {
    onRejected(rejected);
  }
}

/** An answer that is no list. @throws {PipelineError} `BAD_ANSWER`, permanent, with what is wrong and no value */
export const readAnswer = <T>(schema: ZodType<T>, answer: unknown, what: string): T => {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw badAnswer(`The ${what} cannot be read: ${reasonOf(parsed.error)}`);
};
