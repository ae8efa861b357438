import { isDeepStrictEqual } from 'node:util';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { safeParse } from 'zod/v4/core';
import { PipelineError } from '../errors';
import { type TransitionName, transitions } from './lifecycle';
import {
  type Checksum,
  type Failure,
  type Order,
  type OrderId,
  orderIdSchema,
  orderSchema,
  type RequestId,
  type Round,
  type Stage,
  type Warning,
} from './order';

/** The sparse index of FAILED orders: its name, and over how many partitions it spreads them. */
export const failedOrdersIndex = { name: 'failed-orders', shards: ['0', '1', '2', '3'] } as const;

export interface RoundStart {
  readonly orderId: OrderId;
  readonly round: Round;
  readonly requestId: RequestId;
  readonly notificationType: string;
  readonly notifiedAtMs: number;
}

export interface Download {
  readonly s3Key: string;
  readonly checksum: Checksum;
  readonly payloadSizeBytes: number;
  readonly attempts: number;
  readonly downloadedAtMs: number;
}

export interface Processing {
  readonly checksum: Checksum;
  readonly warnings: readonly Warning[];
  readonly attempts: number;
  readonly processedAtMs: number;
}

export interface FailureRecord extends Failure {
  readonly attempts: number;
  readonly failedAtMs: number;
}

/** What came of a conditional write: done, or refused with the order as it stands now. */
export type WriteOutcome = { readonly applied: true } | { readonly applied: false; readonly order: Order | undefined };

const iso = (ms: number): string => new Date(ms).toISOString();

/** Reads an item of the table; one that is no order is a fault of ours. */
export const readItem = (item: Record<string, unknown>): Order => {
  const parsed = safeParse(orderSchema, item);
  if (parsed.success) return parsed.data;
  const orderId = safeParse(orderIdSchema, item.order_id).data ?? 'without an id';
  throw new PipelineError('INTERNAL_FAULT', `The item of order ${orderId} cannot be read`, { retryable: false });
};

const shardOf = (orderId: OrderId): string => {
  let sum = 0;
  for (const character of orderId) sum += character.charCodeAt(0);
  return failedOrdersIndex.shards[sum % failedOrdersIndex.shards.length] ?? failedOrdersIndex.shards[0];
};

const failureFields = ['error', 'failed_at', 'failed_shard'];
const roundFields = [
  ...failureFields,
  ...['downloaded_at', 's3_key', 'checksum', 'payload_size', 'processed_at', 'warnings', 'attempts'],
];

/** `SET … REMOVE …` over the fields given, with names and values as placeholders. */
const updateOf = (set: Readonly<Record<string, unknown>>, remove: readonly string[]) => {
  const fields = Object.keys(set);
  const sets = `SET ${fields.map((field) => `#${field} = :${field}`).join(', ')}`;
  const removes = remove.length > 0 ? ` REMOVE ${remove.map((field) => `#${field}`).join(', ')}` : '';
  return {
    set,
    expression: sets + removes,
    names: Object.fromEntries([...fields, ...remove].map((field) => [`#${field}`, field])),
    values: Object.fromEntries(Object.entries(set).map(([field, value]) => [`:${field}`, value])),
  };
};

/** Whether a refusal met our own write: the answer to an earlier try was lost, and the item holds all that it said. */
const isOurs = (
  { $metadata }: ConditionalCheckFailedException,
  { set }: ReturnType<typeof updateOf>,
  item: Readonly<Record<string, unknown>> | undefined,
): boolean =>
  ($metadata.attempts ?? 1) > 1 &&
  Object.entries(set).every(([field, value]) => isDeepStrictEqual(item?.[field], value));

/** The condition under which a transition may happen, from the table in `lifecycle.ts`. */
const conditionOf = (name: TransitionName, round: Round) => {
  const { from } = transitions[name];
  const statuses = from.filter((state) => state !== 'EXHAUSTED');
  const values = Object.fromEntries(statuses.map((status) => [`:from_${status}`, status]));
  return {
    expression: `#round = :round AND (#status IN (${Object.keys(values).join(', ')}) OR (#status = :from_FAILED AND #error.#code = :exhausted))`,
    names: { '#round': 'round', '#status': 'status', '#error': 'error', '#code': 'code' },
    values: { ...values, ':round': round, ':from_FAILED': 'FAILED', ':exhausted': 'RETRIES_EXHAUSTED' },
  };
};

/**
 * The Orders table, and the only code that writes it. Every change is one conditional update that names the round and
 * the states it may come from, so that two workers, a late duplicate or a replay cannot move an order backwards.
 */
export const createOrderRepository = (client: DynamoDBDocumentClient, tableName: string) => {
  const getItem = async (orderId: OrderId) => {
    const key = { TableName: tableName, Key: { order_id: orderId }, ConsistentRead: true };
    return (await client.send(new GetCommand(key))).Item;
  };

  const read = async (orderId: OrderId): Promise<Order | undefined> => {
    const item = await getItem(orderId);
    return item && readItem(item);
  };

  const write = async (
    orderId: OrderId,
    update: ReturnType<typeof updateOf>,
    condition: { expression: string; names: Record<string, string>; values: Record<string, unknown> },
  ): Promise<WriteOutcome> => {
    try {
      await client.send(
        new UpdateCommand({
          TableName: tableName,
          Key: { order_id: orderId },
          UpdateExpression: update.expression,
          ConditionExpression: condition.expression,
          ExpressionAttributeNames: { ...update.names, ...condition.names },
          ExpressionAttributeValues: { ...update.values, ...condition.values },
        }),
      );
      return { applied: true };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      const item = await getItem(orderId);
      return isOurs(error, update, item) ? { applied: true } : { applied: false, order: item && readItem(item) };
    }
  };

  return {
    /** The order as it stands, by a consistent read. */
    read,

    /** Begins a round; refused when the order is in that round already, or in a newer one. */
    startRound: (start: RoundStart): Promise<WriteOutcome> =>
      write(
        start.orderId,
        updateOf(
          {
            round: start.round,
            status: 'NOTIFIED',
            request_id: start.requestId,
            notification_type: start.notificationType,
            notified_at: iso(start.notifiedAtMs),
          },
          roundFields,
        ),
        {
          expression: 'attribute_not_exists(#order_id) OR #round < :round',
          names: { '#order_id': 'order_id' },
          values: {},
        },
      ),

    recordDownload: (orderId: OrderId, round: Round, download: Download): Promise<WriteOutcome> =>
      write(
        orderId,
        updateOf(
          {
            status: transitions.download.to,
            downloaded_at: iso(download.downloadedAtMs),
            s3_key: download.s3Key,
            checksum: download.checksum,
            payload_size: download.payloadSizeBytes,
            attempts: download.attempts,
          },
          failureFields,
        ),
        conditionOf('download', round),
      ),

    recordProcessing: (orderId: OrderId, round: Round, processing: Processing): Promise<WriteOutcome> =>
      write(
        orderId,
        updateOf(
          {
            status: transitions.process.to,
            processed_at: iso(processing.processedAtMs),
            processed_checksum: processing.checksum,
            attempts: processing.attempts,
            ...(processing.warnings.length > 0 && { warnings: processing.warnings }),
          },
          failureFields,
        ),
        conditionOf('process', round),
      ),

    recordFailure: (orderId: OrderId, round: Round, failure: FailureRecord): Promise<WriteOutcome> => {
      const { attempts, failedAtMs, ...error } = failure;
      return write(
        orderId,
        updateOf(
          {
            status: 'FAILED',
            failed_at: iso(failedAtMs),
            failed_shard: shardOf(orderId),
            error,
            attempts,
          },
          [],
        ),
        conditionOf(failureTransition(failure), round),
      );
    },
  };
};

const failureTransition = ({ code, stage }: { code: Failure['code']; stage: Stage }): TransitionName => {
  if (code === 'RETRIES_EXHAUSTED') return stage === 'download' ? 'exhaustDownload' : 'exhaustProcessing';
  return stage === 'download' ? 'failDownload' : 'failProcessing';
};

export type OrderRepository = ReturnType<typeof createOrderRepository>;
