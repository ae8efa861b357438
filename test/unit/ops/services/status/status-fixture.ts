import type { WaitingOrder } from '../../../../../ops/services/order-log/order-log';
import { isOpenOrder, type Tries } from '../../../../../ops/services/order-log/tries';
import type { Status } from '../../../../../ops/services/status/status';
import { orderItem } from '../order-log/order-lines';

export const at = new Date('2026-01-31T12:00:00Z');
export const minutesAgo = (minutes: number): Date => new Date(at.getTime() - minutes * 60_000);

const hour = { webhooks: 120, refused: 0, downloaded: 118, processed: 117, failed: 0 };

/** A stage that is well, with other parts. */
export const statusOf = (changes: Partial<Status> = {}): Status => ({
  stage: 'prod',
  at,
  activity: {
    value: {
      lastHour: hour,
      hourBefore: hour,
      sameHourYesterday: hour,
      bins: [],
      perMinute: { download: 2, processing: 2 },
    },
  },
  queues: {
    value: (['download', 'processing'] as const).map((worker) => ({
      worker,
      waiting: 0,
      inFlight: 0,
      delayed: 0,
      deadLetters: 0,
    })),
  },
  waiting: { value: [] },
  issues: { value: [] },
  refusedBodies: { value: 0 },
  circuits: {
    value: (['download', 'processing'] as const).map((worker) => ({ worker, isOpen: false, openSince: undefined })),
  },
  alarms: { value: { total: 41, raised: [], silent: [] } },
  disabledWorkers: { value: [] },
  schedules: { value: { on: ['reconciler', 'sync'], off: [] } },
  pauses: { value: [] },
  syncs: { value: { running: [], last: { name: 'nightly-1', status: 'SUCCEEDED', endedAt: minutesAgo(580) } } },
  lastPass: {
    value: { endedAt: minutesAgo(40), known: 300, missing: 0, drifted: 0, stuck: 0, inFlight: 2 },
  },
  releases: { value: [{ version: '1.0.0', commit: 'abcdef0123', functions: ['webhook', 'download'] }] },
  ...changes,
});

/** An order that waits for download since then. */
export const waitingSince = (id: string, minutes: number, tries: Partial<Tries> = {}): WaitingOrder => {
  const order = orderItem({ order_id: id, notified_at: minutesAgo(minutes).toISOString() });
  if (!isOpenOrder(order)) throw new Error('The order is not open');
  return {
    order,
    tries: {
      worker: 'download',
      attempts: 0,
      receives: 0,
      lastReceive: undefined,
      lastFailure: undefined,
      isHeldByCircuit: false,
      nextAttemptAt: undefined,
      ...tries,
    },
  };
};

/** What was tried for an order that waits behind an open circuit. */
export const heldByCircuit = (nextAttemptAt: Date): Partial<Tries> => ({
  attempts: 3,
  receives: 2,
  lastFailure: {
    at: minutesAgo(20),
    code: 'API_UNAVAILABLE',
    error: 'Qualia answered 503',
    api: 'qualia',
    statusCode: 503,
  },
  isHeldByCircuit: true,
  nextAttemptAt,
});
