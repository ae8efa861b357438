import type { DownloadMessage, ProcessingMessage } from '../../shared/orders/message';
import type { Checksum, Failure, Order, OrderId, RequestId, Round } from '../../shared/orders/order';
import { checksumOf } from '../../shared/orders/payload-store';

export const orderId = (text = 'QO-123456') => text as OrderId;
export const requestId = (text = 'request-1') => text as RequestId;

/** The round of an event, given in epoch milliseconds. */
export const round = (ms = 1_767_225_600_000, tail = '000000000000') =>
  `${String(ms).padStart(15, '0')}-${tail}` as Round;

export const checksum = (of = 'payload'): Checksum => checksumOf(Buffer.from(of));

export const downloadMessage = (fields: Partial<DownloadMessage> = {}): DownloadMessage => ({
  order_id: orderId(),
  round: round(),
  request_id: requestId(),
  ...fields,
});

export const processingMessage = (fields: Partial<ProcessingMessage> = {}): ProcessingMessage => ({
  ...downloadMessage(),
  s3_key: `raw/${orderId()}/${round()}.json`,
  checksum: checksum(),
  ...fields,
});

type Common = Pick<
  Order,
  | 'order_id'
  | 'round'
  | 'request_id'
  | 'notification_type'
  | 'notified_at'
  | 'occurred_at'
  | 'previous_status'
  | 'processed_checksum'
  | 'posted_fields'
  | 'posted_round'
  | 'repost'
>;

const seen: Common = {
  order_id: orderId(),
  round: round(),
  request_id: requestId(),
  notification_type: 'order.created',
  notified_at: '2026-01-01T00:00:00.000Z',
};

const downloaded = {
  downloaded_at: '2026-01-01T00:00:01.000Z',
  s3_key: `raw/${orderId()}/${round()}.json`,
  checksum: checksum(),
  payload_size: 7,
};

/** An order in each status. */
export const orders = {
  notified: (fields: Partial<Common> = {}): Order => ({ ...seen, status: 'NOTIFIED', ...fields }),
  downloaded: (fields: Partial<Common> & { readonly download_started_at?: string } = {}): Order => ({
    ...seen,
    ...downloaded,
    status: 'DOWNLOADED',
    ...fields,
  }),
  processed: (fields: Partial<Common> & { readonly download_started_at?: string } = {}): Order => ({
    ...seen,
    ...downloaded,
    status: 'PROCESSED',
    processed_at: '2026-01-01T00:00:02.000Z',
    ...fields,
  }),
  failed: (code: Failure['code'], fields: Partial<Common> = {}): Order => ({
    ...seen,
    status: 'FAILED',
    failed_at: '2026-01-01T00:00:02.000Z',
    error: { code, message: 'A sentence', stage: 'download' },
    ...fields,
  }),
};
