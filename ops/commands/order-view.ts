import type { Order } from '../../shared/orders/order';
import type { Tries } from '../services/order-log/tries';
import type { FailedOrder, OrderDetails } from '../services/orders';
import { formatMs, oneLine, plural, renderTable, type Terminal } from './terminal';

const uriOf = ({ bucket, key }: { readonly bucket: string; readonly key: string }): string => `s3://${bucket}/${key}`;

/** An order as a JSON document. `tries` is null for a closed order, or without the logs. */
export const toOrderDocument = ({ order, payload, answerKept }: OrderDetails, tries: Tries | undefined) => ({
  order,
  payload: payload ? { ...payload, uri: uriOf(payload) } : null,
  answer_kept: answerKept,
  tries: tries ? toTriesDocument(tries) : null,
});

/** What was tried for an open order, as a JSON document. */
export const toTriesDocument = ({ lastFailure, ...tries }: Tries) => ({
  worker: tries.worker,
  attempts: tries.attempts,
  receives: tries.receives,
  last_receive: tries.lastReceive ?? null,
  last_failure: lastFailure
    ? {
        at: lastFailure.at.toISOString(),
        error_code: lastFailure.code,
        error: lastFailure.error ?? null,
        api: lastFailure.api ?? null,
        status_code: lastFailure.statusCode ?? null,
        duration_ms: lastFailure.attemptMs ?? null,
      }
    : null,
  held_by_circuit: tries.isHeldByCircuit,
  next_attempt_at: tries.nextAttemptAt?.toISOString() ?? null,
});

/** Renders an order as a table of its fields. */
export const renderOrder = (
  { order, payload, answerKept }: OrderDetails,
  tries: Tries | undefined,
  { time, colors }: Terminal,
): string => {
  const rows: (readonly [string, string | number | undefined])[] = [
    ['order', order.order_id],
    ['status', order.status === 'FAILED' ? colors.red(order.status) : colors.bold(order.status)],
    ['round', order.round],
    ['request', order.request_id],
    ['notification', oneLine(order.notification_type)],
    ['notified', time(order.notified_at)],
    ['downloaded', 'downloaded_at' in order && order.downloaded_at ? time(order.downloaded_at) : undefined],
    ['processed', order.status === 'PROCESSED' ? time(order.processed_at) : undefined],
    ...(tries ? triesRows(tries, time) : ([['receives', order.attempts]] as const)),
    ...(order.status === 'FAILED' ? failureRows(order, answerKept, time) : []),
    ['payload', payload && uriOf(payload)],
    ['payload size', 'payload_size' in order && order.payload_size ? plural(order.payload_size, 'byte') : undefined],
    ['checksum', 'checksum' in order ? order.checksum : undefined],
    ['taken before', order.processed_checksum],
    ['warnings', order.status === 'PROCESSED' ? renderWarnings(order) : undefined],
  ];
  return renderTable(rows.flatMap(([name, value]) => (value === undefined ? [] : [[colors.dim(name), String(value)]])));
};

const triesRows = (tries: Tries, time: Terminal['time']) => {
  const { worker, attempts, receives, lastReceive, lastFailure, isHeldByCircuit, nextAttemptAt } = tries;
  if (lastFailure === undefined) {
    return [
      ['waits for', worker],
      ['attempts', 'none has failed yet'],
      ['next attempt', nextAttemptAt && time(nextAttemptAt)],
    ] as const;
  }
  const newest = lastReceive === undefined ? '' : `, the newest is receive ${lastReceive} of its message`;
  return [
    ['waits for', isHeldByCircuit ? `${worker}, whose circuit is open` : worker],
    ['attempts', `${plural(attempts, 'failed call')} in ${plural(receives, 'receive')}${newest}`],
    [
      'last attempt',
      `${time(lastFailure.at)}${lastFailure.attemptMs === undefined ? '' : `, took ${formatMs(lastFailure.attemptMs)}`}`,
    ],
    ['error code', [lastFailure.code, lastFailure.statusCode ?? []].flat().join(' ')],
    ['error', lastFailure.error && oneLine(lastFailure.error)],
    ['next attempt', nextAttemptAt && time(nextAttemptAt)],
  ] as const;
};

const failureRows = ({ failed_at, error }: FailedOrder, answerKept: boolean, time: Terminal['time']) => {
  const answer = error.answer === undefined ? 'stored; --show-answer prints it' : oneLine(error.answer);
  return [
    ['failed', time(failed_at)],
    ['worker', error.stage],
    ['error code', error.code],
    ['error', oneLine(error.message)],
    ['issue', error.issue_id && oneLine(error.issue_id)],
    ['answer', answerKept ? answer : undefined],
  ] as const;
};

const renderWarnings = (order: Extract<Order, { readonly status: 'PROCESSED' }>): string | undefined =>
  order.warnings?.map(({ code, field }) => `${code} (${oneLine(field)})`).join(', ');
