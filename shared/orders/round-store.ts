import { isInRound, isOlderThan, updateOf } from './expressions';
import type { Checksum, OrderId, OrderStatus, RequestId, Round } from './order';
import type { OrderItems, WriteOutcome } from './order-items';

/** What a round starts with. */
export interface RoundStart {
  readonly orderId: OrderId;
  readonly round: Round;
  readonly requestId: RequestId;
  readonly notificationType: string;
  readonly notifiedAtMs: number;
  /** The notification's own timestamp, as `occurrenceOf` writes it. */
  readonly occurredAt?: string | undefined;
  /** Posts the order even if it is unchanged, with a new idempotency key. */
  readonly force?: boolean | undefined;
  /** The round starts only if the order is still in this one. Default: in any older one, or without an item. */
  readonly after?: Round | undefined;
  /** Starts the round as DOWNLOADED, from bytes that are stored already. */
  readonly download?: Download | undefined;
}

/** A payload that is stored. */
export interface Download {
  readonly s3Key: string;
  readonly checksum: Checksum;
  readonly payloadSizeBytes: number;
  readonly receiveCount: number;
  /** When the download of these bytes began; undefined when an earlier round stored them. */
  readonly startedAtMs?: number | undefined;
  readonly downloadedAtMs: number;
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** The fields that only a FAILED order has. */
export const failureFields = ['error', 'failed_at', 'failed_shard'];
const roundFields = [
  ...failureFields,
  ...['download_started_at', 'downloaded_at', 's3_key', 'checksum', 'payload_size'],
  ...['processed_at', 'warnings', 'attempts', 'not_before'],
];

/** The fields that a download sets. */
export const downloadFields = (download: Download) => ({
  download_started_at: download.startedAtMs === undefined ? undefined : iso(download.startedAtMs),
  downloaded_at: iso(download.downloadedAtMs),
  s3_key: download.s3Key,
  checksum: download.checksum,
  payload_size: download.payloadSizeBytes,
  attempts: download.receiveCount,
});

/** The update that starts a round. */
const roundUpdate = (start: RoundStart) => {
  const { download } = start;
  const fields: Readonly<Record<string, unknown>> = {
    round: start.round,
    status: (download ? 'DOWNLOADED' : 'NOTIFIED') satisfies OrderStatus,
    request_id: start.requestId,
    notification_type: start.notificationType,
    notified_at: iso(start.notifiedAtMs),
    occurred_at: start.occurredAt,
    repost: start.force ? start.round : undefined,
    ...(download && downloadFields(download)),
  };
  const update = updateOf(
    fields,
    [...roundFields, 'occurred_at'].filter((field) => fields[field] === undefined),
  );
  return {
    ...update,
    // DynamoDB evaluates the right side against the item before the update.
    expression: update.expression.replace('SET ', 'SET #previous_status = if_not_exists(#status, :none), '),
    names: { ...update.names, '#previous_status': 'previous_status' },
    values: { ...update.values, ':none': 'NONE' },
  };
};

/** The write that starts a round. It is apart from the others because the webhook needs no other one in its bundle. */
export const createRoundStore = (items: OrderItems) => ({
  /**
   * Starts a round. Rejected if the order is already in that round or in a newer one. The same update copies the
   * previous status. It keeps the record of the last POST (`processed_checksum`, `posted_*`) and a pending `repost`.
   */
  startRound: (start: RoundStart): Promise<WriteOutcome> =>
    items.update(
      start.orderId,
      roundUpdate(start),
      start.after === undefined ? isOlderThan(start.round) : isInRound(start.after),
    ),
});

export type RoundStore = ReturnType<typeof createRoundStore>;
