import type { Order, WorkerName } from '../../../shared/orders/order';
import type { LogRow } from '../logs';
import { circuitOpenCode, isRetryLine, type OrderLine, parseLogTime, workerOf } from './lines';

/** The lines of one round, worker and error code about failures after which the worker tries again. */
export interface RetryGroup {
  readonly orderId: string;
  readonly requestId: string;
  readonly worker: WorkerName;
  readonly code: string;
  readonly lines: number;
  /** Lines about a call that is repeated within the same receive. */
  readonly repeats: number;
  /** The newest line, and its fields. */
  readonly at: Date;
  readonly waitSeconds: number;
  readonly receive: number | undefined;
  readonly error: string | undefined;
  readonly api: string | undefined;
  readonly statusCode: number | undefined;
  /** Duration of the newest attempt. */
  readonly attemptMs?: number | undefined;
}

/** The last failure of an order that is tried again. */
export interface LastFailure {
  readonly at: Date;
  readonly code: string;
  /** A sentence. */
  readonly error: string | undefined;
  readonly api: string | undefined;
  readonly statusCode: number | undefined;
  readonly attemptMs?: number | undefined;
}

/** What the worker has tried for an open order, in its newest round. */
export interface Tries {
  /** The worker that the order waits for. */
  readonly worker: WorkerName;
  /** Calls to the API that failed. */
  readonly attempts: number;
  /** Receives that failed, or that met an open circuit. */
  readonly receives: number;
  /** Number of the last receive of the current message. A fresh copy of the message starts at 1. */
  readonly lastReceive: number | undefined;
  readonly lastFailure: LastFailure | undefined;
  /** Whether the last receive made no call, because the circuit was open. */
  readonly isHeldByCircuit: boolean;
  /** When the next attempt is due; undefined before the first failure. */
  readonly nextAttemptAt: Date | undefined;
}

export type OpenOrder = Extract<Order, { readonly status: 'NOTIFIED' | 'DOWNLOADED' }>;

/** Whether the newest round of an order is not closed yet. */
export const isOpenOrder = (order: Order): order is OpenOrder =>
  order.status === 'NOTIFIED' || order.status === 'DOWNLOADED';

/** The worker whose step comes next. */
const nextWorkerOf = ({ status }: OpenOrder): WorkerName => (status === 'NOTIFIED' ? 'download' : 'processing');

/** The query for {@link toRetryGroup}. Each row has the fields that every such line has, and the newest of the others. */
export const retryGroupQuery = (condition: string): string =>
  [
    `filter ${condition} and ispresent(wait_seconds) and service in ["download", "processing"]`,
    'stats count(*) as lines, count(attempt) as repeats, max(@timestamp) as at, latest(wait_seconds) as wait, ' +
      'latest(receive) as newest_receive, latest(error) as newest_error, latest(api) as newest_api, ' +
      'latest(status_code) as newest_status_code, latest(attempt_ms) as newest_attempt_ms by order_id, request_id, service, error_code',
    'sort at desc',
  ].join(' | ');

/** Reads a row of {@link retryGroupQuery}; undefined for a row that is not about an order. */
export const toRetryGroup = (row: LogRow): RetryGroup | undefined => {
  const worker = workerOf({ service: row.get('service') ?? '' });
  const [orderId, requestId, code] = ['order_id', 'request_id', 'error_code'].map((name) => row.get(name));
  if (worker === undefined || orderId === undefined || requestId === undefined || code === undefined) return undefined;
  const numberOf = (name: string): number | undefined => (row.has(name) ? Number(row.get(name)) : undefined);
  return {
    orderId,
    requestId,
    worker,
    code,
    lines: numberOf('lines') ?? 0,
    repeats: numberOf('repeats') ?? 0,
    at: parseLogTime(row.get('at') ?? ''),
    waitSeconds: numberOf('wait') ?? 0,
    receive: numberOf('newest_receive'),
    error: row.get('newest_error'),
    api: row.get('newest_api'),
    statusCode: numberOf('newest_status_code'),
    attemptMs: numberOf('newest_attempt_ms'),
  };
};

/** Groups log lines as {@link retryGroupQuery} does. */
export const retryGroupsOf = (lines: readonly OrderLine[]): RetryGroup[] => {
  const groups = new Map<string, RetryGroup>();
  for (const line of lines) {
    const worker = workerOf(line);
    const { requestId, errorCode: code } = line;
    if (worker === undefined || requestId === undefined || code === undefined || !isRetryLine(line)) continue;
    const key = [requestId, worker, code].join(' ');
    const before = groups.get(key);
    groups.set(key, {
      orderId: line.orderId,
      requestId,
      worker,
      code,
      lines: (before?.lines ?? 0) + 1,
      repeats: (before?.repeats ?? 0) + (line.attempt === undefined ? 0 : 1),
      at: line.at,
      waitSeconds: line.waitSeconds ?? 0,
      receive: line.receive,
      error: line.error,
      api: line.api,
      statusCode: line.statusCode,
      attemptMs: line.attemptMs,
    });
  }
  return [...groups.values()];
};

const isCall = ({ code }: RetryGroup): boolean => code !== circuitOpenCode;
const sum = (groups: readonly RetryGroup[], of: (group: RetryGroup) => number): number =>
  groups.reduce((total, group) => total + of(group), 0);

/** Derives from the retries of an open order what its worker has tried. */
export const triesOf = (order: OpenOrder, groups: readonly RetryGroup[]): Tries => {
  const worker = nextWorkerOf(order);
  const own = groups
    .filter((group) => group.worker === worker && group.requestId === order.request_id)
    .sort((a, b) => a.at.getTime() - b.at.getTime());
  const last = own.at(-1);
  return {
    worker,
    attempts: sum(own.filter(isCall), ({ lines }) => lines),
    receives: sum(own, ({ lines, repeats }) => lines - repeats),
    lastReceive: last?.receive,
    lastFailure: own.findLast(isCall) ?? last,
    isHeldByCircuit: last !== undefined && !isCall(last),
    nextAttemptAt: nextAttemptOf(order, last),
  };
};

const nextAttemptOf = (order: OpenOrder, last: RetryGroup | undefined): Date | undefined => {
  const waited = last && last.at.getTime() + last.waitSeconds * 1_000;
  const deferred = order.not_before === undefined ? undefined : Date.parse(order.not_before);
  const times = [waited, deferred].filter((time) => time !== undefined);
  return times.length === 0 ? undefined : new Date(Math.max(...times));
};
