import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { mapInOrderFailFast } from '../../shared/concurrency/fail-fast';
import { PipelineError } from '../../shared/errors';
import { bodyHashOf, changedFields } from '../../shared/internal-api/body';
import { type Mapping, mapOrder } from '../../shared/internal-api/mapping';
import type { InternalOrder } from '../../shared/internal-api/order';
import type { Checksum, OrderId, Round } from '../../shared/orders/order';
import { checksumOf } from '../../shared/orders/payload-store';
import { unreadable } from '../../shared/orders/queries';
import { createOrderRepository } from '../../shared/orders/repository';
import { readOrder } from '../../shared/qualia/order';
import { ServiceFault } from './fault';
import { createPayloadService, payloadKey } from './payloads';
import type { StageConnection } from './stage-connection';
import { readStoredOrders, type StoredOrder, type StoredOrderOptions } from './stored-orders';

/** The result of mapping a raw payload with the code of this checkout. */
export type MappedPayload = Mapping | { readonly kind: 'bad_payload' };

export interface MappingTrial {
  readonly s3Key: string;
  readonly mapping: MappedPayload;
}

/** Why an order's payload cannot be mapped. */
export type UnmappableCode =
  | 'UNKNOWN_STATE'
  | 'BAD_PAYLOAD'
  | 'PAYLOAD_MISSING'
  | 'CHECKSUM_MISMATCH'
  | typeof unreadable;

/** What the mapping of this checkout changes for an order. */
export type MappingComparison = { readonly orderId: OrderId } & (
  | { readonly kind: 'same' }
  /** The fields that differ from the posted ones; empty if the order was posted before fields were recorded. */
  | { readonly kind: 'changed'; readonly fields: readonly string[] }
  /** FAILED because it could not be mapped; this mapping can map it. */
  | { readonly kind: 'mappable_now' }
  /** Posted, but this mapping cannot map it. */
  | { readonly kind: 'unmappable'; readonly code: UnmappableCode }
  /** In flight, or FAILED for another reason: there is no posted body to compare with. */
  | { readonly kind: 'not_posted' }
);

/** Payloads read concurrently, and orders held until an earlier one is done. */
const bounds = { inFlight: 40, window: 200 };
/** Failures that a changed mapping can fix. */
const mappingFailures: readonly string[] = ['UNKNOWN_STATE', 'BAD_PAYLOAD'];

/** Maps a raw payload with the mapping of this checkout. */
export const mapPayload = (bytes: Uint8Array): MappedPayload => {
  const source = readOrder(bytes);
  return source === undefined ? { kind: 'bad_payload' } : mapOrder(source);
};

/** Returns the body that would be posted, or the reason why there is none. */
const bodyOf = (bytes: Uint8Array | undefined, checksum: Checksum | undefined): InternalOrder | UnmappableCode => {
  if (bytes === undefined) return 'PAYLOAD_MISSING';
  if (checksumOf(bytes) !== checksum) return 'CHECKSUM_MISMATCH';
  const mapping = mapPayload(bytes);
  if (mapping.kind === 'mapped') return mapping.order;
  return mapping.kind === 'unknown_state' ? 'UNKNOWN_STATE' : 'BAD_PAYLOAD';
};

/** Tests the mapping of this checkout on the stored payloads of a stage. Reads only. */
export const createMappingService = (stage: StageConnection) => {
  const documents = DynamoDBDocumentClient.from(stage.dynamodb);
  const repository = createOrderRepository(documents, stage.ordersTableName);
  const payloads = createPayloadService(stage);

  const newestKey = async (orderId: OrderId): Promise<string | undefined> => {
    const order = await repository.read(orderId);
    if (order !== undefined && 's3_key' in order && order.s3_key !== undefined) return order.s3_key;
    const [round] = await payloads.listRounds(orderId);
    return round && payloadKey(orderId, round);
  };

  const compare = async ({ orderId, order }: StoredOrder): Promise<MappingComparison> => {
    if (order === unreadable) return { orderId, kind: 'unmappable', code: unreadable };
    const wasUnmappable =
      order.status === 'FAILED' && order.error.stage === 'processing' && mappingFailures.includes(order.error.code);
    if (!(wasUnmappable || order.status === 'PROCESSED') || order.s3_key === undefined) {
      return { orderId, kind: 'not_posted' };
    }
    const bytes = await payloads.load(order.s3_key).catch((error: unknown) => {
      if (error instanceof PipelineError && error.code === 'PAYLOAD_MISSING' && !error.retryable) return undefined;
      throw error;
    });
    const body = bodyOf(bytes, order.checksum);
    if (typeof body === 'string') {
      return wasUnmappable ? { orderId, kind: 'not_posted' } : { orderId, kind: 'unmappable', code: body };
    }
    if (wasUnmappable) return { orderId, kind: 'mappable_now' };
    if (bodyHashOf(body) === order.processed_checksum) return { orderId, kind: 'same' };
    const fields = order.posted_fields === undefined ? [] : changedFields(order.posted_fields, body);
    return { orderId, kind: 'changed', fields };
  };

  return {
    /**
     * Maps the stored payload of an order's newest round, or of an older one.
     *
     * @throws {ServiceFault} `absent` if no payload is stored
     */
    try: async (orderId: OrderId, round?: Round): Promise<MappingTrial> => {
      const s3Key = round === undefined ? await newestKey(orderId) : await payloads.keyOf(orderId, round);
      if (s3Key === undefined) throw new ServiceFault('absent', `Order ${orderId} has no stored payload.`);
      return { s3Key, mapping: mapPayload(await payloads.load(s3Key)) };
    },

    /**
     * Maps the stored payloads with the code of this checkout and compares the results with what was posted. Holds a few
     * hundred orders at a time.
     */
    diff: (options: StoredOrderOptions): AsyncGenerator<MappingComparison> =>
      mapInOrderFailFast(readStoredOrders(stage, options), bounds, compare),
  };
};
