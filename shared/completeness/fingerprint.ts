import { createHash } from 'node:crypto';

/** What Qualia shows of an order's status, in its list of open orders and in the order itself. */
export interface StatusFields {
  readonly status?: unknown;
  readonly status_details?: unknown;
}

const normalize = (value: unknown): unknown =>
  typeof value === 'string' ? value.trim().toLowerCase().replaceAll(/\s+/g, '_') : value;

const detailsOf = (details: unknown): readonly (readonly [string, unknown])[] =>
  typeof details === 'object' && details !== null
    ? Object.entries(details)
        .filter(([, value]) => value !== null && value !== undefined)
        .sort(([a], [b]) => (a < b ? -1 : 1))
    : [];

/**
 * Fingerprint of an order's status: 12 characters (72 bits of SHA-256), equal for equal statuses. The case of `status`,
 * the order of `status_details` and its nulls make no difference.
 *
 * @returns undefined if there are no status fields
 */
export const fingerprintOf = ({ status, status_details }: StatusFields): string | undefined => {
  const details = detailsOf(status_details);
  if ((status === null || status === undefined) && details.length === 0) return undefined;
  const text = JSON.stringify([normalize(status) ?? null, details]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 12);
};
