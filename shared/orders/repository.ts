import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import { safeParse } from 'zod/v4/core';
import { type ErrorCode, PipelineError } from '../errors';
import { allOf, allows, hasRepost, isInRound, isNotProcessed, updateOf } from './expressions';
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
  type Round,
  type Warning,
  type WorkerName,
} from './order';
import { createOrderItems, type WriteOutcome } from './order-items';
import { createRoundStore, type Download, downloadFields, failureFields } from './round-store';

export type { Rejection, WriteOutcome } from './order-items';
export type { RoundStart } from './round-store';

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

const failureTransition = ({ code, stage }: { code: Failure['code']; stage: WorkerName }): TransitionName => {
  if (code === 'RETRIES_EXHAUSTED') return stage === 'download' ? 'exhaustDownload' : 'exhaustProcessing';
  return stage === 'download' ? 'failDownload' : 'failProcessing';
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

    startRound: createRoundStore(items).startRound,

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
