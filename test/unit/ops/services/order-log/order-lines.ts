import { safeParse } from 'zod/v4/core';
import { type OrderLine, toOrderLine } from '../../../../../ops/services/order-log/lines';
import { type Order, orderSchema } from '../../../../../shared/orders/order';

type Fields = Readonly<Record<string, string>>;

/** A row of a query about QO-1, on 31 January 2026. `time`: `10:00:00.120`. */
export const orderLine = (time: string, fields: Fields): OrderLine =>
  toOrderLine(
    new Map(
      Object.entries({ '@timestamp': `2026-01-31 ${time}`, order_id: 'QO-1', request_id: 'request-1', ...fields }),
    ),
  );

/** A call of the download worker that failed and is tried again. */
export const failedCall = (time: string, fields: Fields = {}): OrderLine =>
  orderLine(time, {
    service: 'download',
    level: 'WARN',
    message: 'a try failed, will retry',
    error: 'Qualia answered 503',
    error_code: 'API_UNAVAILABLE',
    status_code: '503',
    api: 'qualia',
    wait_seconds: '30',
    ...fields,
  });

/** A receive that met an open circuit. */
export const heldReceive = (time: string): OrderLine =>
  orderLine(time, {
    service: 'download',
    level: 'INFO',
    message: 'order waits for an API',
    error_code: 'CIRCUIT_OPEN',
    wait_seconds: '45',
  });

/** An order that is NOTIFIED, with other fields. */
export const orderItem = (changes: object = {}): Order => {
  const { data } = safeParse(orderSchema, {
    order_id: 'QO-1',
    round: '001769853600000-000000000000',
    request_id: 'request-1',
    notification_type: 'order.created',
    notified_at: '2026-01-31T10:00:00.000Z',
    status: 'NOTIFIED',
    ...changes,
  });
  if (data === undefined) throw new Error('These changes do not make an order');
  return data;
};
