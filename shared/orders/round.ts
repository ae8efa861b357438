import { randomBytes } from 'node:crypto';
import type { Round } from './order';

const msDigits = 15;
const maxMs = 10 ** msDigits - 1;

const round = (ms: number, tail: string): Round =>
  `${String(Math.min(Math.max(Math.trunc(ms), 0), maxMs)).padStart(msDigits, '0')}-${tail}` as Round;

const randomTail = (): string => randomBytes(6).toString('hex');

/** The round of a notification that names its time: always the same for the same time, so that a repeat is seen. */
export const roundOfEvent = (occurredAtMs: number): Round => round(occurredAtMs, '0'.repeat(12));

/** A round for what arrives without a time: an activity, a replay, a reconciliation. */
export const roundOfArrival = (arrivedAtMs: number): Round => round(arrivedAtMs, randomTail());

/** A round that is newer than `previous`, whatever the clocks say. */
export const roundAfter = (previous: Round, nowMs: number): Round =>
  round(Math.max(nowMs, Number(previous.slice(0, msDigits)) + 1), randomTail());
