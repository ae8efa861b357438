import { createHandler, type ReconcilerDependencies } from '../../lambdas/reconciler/handler';
import { isInFlight } from '../../shared/completeness/judge';
import { decodePass, encodePass, type PassName, type PassStore } from '../../shared/completeness/pass-store';
import { createLogger } from '../../shared/observability/logger';
import type { DownloadMessage } from '../../shared/orders/message';
import type { Order, OrderId } from '../../shared/orders/order';
import { type OrderOrUnreadable, unreadable } from '../../shared/orders/queries';
import type { RoundRequest, StartedRound } from '../../shared/orders/start-round';
import { lambdaContext } from './lambda-context';
import { type CapturedLogs, ownFields } from './logs';
import { recordMetrics } from './metrics';
import { orders, round } from './orders';

/** The result of a started round. */
export const queued: StartedRound = { outcome: 'queued', round: round(), status: 'NOTIFIED' };

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;

/** The number of orders in a page of a scan. */
const pageSize = 10;

/** Stores passes in memory, with versions as in S3. */
const createMemoryPasses = () => {
  const objects = new Map<PassName, { readonly bytes: Buffer; readonly etag: string }>();
  let versions = 0;
  const store: PassStore = {
    load: async (name) => {
      const found = objects.get(name);
      return found && { etag: found.etag, pass: decodePass(found.bytes) };
    },
    save: async (name, pass, etag) => {
      if (objects.get(name)?.etag !== etag) return undefined;
      const saved = { bytes: encodePass(pass), etag: `"version-${++versions}"` };
      objects.set(name, saved);
      return saved.etag;
    },
  };
  return { store, objects };
};

/** The event of a message in the reconciler's queue. */
export const continuation = (message: unknown) => ({
  Records: [{ eventSource: 'aws:sqs', body: typeof message === 'string' ? message : JSON.stringify(message) }],
});

/**
 * A reconciler with a list of open orders, a table and queues, which a test can change between passes. Its clock
 * advances by `advance` and by every wait.
 */
export const createReconcilerWorld = (overrides: Partial<ReconcilerDependencies> = {}) => {
  let nowMs = Date.parse('2026-01-05T12:00:00Z');
  let requests = 0;
  let passIds = 0;
  let metrics = recordMetrics();
  /** ID and status fingerprint of each open order, in Qualia's order. */
  const open = new Map<string, string | undefined>();
  const table = new Map<OrderId, OrderOrUnreadable>();
  const started: RoundRequest[] = [];
  const sent: { readonly pass: string }[] = [];
  /** Messages that webhooks could not send, and those that the reconciler sent. */
  const unsent: DownloadMessage[] = [];
  const downloads: DownloadMessage[] = [];
  /** Depths of the download queue at the next checks; then 0. */
  const backlog: number[] = [];
  const passes = createMemoryPasses();

  const put = (id: string, order: Order, fields: object): void => {
    table.set(id as OrderId, { ...order, order_id: id as OrderId, ...fields });
  };

  const queries: ReconcilerDependencies['orders'] = {
    readMany: async (ids) => new Map([...table].filter(([id]) => ids.includes(id))),
    scanInFlight: async (after) => {
      const ids = [...table.keys()].sort();
      const page = ids.slice(after === undefined ? 0 : ids.indexOf(after) + 1).slice(0, pageSize);
      const inFlight = page.flatMap((id): [OrderId, OrderOrUnreadable][] => {
        const order = table.get(id);
        return order !== undefined && (order === unreadable || isInFlight(order)) ? [[id, order]] : [];
      });
      const last = page.at(-1);
      return { orders: new Map(inFlight), next: last === ids.at(-1) ? undefined : last };
    },
  };

  const handler = createHandler({
    qualia: {
      listOpenOrders: async ({ limit, offset, withStatus }) =>
        [...open].slice(offset, offset + limit).map(([id, status]) => ({
          id,
          fingerprint: withStatus ? status : undefined,
        })),
    },
    orders: queries,
    startRound: async (request) => {
      started.push(request);
      const began = { round: round(nowMs, 'aaaaaaaaaaaa'), notification_type: request.notificationType };
      const notified_at = new Date(request.notifiedAtMs ?? nowMs).toISOString();
      put(request.orderId, orders.notified(), { ...began, notified_at, request_id: request.requestId });
      return queued;
    },
    downloadQueue: { send: async (message) => void downloads.push(message) },
    unsent: {
      list: async () => ({ messages: [...unsent], unreadable: 0 }),
      close: async (message) => void unsent.splice(unsent.indexOf(message), 1),
    },
    passes: passes.store,
    queue: { send: async (message) => void sent.push(message) },
    backlog: async () => backlog.shift() ?? 0,
    backlogLimit: 100,
    roundsPerSecond: 50,
    pace: async () => undefined,
    settleMs: 0,
    logger: createLogger({ STAGE: 'dev', SERVICE_VERSION: '1.0.0' }),
    metrics: {
      add: (...added) => metrics.recorder.add(...added),
      fields: (...counted) => metrics.recorder.fields(...counted),
      flush: () => metrics.recorder.flush(),
    },
    newRequestId: () => `request-${++requests}`,
    newPassId: () => `pass-${++passIds}`,
    now: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
    },
    ...overrides,
  });

  /** Runs one invocation. @returns its report, or the error that it threw */
  const invoke = (event: unknown = {}, remainingMs = 900_000): Promise<unknown> => {
    started.length = 0;
    metrics = recordMetrics();
    return handler(event, lambdaContext({ remainingMs })).catch((error: unknown) => error);
  };

  return {
    open,
    table,
    /** Reads the table. */
    queries,
    started,
    sent,
    unsent,
    downloads,
    backlog,
    passes,
    invoke,
    now: () => nowMs,
    advance: (ms: number): void => {
      nowMs += ms;
    },

    /** Metrics of the newest invocation. */
    metric: (name: string): number | undefined => metrics.values.get(name),
    startedIds: (): string[] => started.map(({ orderId }) => orderId),

    /** Delivers the newest message of the reconciler's queue. */
    deliver: (remainingMs?: number): Promise<unknown> => invoke(continuation(sent.at(-1)), remainingMs),

    /** Adds an order that was notified, downloaded and posted this many ms ago. */
    processed: (id: string, agoMs = 0, fields: object = {}): void => {
      const at = new Date(nowMs - agoMs).toISOString();
      const times = { notified_at: at, download_started_at: at, downloaded_at: at, processed_at: at };
      const ofRound = { round: round(nowMs - agoMs), s3_key: `raw/${id}/${round(nowMs - agoMs)}.json` };
      put(id, orders.processed(), { ...times, ...ofRound, ...fields });
    },

    /** Adds an order that was notified this many ms ago, and not downloaded. */
    notified: (id: string, agoMs = 0, fields: object = {}): void => {
      const notified_at = new Date(nowMs - agoMs).toISOString();
      put(id, orders.notified(), { round: round(nowMs - agoMs), notified_at, ...fields });
    },
  };
};

export type ReconcilerWorld = ReturnType<typeof createReconcilerWorld>;

/** Adds open orders to Qualia's list, all with the same status. */
export const openOrders = (world: ReconcilerWorld, ...ids: readonly string[]): void => {
  for (const id of ids) world.open.set(id, 'status-1');
};

/** The fields of the log lines about rounds that the reconciler started. */
export const reconciledIn = (logs: CapturedLogs): object[] =>
  logs
    .lines()
    .filter(({ message }) => message === 'order reconciled')
    .map(ownFields);
