import * as z from 'zod';
import { type OrderId, type WorkerName, workerNameSchema } from '../../../shared/orders/order';
import type { LogService, SearchPeriod } from '../logs';

/** A log line about an order (docs/contracts/logs.md). A field that the line does not have is undefined. */
export interface OrderLine {
  readonly at: Date;
  readonly orderId: string;
  readonly requestId: string | undefined;
  readonly service: string;
  readonly level: string;
  readonly message: string;
  readonly status: string | undefined;
  readonly outcome: string | undefined;
  readonly notificationType: string | undefined;
  readonly reason: string | undefined;
  readonly api: string | undefined;
  readonly error: string | undefined;
  readonly errorCode: string | undefined;
  readonly statusCode: number | undefined;
  /** The attempt within the call. */
  readonly attempt: number | undefined;
  /** The receive of the message. */
  readonly receive: number | undefined;
  readonly waitSeconds: number | undefined;
  readonly responseTimeMs: number | undefined;
  readonly s3Key: string | undefined;
  /** `replay` or `reconciliation`, if no webhook started the round. */
  readonly startedBy: string | undefined;
  /** Duration of an attempt that failed. */
  readonly attemptMs: number | undefined;
}

/** Maximum number of lines of one order. */
const maxLines = 10_000;

const columns = [
  ...['@timestamp', 'order_id', 'request_id', 'service', 'level', 'message', 'status', 'outcome', 'notification_type'],
  ...['reason', 'api', 'error', 'error_code', 'status_code', 'attempt', 'receive', 'wait_seconds', 'response_time_ms'],
  ...['s3_key', 'started_by', 'attempt_ms'],
];

const number = z.coerce.number().optional().catch(undefined);

/** Parses a time of CloudWatch Logs Insights: `2026-01-31 08:00:00.000`, in UTC, or epoch milliseconds. */
export const parseLogTime = (text: string): Date =>
  /^\d+(\.\d+)?$/.test(text) ? new Date(Number(text)) : new Date(`${text.replace(' ', 'T')}Z`);

/** Reads a row of a query that shows the fields of {@link OrderLine}. */
export const toOrderLine = (row: ReadonlyMap<string, string>): OrderLine => {
  const numberOf = (name: string): number | undefined => number.parse(row.get(name));
  return {
    at: parseLogTime(row.get('@timestamp') ?? ''),
    orderId: row.get('order_id') ?? '',
    requestId: row.get('request_id'),
    service: row.get('service') ?? '',
    level: row.get('level') ?? '',
    message: row.get('message') ?? '',
    status: row.get('status'),
    outcome: row.get('outcome'),
    notificationType: row.get('notification_type'),
    reason: row.get('reason'),
    api: row.get('api'),
    error: row.get('error'),
    errorCode: row.get('error_code'),
    statusCode: numberOf('status_code'),
    attempt: numberOf('attempt'),
    receive: numberOf('receive'),
    waitSeconds: numberOf('wait_seconds'),
    responseTimeMs: numberOf('response_time_ms'),
    s3Key: row.get('s3_key'),
    startedBy: row.get('started_by'),
    attemptMs: numberOf('attempt_ms'),
  };
};

/** The worker that wrote a line; undefined for the webhook, the reconciler and others. */
export const workerOf = ({ service }: Pick<OrderLine, 'service'>): WorkerName | undefined =>
  workerNameSchema.safeParse(service).data;

/** Whether a line reports a failure after which the worker tries again. */
export const isRetryLine = ({ waitSeconds, errorCode }: OrderLine): boolean =>
  waitSeconds !== undefined && errorCode !== undefined;

/** The error code of a receive that made no call, because the circuit was open. */
export const circuitOpenCode = 'CIRCUIT_OPEN';

/** Reads the log lines of one order, the oldest first. */
export const readOrderLines = async (
  logs: Pick<LogService, 'search'>,
  orderId: OrderId,
  period: SearchPeriod,
): Promise<OrderLine[]> => {
  const query = [
    `fields ${columns.join(', ')}`,
    // At DEBUG, each call writes a line too.
    `filter order_id = "${orderId}" and level != "DEBUG"`,
    'sort @timestamp asc',
  ];
  return (await logs.search(query.join(' | '), { ...period, limit: maxLines })).map(toOrderLine);
};
