import { createHash, randomBytes } from 'node:crypto';
import { formatInstant, type Instant } from '../time';
import type { Round } from './order';

const msDigits = 15;
const maxMs = 10 ** msDigits - 1;
const subMsDigits = 6;

const round = (ms: number, suffix: string): Round =>
  `${String(Math.min(Math.max(Math.trunc(ms), 0), maxMs)).padStart(msDigits, '0')}-${suffix}` as Round;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const randomSuffix = (): string => randomBytes(6).toString('hex');

const longestOccurrence = 40;

/**
 * A notification's timestamp as it is stored in the order's item: ISO 8601 UTC. A very long fraction is cut and hashed,
 * so that different timestamps stay different and the item stays small.
 */
export const occurrenceOf = (occurredAt: Instant): string => {
  const text = formatInstant(occurredAt);
  return text.length <= longestOccurrence ? text : `${text.slice(0, 30)}~${sha256(text).slice(0, 9)}`;
};

/**
 * The round of a notification, derived from its type and timestamp alone, so that the same notification always yields
 * the same round. The suffix is six digits below the millisecond, then six hex digits of a hash.
 */
export const roundOfEvent = (occurredAt: Instant, notificationType: string): Round => {
  const digits = occurredAt.subMsDigits.slice(0, subMsDigits).padEnd(subMsDigits, '0');
  const hash = createHash('sha256')
    .update(`${notificationType} ${formatInstant(occurredAt)}`)
    .digest('hex');
  return round(occurredAt.ms, digits + hash.slice(0, 6));
};

/** A round for a request without a time of its own: an activity, a replay, a reconciliation. */
export const roundOfArrival = (arrivedAtMs: number): Round => round(arrivedAtMs, randomSuffix());

/** A round that is newer than `previous`, even if the clocks differ. */
export const roundAfter = (previous: Round, nowMs: number): Round =>
  round(Math.max(nowMs, roundStartMs(previous) + 1), randomSuffix());

/** The time that a round sorts by, epoch ms. */
export const roundStartMs = (of: Round): number => Number(of.slice(0, msDigits));
