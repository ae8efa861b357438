import { bodyHashOf } from '../../shared/internal-api/body';
import { idempotencyKeyOf } from '../../shared/internal-api/idempotency-key';
import { mapOrder } from '../../shared/internal-api/mapping';
import type { OrderId } from '../../shared/orders/order';
import { checksumOf } from '../../shared/orders/payload-store';
import { roundOfArrival } from '../../shared/orders/round';
import { readOrder } from '../../shared/qualia/order';
import type { InternalApi } from './apis/internal-api';
import type { Qualia } from './apis/qualia';
import type { Aws } from './aws';
import { resources } from './composition';
import type { Inheritance } from './later-actions';

export interface InheritOptions {
  readonly now: () => number;
  readonly qualia: Qualia;
  readonly internalApi: InternalApi;
  readonly aws: Pick<Aws, 'leave' | 'itemOf'>;
  /** Called with an order whose webhook was acknowledged, and whose end needs no help. */
  readonly onAcknowledged: (orderId: string) => void;
}

const iso = (ms: number): string => new Date(ms).toISOString();

const isPosted = (left: Inheritance): boolean => left.startsWith('processed') || left.includes('post');

/**
 * Leaves an order as the first release did: its item has only the fields that this release wrote, and so has its
 * message. Does nothing if the order has an item already.
 */
export const createInherit =
  ({ now, qualia, internalApi, aws, onAcknowledged }: InheritOptions) =>
  (orderId: string, left: Inheritance, ageMs: number): void => {
    if (aws.itemOf(orderId) !== undefined) return;
    qualia.change(orderId);
    if (left !== 'refused' && !left.endsWith('without a message')) onAcknowledged(orderId);
    const payload = qualia.responseOf(orderId) ?? new Uint8Array();
    const beganAtMs = now() - ageMs;
    const round = roundOfArrival(beganAtMs);
    const message = { order_id: orderId, round, request_id: `request-of-${orderId}` };
    const s3Key = `raw/${orderId}/${round}.json`;
    const checksum = checksumOf(payload);
    const seen = { ...message, notification_type: 'order.created', notified_at: iso(beganAtMs) };
    const downloaded = {
      downloaded_at: iso(beganAtMs + 2_000),
      s3_key: s3Key,
      checksum,
      payload_size: payload.byteLength,
      attempts: 1,
    };
    const failed = (code: string, stage = 'processing') => ({
      status: 'FAILED',
      failed_at: iso(beganAtMs + 4_000),
      failed_shard: 'shard-0',
      error: { code, message: 'An API answered 500', stage },
    });
    const processing = { ...message, s3_key: s3Key, checksum };

    if (isPosted(left)) {
      const source = readOrder(payload);
      const mapping = source && mapOrder(source);
      if (mapping?.kind !== 'mapped') throw new Error(`Order ${orderId} cannot be mapped`);
      const bodyHash = bodyHashOf(mapping.order);
      const key = idempotencyKeyOf({ orderId: orderId as OrderId, round, bodyHash, repost: undefined });
      internalApi.take(key, { round, body: mapping.order }, orderId);
    }
    const leave = (item: object, queue?: string): void =>
      aws.leave({
        item: { ...seen, ...item },
        ...('s3_key' in item && { payload: { key: s3Key, bytes: payload } }),
        ...(queue !== undefined && { message: { queue, body: 's3_key' in item ? processing : message } }),
      });
    switch (left) {
      case 'processed':
      case 'processed, then changed without a webhook':
        leave({
          ...downloaded,
          status: 'PROCESSED',
          processed_at: iso(beganAtMs + 4_000),
          processed_checksum: checksum,
        });
        if (left !== 'processed') qualia.change(orderId);
        return;
      case 'notified':
        leave({ status: 'NOTIFIED' }, resources.download);
        return;
      case 'notified, without a message':
        leave({ status: 'NOTIFIED' });
        return;
      case 'downloaded':
      case 'downloaded and posted':
        leave({ ...downloaded, status: 'DOWNLOADED' }, resources.processing);
        return;
      case 'downloaded, without a message':
        leave({ ...downloaded, status: 'DOWNLOADED' });
        return;
      case 'exhausted in the download':
        leave({ ...failed('RETRIES_EXHAUSTED', 'download') }, resources.downloadDeadLetters);
        return;
      case 'exhausted':
      case 'exhausted after a post':
        // The order had been processed once before.
        leave(
          { ...downloaded, ...failed('RETRIES_EXHAUSTED'), processed_checksum: checksum },
          resources.processingDeadLetters,
        );
        return;
      case 'refused':
        leave({ ...downloaded, ...failed('API_REFUSED') });
        return;
    }
  };
