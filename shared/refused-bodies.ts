import type { describeIssues } from './schema';

/** Prefix of refused webhook bodies in the raw bucket. A lifecycle rule deletes its objects 30 days after their write. */
export const refusedPrefix = 'refused/';

/** The key of a refused body. */
export const refusedKey = (id: string): string => `${refusedPrefix}${id}.json`;

/** The object of a body of an authenticated sender that the webhook refused with 422. */
export interface RefusedBody {
  /** ISO 8601 UTC. */
  readonly received_at: string;
  /** The request of the webhook that refused it. */
  readonly request_id: string;
  /** Why it was refused: path and message of each fault, never a value. */
  readonly details: readonly ReturnType<typeof describeIssues>[number][];
  /** As it was received. A body that is not UTF-8 is refused before. */
  readonly body: string;
}
