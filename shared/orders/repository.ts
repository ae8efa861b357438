import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import { safeParse } from 'zod/v4/core';
import { type ErrorCode, PipelineError } from '../errors';
import { allOf, allows, hasRepost, isInRound, isNotProcessed, isOlderThan, updateOf } from './expressions';
import { shardOf } from './failed-orders-index';
import { type TransitionName, transitions } from './lifecycle';
import {
  type Checksum,
  type Failure,
  type Order,
  type OrderId,
  type OrderStatus,
  orderIdSchema,
  orderSchema,
  type RequestId,
  type Round,
  type Warning,
  type WorkerName,
} from './order';
import { createOrderItems, type WriteOutcome } from './order-items';

export type { Rejection, WriteOutcome } from './order-items';

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

export interface Download {
  readonly s3Key: string;
  readonly checksum: Checksum;
  readonly payloadSizeBytes: number;
  readonly receiveCount: number;
  /** When the download of these bytes began; undefined when an earlier round stored them. */
  readonly startedAtMs?: number | undefined;
  readonly downloadedAtMs: number;
}

export interface Processing {
  /** What was posted; undefined when nothing was. */
  readonly posted?: { readonly bodyHash: Checksum; readonly fieldDigests: string } | undefined;
  /** The order's `repost` when the worker compared it. The write is rejected if it has changed since. */
  readonly repost: string | undefined;
  readonly warnings: readonly Warning[];
  readonly receiveCount: number;
  readonly processedAtMs: number;
}

export interface FailureRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly stage: WorkerName;
  /** The issue of the failure's cause, and the parts of the cause besides worker and code. */
  readonly issueId: string;
  readonly statusCode?: number | undefined;
  readonly detail?: string | undefined;
  /** The part of the API's response that the order keeps. */
  readonly response?: string | undefined;
  readonly receiveCount: number;
  readonly failedAtMs: number;
}

const iso = (ms: number): string => new Date(ms).toISOString();

/**
 * Reads an item of the table.
 *
 * @throws {PipelineError} `INTERNAL_FAULT`, permanent, when it is not an order
 */
export const readItem = (item: Record<string, unknown>): Order => {
  const parsed = safeParse(orderSchema, item);
  if (parsed.success) return parsed.data;
  const orderId = safeParse(orderIdSchema, item.order_id).data ?? 'without an id';
  throw new PipelineError('INTERNAL_FAULT', `The item of order ${orderId} cannot be read`, { retryable: false });
};

/** The previous values of an order that is FAILED already. */
const failedSchema = z.object({ status: z.literal('FAILED'), error: z.object({ issue_id: z.string() }) });

const failureFields = ['error', 'failed_at', 'failed_shard'];
const roundFields = [
  ...failureFields,
  ...['download_started_at', 'downloaded_at', 's3_key', 'checksum', 'payload_size'],
  ...['processed_at', 'warnings', 'attempts', 'not_before'],
];

const downloadFields = (download: Download) => ({
  download_started_at: download.startedAtMs === undefined ? undefined : iso(download.startedAtMs),
  downloaded_at: iso(download.downloadedAtMs),
  s3_key: download.s3Key,
  checksum: download.checksum,
  payload_size: download.payloadSizeBytes,
  attempts: download.receiveCount,
});

const failureTransition = ({ code, stage }: { code: Failure['code']; stage: WorkerName }): TransitionName => {
  if (code === 'RETRIES_EXHAUSTED') return stage === 'download' ? 'exhaustDownload' : 'exhaustProcessing';
  return stage === 'download' ? 'failDownload' : 'failProcessing';
};

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

/**
 * The Orders table, and the only code that writes it. Every change is one conditional update on the round and the
 * allowed previous states, so that two workers, a late duplicate or a replay cannot move an order backwards.
 */
export const createOrderRepository = (client: DynamoDBDocumentClient, tableName: string) => {
  const items = createOrderItems(client, tableName);

  return {
    /** The current order, by a consistent read. */
    read: async (orderId: OrderId): Promise<Order | undefined> => {
      const item = await items.get(orderId);
      return item && readItem(item);
    },

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

    recordDownload: (orderId: OrderId, round: Round, download: Download): Promise<WriteOutcome> =>
      items.update(
        orderId,
        updateOf({ status: transitions.download.to, ...downloadFields(download) }, [...failureFields, 'not_before']),
        allOf(isInRound(round), allows('download')),
      ),

    /** Closes a round. Also rejected if the order's `repost` has changed since the worker compared it. */
    recordProcessing: (orderId: OrderId, round: Round, processing: Processing): Promise<WriteOutcome> => {
      const { posted, repost, warnings, receiveCount, processedAtMs } = processing;
      const fields = {
        status: transitions.process.to,
        processed_at: iso(processedAtMs),
        ...(posted && {
          processed_checksum: posted.bodyHash,
          posted_fields: posted.fieldDigests,
          posted_round: round,
        }),
        attempts: receiveCount,
        ...(warnings.length > 0 && { warnings }),
      };
      return items.update(
        orderId,
        updateOf(fields, [...failureFields, 'not_before', 'repost']),
        allOf(isInRound(round), allows('process'), hasRepost(repost)),
      );
    },

    recordFailure: async (orderId: OrderId, round: Round, failure: FailureRecord): Promise<WriteOutcome> => {
      const { code, message, stage, issueId, statusCode, detail, response, receiveCount, failedAtMs } = failure;
      const fields = {
        status: 'FAILED' satisfies OrderStatus,
        failed_at: iso(failedAtMs),
        failed_shard: shardOf(orderId),
        error: {
          code,
          message,
          stage,
          issue_id: issueId,
          ...(statusCode !== undefined && { status_code: statusCode }),
          ...(detail !== undefined && { detail }),
          ...(response !== undefined && { answer: response }),
        } satisfies Failure,
        attempts: receiveCount,
      };
      const condition = allOf(isInRound(round), allows(failureTransition(failure)));
      const written = await items.update(orderId, updateOf(fields), condition, true);
      if (!written.applied) return written;
      const isRepeated = safeParse(failedSchema, written.before).data?.error.issue_id === issueId;
      return { applied: true, ...(isRepeated && { isRepeated }) };
    },

    /**
     * Makes the order's current round post even if the order is unchanged. Rejected if the order has left that round or
     * is PROCESSED: then only a new round can post.
     *
     * @param token a new one for each POST that may have been overwritten; it becomes part of the idempotency key
     */
    requestRepost: (orderId: OrderId, round: Round, token: string): Promise<WriteOutcome> =>
      items.update(orderId, updateOf({ repost: token }), allOf(isInRound(round), isNotProcessed)),

    /**
     * Records that no worker calls an API for this round before then, so that the reconciler does not consider it
     * stuck.
     */
    recordDeferral: (orderId: OrderId, round: Round, notBeforeMs: number): Promise<WriteOutcome> =>
      items.update(orderId, updateOf({ not_before: iso(notBeforeMs) }), isInRound(round)),
  };
};

export type OrderRepository = ReturnType<typeof createOrderRepository>;
