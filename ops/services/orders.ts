import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { createQueue } from '../../shared/aws/queue';
import type { DownloadMessage } from '../../shared/orders/message';
import type { Order, OrderId, OrderStatus, RequestId } from '../../shared/orders/order';
import { createOrderQueries, type OrderOrUnreadable, unreadable } from '../../shared/orders/queries';
import { createOrderRepository } from '../../shared/orders/repository';
import { createRoundStarter } from '../../shared/orders/start-round';
import { toServiceFault } from './fault';
import type { Stage } from './stage';

/** An object in S3. */
export interface PayloadLocation {
  readonly bucket: string;
  readonly key: string;
}

/** An order, and where the raw payload of its round is, if anything of it was kept. */
export interface OrderDetails {
  readonly order: Order;
  readonly payload: PayloadLocation | undefined;
  /** Whether the order keeps what the internal API said when it refused it. */
  readonly answerKept: boolean;
}

/** An order whose newest round failed. */
export type FailedOrder = Extract<Order, { status: 'FAILED' }>;

export interface ReadOptions {
  /** Shows what the internal API said when it refused an order, which may hold personal data. */
  readonly withAnswer?: boolean;
}

/** What a replay would begin with: the order as it stands, or nothing when it was never heard of. */
export interface ReplayCandidate {
  readonly orderId: OrderId;
  readonly status: OrderStatus | undefined;
  readonly errorCode: string | undefined;
}

/** What became of one order of a replay. The request id is the one that the new round's log lines carry. */
export interface ReplayResult {
  readonly orderId: OrderId;
  readonly requestId: RequestId;
  /** A sentence, when no round was started. */
  readonly error: string | undefined;
}

export interface ReplayOptions {
  /** Most rounds that begin in a second. */
  readonly ratePerSecond: number;
  /** Ends the replay after the order that is under way. */
  readonly signal?: AbortSignal | undefined;
}

/** As many ids as one batch read takes. */
const batchSize = 100;

/** What operators ask of the orders of a stage, and do to them. */
export const createOrderService = (stage: Stage) => {
  const documents = DynamoDBDocumentClient.from(stage.dynamodb, { marshallOptions: { removeUndefinedValues: true } });
  const repository = createOrderRepository(documents, stage.ordersTableName);
  const queries = createOrderQueries(documents, stage.ordersTableName);
  const startRound = createRoundStarter({
    repository,
    downloadQueue: createQueue<DownloadMessage>(stage.sqs, stage.downloadQueueUrl),
    now: Date.now,
  });

  const start = async (orderId: OrderId): Promise<ReplayResult> => {
    const requestId = randomUUID() as string as RequestId;
    try {
      await startRound({ orderId, requestId, notificationType: 'replay' });
      return { orderId, requestId, error: undefined };
    } catch (thrown) {
      const fault = toServiceFault(thrown);
      if (fault === undefined) throw thrown;
      return { orderId, requestId, error: fault.message };
    }
  };

  return {
    /** One order by a consistent read; nothing when there is none. */
    get: async (orderId: OrderId, { withAnswer = false }: ReadOptions = {}): Promise<OrderDetails | undefined> => {
      const order = await repository.read(orderId);
      if (order === undefined) return undefined;
      const failed = order.status === 'FAILED' ? order : undefined;
      return {
        order: failed && !withAnswer ? withoutAnswer(failed) : order,
        payload: payloadOf(order, stage.rawBucketName),
        answerKept: failed?.error.answer !== undefined,
      };
    },

    /** Every order that is FAILED and failed since then, newest first. Reads the sparse index alone. */
    listFailed: async (since: Date): Promise<FailedOrder[]> => {
      const found: FailedOrder[] = [];
      for await (const { order } of queries.listFailed(since))
        if (order !== unreadable && order.status === 'FAILED') found.push(withoutAnswer(order));
      return found.sort((a, b) => b.failed_at.localeCompare(a.failed_at));
    },

    /** Orders as they stand before a replay, in the order asked for. */
    readCandidates: async (orderIds: readonly OrderId[]): Promise<ReplayCandidate[]> => {
      const candidates: ReplayCandidate[] = [];
      for (let offset = 0; offset < orderIds.length; offset += batchSize) {
        const batch = orderIds.slice(offset, offset + batchSize);
        const known = await queries.readMany(batch);
        candidates.push(...batch.map((orderId) => toCandidate(orderId, known.get(orderId))));
      }
      return candidates;
    },

    /** Starts a new round for each order, evenly paced. One that fails does not stop the others. */
    async *replay(
      orderIds: readonly OrderId[],
      { ratePerSecond, signal }: ReplayOptions,
    ): AsyncGenerator<ReplayResult> {
      let earliestMs = 0;
      for (const orderId of orderIds) {
        const waitMs = earliestMs - performance.now();
        if (waitMs > 0) await wait(waitMs, undefined, { signal }).catch(() => undefined);
        if (signal?.aborted) return;
        earliestMs = performance.now() + 1_000 / ratePerSecond;
        yield await start(orderId);
      }
    },
  };
};

/** An order as the plan of a replay shows it. */
export const toCandidate = (orderId: OrderId, order: OrderOrUnreadable | undefined): ReplayCandidate =>
  order === unreadable
    ? { orderId, status: undefined, errorCode: unreadable }
    : { orderId, status: order?.status, errorCode: order?.status === 'FAILED' ? order.error.code : undefined };

const withoutAnswer = (order: FailedOrder): FailedOrder => {
  const { answer, ...error } = order.error;
  return { ...order, error };
};

const payloadOf = (order: Order, bucket: string): PayloadLocation | undefined => {
  if ('s3_key' in order && order.s3_key !== undefined) return { bucket, key: order.s3_key };
  // An answer that could not be read is kept apart, where the item does not say.
  if (order.status === 'FAILED' && order.error.code === 'BAD_ANSWER') {
    return { bucket, key: `rejected/${order.order_id}/${order.round}.txt` };
  }
  return undefined;
};
