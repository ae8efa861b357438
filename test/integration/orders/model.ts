import type { OrderStatus } from '../../../shared/orders/order';

/** What an operator would tell apart: `EXHAUSTED` is FAILED because its receives ran out. */
export type Status = OrderStatus | 'EXHAUSTED';

/** How an API behaves while one batch is handled. */
export type Trouble = 'none' | 'passing' | 'lasting' | 'lost answers' | 'permanent';

/** An order as the model has it. `version` counts what Qualia makes of it, and is never taken back. */
export interface ModelOrder {
  readonly id: string;
  version: number;
  /** Versions that cannot be mapped. */
  readonly unmappable: Set<number>;
  round: string | undefined;
  status: Status | undefined;
  /** The version that each round downloaded first. */
  readonly kept: Map<string, number>;
  /** The version that the internal API took last, as far as we heard. */
  processed: number | undefined;
  /** Every version that the internal API has taken. */
  readonly taken: Set<number>;
}

export const newOrder = (id: string): ModelOrder => ({
  id,
  version: 0,
  unmappable: new Set(),
  round: undefined,
  status: undefined,
  kept: new Map(),
  processed: undefined,
  taken: new Set(),
});

/** One receive of a message, as far as the model minds. */
export interface ModelDelivery {
  readonly round: string;
  readonly isLast: boolean;
  readonly trouble: Trouble;
}

/** A round begins. @returns what its sender is told */
export const begin = (order: ModelOrder, round: string): 'queued' | 'duplicate' | 'stale' => {
  if (order.round !== undefined && round <= order.round) return round === order.round ? 'duplicate' : 'stale';
  order.round = round;
  order.status = 'NOTIFIED';
  return 'queued';
};

const isIn = (order: ModelOrder, round: string, ...statuses: readonly Status[]): boolean =>
  order.round === round && order.status !== undefined && statuses.includes(order.status);

/** A download message is handled to its end. */
export const download = (order: ModelOrder, { round, isLast, trouble }: ModelDelivery): void => {
  if (trouble === 'permanent') {
    if (isIn(order, round, 'NOTIFIED', 'EXHAUSTED')) order.status = 'FAILED';
  } else if (trouble === 'lasting' || trouble === 'lost answers') {
    if (isLast && isIn(order, round, 'NOTIFIED', 'DOWNLOADED', 'EXHAUSTED')) order.status = 'EXHAUSTED';
  } else {
    if (!order.kept.has(round)) order.kept.set(round, order.version);
    if (isIn(order, round, 'NOTIFIED', 'EXHAUSTED')) order.status = 'DOWNLOADED';
  }
};

/** A processing message is handled to its end. */
export const process = (order: ModelOrder, { round, isLast, trouble }: ModelDelivery): void => {
  if (!isIn(order, round, 'DOWNLOADED', 'EXHAUSTED')) return;
  const version = order.kept.get(round);
  if (version === undefined) throw new Error(`Round ${round} is processed, and nothing was downloaded`);
  if (order.unmappable.has(version)) {
    order.status = 'FAILED';
  } else if (order.processed === version) {
    order.status = 'PROCESSED';
  } else if (trouble === 'permanent') {
    order.status = 'FAILED';
  } else {
    if (trouble !== 'lasting') order.taken.add(version);
    if (trouble === 'none' || trouble === 'passing') {
      order.status = 'PROCESSED';
      order.processed = version;
    } else if (isLast) {
      order.status = 'EXHAUSTED';
    }
  }
};

const ways: Readonly<Record<Status, readonly Status[]>> = {
  NOTIFIED: ['DOWNLOADED', 'FAILED', 'EXHAUSTED'],
  DOWNLOADED: ['PROCESSED', 'FAILED', 'EXHAUSTED'],
  EXHAUSTED: ['DOWNLOADED', 'PROCESSED', 'FAILED'],
  PROCESSED: [],
  FAILED: [],
};

/** Where an order stands. */
export interface Standing {
  readonly round: string | undefined;
  readonly status: Status | undefined;
}

/** Whether an order may go from one standing to the other, by any number of steps: never back, and never to an older round. */
export const mayFollow = (before: Standing, after: Standing): boolean => {
  if (before.round === undefined || before.status === undefined) return true;
  if (after.round === undefined || after.status === undefined || after.round < before.round) return false;
  if (after.round > before.round || after.status === before.status) return true;
  const reachable = new Set<Status>(ways[before.status]);
  for (const status of reachable) for (const next of ways[status]) reachable.add(next);
  return reachable.has(after.status);
};
