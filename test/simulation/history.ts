import { createRandom } from '../../samples/random';
import { type Service, services } from './faults';
import { createLaterActions, type LaterAction } from './later-actions';

export const workers = ['webhook', 'download', 'processing', 'reconciler'] as const;
export type Worker = (typeof workers)[number];

/** One thing that happens in a history, at a time that its seed decides. */
export type Action =
  /** An order is created or changed at Qualia, which posts a webhook for it, several times if it is repeated. */
  | {
      readonly kind: 'change';
      readonly orderId: string;
      readonly delayMs: number;
      readonly copies: number;
      readonly format: 'activity' | 'milliseconds' | 'seconds';
    }
  | { readonly kind: 'crash' | 'freeze' | 'skew'; readonly worker: Worker; readonly ms: number }
  | { readonly kind: 'cut' | 'slow'; readonly service: Service; readonly ms: number }
  /** One API returns errors for one order. */
  | { readonly kind: 'poison'; readonly api: 'qualia' | 'internal'; readonly orderId: string; readonly ms: number }
  | { readonly kind: 'deploy' }
  | { readonly kind: 'pause'; readonly worker: 'download' | 'processing'; readonly ms: number }
  | { readonly kind: 'replay'; readonly orderId: string; readonly force: boolean }
  | { readonly kind: 'redrive' | 'reconcile' }
  | LaterAction;

type Change = Action & { readonly kind: 'change'; readonly atMs: number };

export interface History {
  readonly seed: number;
  readonly actions: readonly (Action & { readonly atMs: number })[];
  /** The share of calls that fail, from 0 to 1. */
  readonly faultShare: number;
  /** When the faults end, ms since its start. */
  readonly endsAtMs: number;
}

export interface HistoryOptions {
  readonly seed: number;
  /** Changes at Qualia. Each posts a webhook, or none, or several. */
  readonly webhooks: number;
  /** Virtual time until the faults end. */
  readonly minutes: number;
  /** Without the actions of `later-actions.ts`: the histories of the seeds that failed before there were any. */
  readonly isEarly?: boolean;
}

const changesPerOrder = 3;
/** Qualia's clock and ours may differ by two seconds (docs/contracts/qualia.md, "Same order, again"). */
const maxSkewMs = 900;

/** Makes the history of a seed. It decides what happens and when; the scheduler decides everything in between. */
export const createHistory = ({ seed, webhooks, minutes, isEarly = false }: HistoryOptions): History => {
  const random = createRandom(seed);
  const endsAtMs = minutes * 60_000;
  const orderCount = Math.max(1, Math.round(webhooks / changesPerOrder));
  const orderId = (): string => `QO-${random.integer(1, orderCount)}`;
  let last = { orderId: orderId(), atMs: 0 };

  /** Half of the changes follow another change of the same order, so that their rounds meet. */
  const change = (): Change => {
    const soonMs = random.integer(0, random.pick([500, 5_000, 60_000]));
    last = random.chance(0.5)
      ? { orderId: last.orderId, atMs: Math.min(endsAtMs, last.atMs + soonMs) }
      : { orderId: orderId(), atMs: random.integer(0, endsAtMs) };
    return {
      kind: 'change',
      ...last,
      delayMs: random.chance(0.1) ? random.integer(0, 120_000) : random.integer(0, 1_500),
      copies: random.pick([1, 1, 1, 1, 1, 1, 2, 2, 3, 0]),
      format: random.pick(['activity', 'milliseconds', 'seconds']),
    };
  };

  const changes = Array.from({ length: webhooks }, change);

  const disturbance = (): Action & { readonly atMs: number } => {
    const atMs = random.integer(0, endsAtMs);
    const { orderId: changed, atMs: changedAtMs } = random.pick(changes as [Change, ...Change[]]);
    const worker = random.pick(workers);
    const service = random.pick(services);
    const action = random.pick<Action>([
      { kind: 'crash', worker, ms: 0 },
      { kind: 'freeze', worker, ms: random.pick([5_000, 70_000, 400_000]) },
      { kind: 'skew', worker, ms: random.integer(-maxSkewMs, maxSkewMs) },
      { kind: 'cut', service, ms: random.pick([2_000, 20_000, 300_000]) },
      { kind: 'slow', service: random.pick([service, 'qualia', 'internal']), ms: random.pick([20_000, 120_000]) },
      {
        kind: 'poison',
        api: random.pick(['qualia', 'internal']),
        orderId: changed,
        ms: random.pick([60_000, 1_500_000]),
      },
      { kind: 'deploy' },
      { kind: 'pause', worker: random.pick(['download', 'processing']), ms: random.integer(1_000, 600_000) },
      { kind: 'replay', orderId: changed, force: random.chance(0.5) },
      { kind: 'redrive' },
      { kind: 'reconcile' },
    ]);
    // Around the time of the order's change.
    return 'orderId' in action ? { ...action, atMs: changedAtMs + random.integer(0, 2_000) } : { ...action, atMs };
  };

  const disturbancesPerMinute = random.pick([0.5, 1, 3, 6]);
  const disturbances = Array.from({ length: Math.ceil(minutes * disturbancesPerMinute) }, disturbance);
  const later = isEarly ? [] : createLaterActions({ seed, endsAtMs, orderCount });
  return {
    seed,
    actions: [...changes, ...disturbances, ...later].toSorted((a, b) => a.atMs - b.atMs),
    faultShare: random.pick([0, 0.01, 0.03, 0.1]),
    endsAtMs,
  };
};
