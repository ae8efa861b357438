import { isDeepStrictEqual } from 'node:util';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { safeParse } from 'zod/v4/core';
import { type ErrorCode, PipelineError } from '../errors';
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
  roundSchema,
  type Warning,
  type WorkerName,
} from './order';

/** The sparse index of FAILED orders: its name, and over how many partitions it spreads them. */
export const failedOrdersIndex = { name: 'failed-orders', shards: ['0', '1', '2', '3'] } as const;

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
  /** Begins the round as DOWNLOADED, from bytes that are stored already, if the order is still in round `after`. */
  readonly stored?: { readonly after: Round; readonly download: Download } | undefined;
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

export interface FailureRecord extends Omit<Failure, 'code'> {
  readonly code: ErrorCode;
  readonly receiveCount: number;
  readonly failedAtMs: number;
}

/**
 * Result of a conditional write: applied, or rejected with the current order. There is no order when there is no item,
 * or when the item cannot be read; then `unreadableRound` is its round, if at least that is intact.
 */
export type WriteOutcome = { readonly applied: true } | Rejection;

export interface Rejection {
  readonly applied: false;
  readonly order: Order | undefined;
  readonly unreadableRound?: Round;
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

const shardOf = (orderId: OrderId): string => {
  let sum = 0;
  for (const character of orderId) sum += character.charCodeAt(0);
  return failedOrdersIndex.shards[sum % failedOrdersIndex.shards.length] ?? failedOrdersIndex.shards[0];
};

const failureFields = ['error', 'failed_at', 'failed_shard'];
const roundFields = [
  ...failureFields,
  ...['download_started_at', 'downloaded_at', 's3_key', 'checksum', 'payload_size'],
  ...['processed_at', 'warnings', 'attempts', 'not_before'],
];

/** `SET … REMOVE …` over the given fields, with names and values as placeholders. Undefined values are left out. */
const updateOf = (fieldsToSet: Readonly<Record<string, unknown>>, remove: readonly string[]) => {
  const set = Object.fromEntries(Object.entries(fieldsToSet).filter(([, value]) => value !== undefined));
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

const downloadFields = (download: Download) => ({
  download_started_at: download.startedAtMs === undefined ? undefined : iso(download.startedAtMs),
  downloaded_at: iso(download.downloadedAtMs),
  s3_key: download.s3Key,
  checksum: download.checksum,
  payload_size: download.payloadSizeBytes,
  attempts: download.receiveCount,
});

/**
 * Whether our own write caused the rejection: an earlier attempt's response was lost, and the item has all its fields.
 */
const isOurs = (
  { $metadata }: ConditionalCheckFailedException,
  { set }: ReturnType<typeof updateOf>,
  item: Readonly<Record<string, unknown>> | undefined,
): boolean =>
  ($metadata.attempts ?? 1) > 1 &&
  Object.entries(set).every(([field, value]) => isDeepStrictEqual(item?.[field], value));

/** The condition of a transition, from the table in `lifecycle.ts`. */
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
 * The Orders table, and the only code that writes it. Every change is one conditional update on the round and the
 * allowed previous states, so that two workers, a late duplicate or a replay cannot move an order backwards.
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
      if (isOurs(error, update, item)) return { applied: true };
      const order = item && safeParse(orderSchema, item).data;
      const unreadableRound = order === undefined ? safeParse(roundSchema, item?.round).data : undefined;
      return { applied: false, order, ...(unreadableRound !== undefined && { unreadableRound }) };
    }
  };

  return {
    /** The current order, by a consistent read. */
    read,

    /**
     * Begins a round. Rejected if the order is already in that round or in a newer one. The same update copies the
     * previous status. It keeps the record of the last POST (`processed_checksum`, `posted_*`) and a pending `repost`.
     */
    startRound: (start: RoundStart): Promise<WriteOutcome> => {
      const { stored } = start;
      const fields: Readonly<Record<string, unknown>> = {
        round: start.round,
        status: (stored ? 'DOWNLOADED' : 'NOTIFIED') satisfies OrderStatus,
        request_id: start.requestId,
        notification_type: start.notificationType,
        notified_at: iso(start.notifiedAtMs),
        occurred_at: start.occurredAt,
        repost: start.force ? start.round : undefined,
        ...(stored && downloadFields(stored.download)),
      };
      const update = updateOf(
        fields,
        [...roundFields, 'occurred_at'].filter((field) => fields[field] === undefined),
      );
      return write(
        start.orderId,
        {
          ...update,
          // DynamoDB evaluates the right side against the item before the update.
          expression: update.expression.replace('SET ', 'SET #previous_status = if_not_exists(#status, :none), '),
          names: { ...update.names, '#previous_status': 'previous_status' },
          values: { ...update.values, ':none': 'NONE' },
        },
        stored === undefined
          ? {
              expression: 'attribute_not_exists(#order_id) OR #round < :round',
              names: { '#order_id': 'order_id' },
              values: {},
            }
          : { expression: '#round = :after', names: {}, values: { ':after': stored.after } },
      );
    },

    recordDownload: (orderId: OrderId, round: Round, download: Download): Promise<WriteOutcome> =>
      write(
        orderId,
        updateOf(
          {
            status: transitions.download.to,
            ...downloadFields(download),
          },
          [...failureFields, 'not_before'],
        ),
        conditionOf('download', round),
      ),

    /** Closes a round. Also rejected if the order's `repost` has changed since the worker compared it. */
    recordProcessing: (orderId: OrderId, round: Round, processing: Processing): Promise<WriteOutcome> => {
      const { posted, repost, warnings, receiveCount, processedAtMs } = processing;
      const condition = conditionOf('process', round);
      return write(
        orderId,
        updateOf(
          {
            status: transitions.process.to,
            processed_at: iso(processedAtMs),
            ...(posted && {
              processed_checksum: posted.bodyHash,
              posted_fields: posted.fieldDigests,
              posted_round: round,
            }),
            attempts: receiveCount,
            ...(warnings.length > 0 && { warnings }),
          },
          [...failureFields, 'not_before', 'repost'],
        ),
        {
          expression: `${condition.expression} AND ${repost === undefined ? 'attribute_not_exists(#repost)' : '#repost = :repost'}`,
          names: condition.names,
          values: { ...condition.values, ...(repost !== undefined && { ':repost': repost }) },
        },
      );
    },

    recordFailure: (orderId: OrderId, round: Round, failure: FailureRecord): Promise<WriteOutcome> => {
      const { receiveCount, failedAtMs, ...error } = failure;
      return write(
        orderId,
        updateOf(
          {
            status: 'FAILED' satisfies OrderStatus,
            failed_at: iso(failedAtMs),
            failed_shard: shardOf(orderId),
            error,
            attempts: receiveCount,
          },
          [],
        ),
        conditionOf(failureTransition(failure), round),
      );
    },

    /**
     * Makes the order's current round post even if the order is unchanged. Rejected if the order has left that round or
     * is PROCESSED: then only a new round can post.
     *
     * @param token a new one for each POST that may have been overwritten; it becomes part of the idempotency key
     */
    requestRepost: (orderId: OrderId, round: Round, token: string): Promise<WriteOutcome> =>
      write(orderId, updateOf({ repost: token }, []), {
        expression: '#round = :round AND #status <> :processed',
        names: { '#round': 'round', '#status': 'status' },
        values: { ':round': round, ':processed': 'PROCESSED' satisfies OrderStatus },
      }),

    /**
     * Records that no worker calls an API for this round before then, so that the reconciler does not consider it
     * stuck.
     */
    recordDeferral: (orderId: OrderId, round: Round, notBeforeMs: number): Promise<WriteOutcome> =>
      write(orderId, updateOf({ not_before: iso(notBeforeMs) }, []), {
        expression: '#round = :round',
        names: { '#round': 'round' },
        values: { ':round': round },
      }),
  };
};

const failureTransition = ({ code, stage }: { code: Failure['code']; stage: WorkerName }): TransitionName => {
  if (code === 'RETRIES_EXHAUSTED') return stage === 'download' ? 'exhaustDownload' : 'exhaustProcessing';
  return stage === 'download' ? 'failDownload' : 'failProcessing';
};

export type OrderRepository = ReturnType<typeof createOrderRepository>;
