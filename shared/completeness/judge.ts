import type { Order, OrderId } from '../orders/order';
import { type OrderOrUnreadable, unreadable } from '../orders/queries';

/** An order in a pass. */
export interface Entry {
  readonly orderId: OrderId;
  /** Status fingerprint for the next pass to compare with, if Qualia provided one. */
  readonly fingerprint: string | undefined;
  /** Fingerprint at the last pass, if this pass found another one. */
  readonly previous?: string | undefined;
  /** When a pass found that the order had left the open set, epoch ms. Absent while the order is open. */
  readonly leftAtMs?: number | undefined;
  /**
   * When the reconciler last started a round for the order while it was in flight, epoch ms: `notified_at` is older.
   */
  readonly startedAtMs?: number | undefined;
  /** When a pass last found that nothing remained to be done for an order that had left, epoch ms. */
  readonly settledAtMs?: number | undefined;
}

/**
 * Why an order needs a round (docs/contracts/qualia.md, section 3). `unchecked`: its last check is too old. `unreadable`:
 * its item is not an order of this release, and a new round writes it anew.
 */
export type Reason = 'missing' | 'unreadable' | 'stuck' | 'drifted' | 'left' | 'unchecked';

export interface Verdict {
  readonly reason?: Reason;
  /** Qualia certainly changed the order after we read it there, and no webhook has reported that. */
  readonly isLost: boolean;
  /** Of an order that left the open set: nothing remains to be done. */
  readonly isSettled: boolean;
}

export interface PassTimes {
  readonly nowMs: number;
  /** When the walk through the list ended: every fingerprint is of an earlier status. */
  readonly walkedAtMs: number;
  /** When the last pass began to read the list: every earlier fingerprint is of a later status. */
  readonly lastPassAtMs: number | undefined;
}

/** An order that has been in flight for longer than this may have lost its message. */
export const stuckAfterMs = 15 * 60_000;

/** Every open order has a time to be checked once in this period. */
const checkPeriodMs = 20 * 3_600_000;
/**
 * An order that was checked shortly before its time is checked at the next one, within 22 hours: 2 less than promised.
 */
const checkValidMs = 2 * 3_600_000;

/** How long an order that left and is settled is remembered. */
const rememberedMs = 24 * 3_600_000;
/** An order that left is settled after a minute at the earliest. */
const soonestSettledMs = 60_000;

/**
 * Whether a pass has to look at an order. One that left and is settled is checked again after three times as long as it took
 * to settle, and so on: a late webhook may start a round whose message is lost, and no list names the order any more. In a
 * day, that is three reads.
 */
export const isToBeChecked = ({ leftAtMs, settledAtMs }: Entry, nowMs: number): boolean =>
  leftAtMs === undefined ||
  settledAtMs === undefined ||
  nowMs - leftAtMs >= 3 * Math.max(settledAtMs - leftAtMs, soonestSettledMs);

/** Whether the next pass need not know an order that is settled now. */
export const isForgotten = ({ leftAtMs }: Entry, nowMs: number): boolean =>
  leftAtMs !== undefined && nowMs - leftAtMs >= rememberedMs;

const parse = (time: string | undefined): number | undefined => (time === undefined ? undefined : Date.parse(time));

/** A number that depends on the id alone, spread evenly over 32 bits: FNV-1a, then the last steps of MurmurHash3. */
const hashOf = (orderId: OrderId): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < orderId.length; index++) {
    hash = Math.imul(hash ^ orderId.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
};

/**
 * When an order that was checked then is to be checked again: from 2 to 22 hours later. Every order has a time of its own,
 * so that orders that were checked at once, for example after an outage, are spread evenly from then on.
 */
export const recheckAtMs = (orderId: OrderId, checkedAtMs: number): number => {
  const earliestMs = checkedAtMs + checkValidMs;
  const ownTimeMs = Math.floor((hashOf(orderId) / 2 ** 32) * checkPeriodMs);
  const sinceOwnTimeMs = (earliestMs - ownTimeMs) % checkPeriodMs;
  return earliestMs + ((checkPeriodMs - sinceOwnTimeMs) % checkPeriodMs);
};

/** The `notification_type` of the rounds that the reconciler starts. */
export const reconciliation = 'reconciliation';

/** The newest round began at this time or later, epoch ms. */
const roundBeganAtMs = (order: Order, { startedAtMs = 0 }: Pick<Entry, 'startedAtMs'>): number =>
  Math.max(Date.parse(order.notified_at), startedAtMs);

/** Whether the payload was downloaded in the newest round. A replay of stored bytes names those of an earlier one. */
const isOwnPayload = (order: Order): boolean =>
  !('s3_key' in order) || order.s3_key === undefined || order.s3_key.endsWith(`/${order.round}.json`);

/**
 * The round shows Qualia's state at this time or later, epoch ms: its download began then, or is still to begin.
 *
 * @returns undefined if that is unknown
 */
export const readAtQualiaMs = (order: Order, entry: Pick<Entry, 'startedAtMs'> = {}): number | undefined => {
  if (order.status === 'NOTIFIED') return roundBeganAtMs(order, entry);
  return parse(order.download_started_at) ?? (isOwnPayload(order) ? roundBeganAtMs(order, entry) : undefined);
};

/** When the order was last compared with Qualia, epoch ms; undefined if that is unknown. */
export const checkedAtMs = (order: Order): number | undefined => {
  if (order.status === 'NOTIFIED') return undefined;
  const beganAtMs = parse(order.download_started_at);
  const downloadedAtMs = isOwnPayload(order) ? parse(order.downloaded_at) : undefined;
  const readAtMs = Math.min(beganAtMs ?? Number.POSITIVE_INFINITY, downloadedAtMs ?? Number.POSITIVE_INFINITY);
  const failedAtMs = order.status === 'FAILED' ? Date.parse(order.failed_at) : Number.NEGATIVE_INFINITY;
  const latestMs = Number.isFinite(readAtMs) ? Math.max(readAtMs, failedAtMs) : failedAtMs;
  return Number.isFinite(latestMs) ? latestMs : undefined;
};

export const isInFlight = (order: Order): boolean => order.status === 'NOTIFIED' || order.status === 'DOWNLOADED';

/**
 * Whether an order in flight may have lost its message. After each round that the reconciler starts for it, the order
 * gets as much time as it has been in flight before: during a long outage of an API that is a few rounds, not one an hour.
 */
export const isStuck = (order: Order, entry: Pick<Entry, 'startedAtMs'>, nowMs: number): boolean => {
  if (!isInFlight(order) || (parse(order.not_before) ?? 0) > nowMs) return false;
  const beganAtMs = roundBeganAtMs(order, entry);
  return nowMs - beganAtMs > Math.max(stuckAfterMs, beganAtMs - Date.parse(order.notified_at));
};

/** Decides whether an order needs a round. */
export const judge = (entry: Entry, order: OrderOrUnreadable | undefined, times: PassTimes): Verdict => {
  const { nowMs, walkedAtMs, lastPassAtMs } = times;
  const needs = (reason: Reason, isLost = false): Verdict => ({ reason, isLost, isSettled: false });
  if (order === undefined) return needs('missing', true);
  if (order === unreadable) return needs('unreadable');

  const readAtMs = readAtQualiaMs(order, entry);
  const isReadSince = (ms: number): boolean => readAtMs !== undefined && readAtMs >= ms;
  const isLost = readAtMs !== undefined && lastPassAtMs !== undefined && readAtMs < lastPassAtMs;
  const { leftAtMs } = entry;
  if (leftAtMs !== undefined && !isReadSince(leftAtMs)) return needs('left', isLost);
  if (entry.previous !== undefined && !isReadSince(walkedAtMs)) return needs('drifted', isLost);
  if (isStuck(order, entry, nowMs)) return needs('stuck');
  if (isInFlight(order) || leftAtMs !== undefined) {
    return { isLost: false, isSettled: leftAtMs !== undefined && !isInFlight(order) };
  }
  const lastCheckMs = checkedAtMs(order);
  const isDue = lastCheckMs === undefined || nowMs >= recheckAtMs(entry.orderId, lastCheckMs);
  return isDue ? needs('unchecked') : { isLost: false, isSettled: false };
};
