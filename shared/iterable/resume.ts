import { setTimeout as sleepFor } from 'node:timers/promises';
import { PipelineError } from '../errors';
import type { UserQuery } from './query';
import type { SourceRow } from './rows';

/** Maximum number of lost connections in a row without a row in between. */
const maxLosses = 5;
const baseWaitMs = 500;

/** After these errors, the same query may succeed on a new connection. */
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

/** The part of a query by which it is resumed. */
export type Resumable = Pick<UserQuery, 'limit' | 'afterId'>;

export interface ResumeOptions {
  readonly sleep?: (ms: number) => Promise<unknown>;
  /** Fetches the credential again. @returns whether it changed; a denied login is then tried once more */
  readonly renewCredential?: () => Promise<boolean>;
}

/**
 * Reads rows. After a lost connection it waits 1 s, 2 s, up to 16 s, and resumes after the last customer.
 *
 * @param read reads the rows of a query, on its own connection
 * @throws {PipelineError} `CONNECTION_FAULT`: retryable if every connection was lost, permanent for any other fault.
 * Without the driver's error, whose message names the user and host of the database
 */
export async function* resumeWhenLost<Query extends Resumable>(
  query: Query,
  read: (query: Query) => AsyncIterable<SourceRow>,
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
      if (!lost || losses > maxLosses) {
        const message = lost ? 'The database cannot be reached' : 'The database refused the query';
        throw new PipelineError('CONNECTION_FAULT', `${message}: ${code}`, { retryable: lost });
      }
      await sleep(baseWaitMs * 2 ** losses);
    }
  }
}
