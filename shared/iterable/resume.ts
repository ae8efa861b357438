import { setTimeout as sleepFor } from 'node:timers/promises';
import { PipelineError } from '../errors';
import type { UserQuery } from './query';
import type { SourceRow } from './rows';

/** How often in a row a connection may be lost before a row came. */
const lossesBorne = 5;
const baseWaitMs = 500;

/** After these, the same query may go through on a new connection. */
const lostConnection = [
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'ER_CLIENT_INTERACTION_TIMEOUT',
  'ER_CONNECTION_KILLED',
  'ER_CON_COUNT_ERROR',
  'ER_SERVER_SHUTDOWN',
  'PROTOCOL_CONNECTION_LOST',
];

const accessDenied = 'ER_ACCESS_DENIED_ERROR';

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : 'unknown');

export interface ResumeOptions {
  readonly sleep?: (ms: number) => Promise<unknown>;
  /** Fetches the credential anew. @returns whether it is another; then a sign-in that was denied is made once more */
  readonly renewCredential?: () => Promise<boolean>;
}

/**
 * Reads rows, and when the connection is lost goes on after the last customer given: after 1 s, 2 s, up to 16 s.
 *
 * @param read reads the rows of a query, on a connection of its own
 * @throws {PipelineError} `CONNECTION_FAULT`: retryable when no connection lasted, permanent for any other fault. Without
 * the driver's own error, whose message names user and host of the database
 */
export async function* resumeWhenLost(
  query: UserQuery,
  read: (query: UserQuery) => AsyncIterable<SourceRow>,
  { sleep = sleepFor, renewCredential = async () => false }: ResumeOptions = {},
): AsyncGenerator<SourceRow> {
  let { afterId } = query;
  let given = 0;
  let losses = 0;
  while (query.limit === 0 || given < query.limit) {
    try {
      const limit = query.limit === 0 ? 0 : query.limit - given;
      for await (const row of read({ ...query, afterId, limit })) {
        yield row;
        afterId = row.id ?? afterId;
        given += 1;
        losses = 0;
      }
      return;
    } catch (error) {
      const code = codeOf(error);
      if (code === accessDenied && (await renewCredential())) continue;
      const lost = lostConnection.includes(code);
      losses += 1;
      if (!lost || losses > lossesBorne) {
        const message = lost ? 'The database cannot be reached' : 'The database refused the query';
        throw new PipelineError('CONNECTION_FAULT', `${message}: ${code}`, { retryable: lost });
      }
      await sleep(baseWaitMs * 2 ** losses);
    }
  }
}
