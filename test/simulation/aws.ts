import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { failedOrdersIndex } from '../../shared/orders/failed-orders-index';
import { resources, secrets, settings } from './composition';
import { createBuckets } from './models/buckets';
import { createQueues } from './models/queues';
import { createSecrets } from './models/secrets';
import { createTables } from './models/tables';
import type { ModelClient, SimulatedWorld } from './world';

export interface AwsOptions {
  /** Called after each call that may have changed an order, with its item. */
  readonly onOrderWritten: (item: Readonly<Record<string, unknown>> | undefined) => void;
  /** Called after each call to a queue. */
  readonly onQueueCalled: (queueUrl: string) => void;
}

/** What an earlier release left of an order. */
export interface LeftOrder {
  readonly item: Readonly<Record<string, unknown>>;
  readonly payload?: { readonly key: string; readonly bytes: Uint8Array };
  /** In a queue, by its URL. */
  readonly message?: { readonly queue: string; readonly body: object };
}

const minuteMs = 60_000;

/** AWS as the order pipeline uses it: the models with the settings of the stacks, watched by the oracles. */
export const createAws = (world: SimulatedWorld, { onOrderWritten, onQueueCalled }: AwsOptions) => {
  const retentionMs = 14 * 24 * 60 * minuteMs;
  const worker = { visibilityMs: 6 * minuteMs, retentionMs };
  const deadLetters = (url: string) => ({ url, maxReceiveCount: settings.maxReceiveCount });
  const queues = createQueues(world, {
    queues: {
      [resources.download]: { ...worker, deadLetters: deadLetters(resources.downloadDeadLetters) },
      [resources.processing]: { ...worker, deadLetters: deadLetters(resources.processingDeadLetters) },
      [resources.reconciler]: { visibilityMs: 16 * minuteMs, retentionMs },
      [resources.downloadDeadLetters]: { retentionMs },
      [resources.processingDeadLetters]: { retentionMs },
    },
    duplicateShare: 0.005,
    lostDeleteShare: 0.002,
    reorderedShare: 0.3,
    refusedShare: 0.002,
  });
  const tables = createTables(world, {
    tables: {
      [resources.orders]: {
        key: ['order_id'],
        indexes: { [failedOrdersIndex.name]: ['failed_shard', 'failed_at'] },
      },
      [resources.operations]: { key: ['kind', 'id'] },
    },
    maxLagMs: 1_000,
    throttledShare: 0.001,
  });
  const buckets = createBuckets(world, {
    buckets: [resources.raw, resources.artifacts],
    conflictShare: 0.01,
  });
  const itemOf = (orderId: string) => tables.item(resources.orders, orderId);
  let calls = 0;
  const callsOf = new Map<string, number>();
  /** Counts a call about an order. */
  const count = (orderId: string): void => void callsOf.set(orderId, (callsOf.get(orderId) ?? 0) + 1);

  const watched = (model: ModelClient): ModelClient => ({
    send: async (command) => {
      calls += 1;
      const response = await model.send(command);
      const input = command.input as { TableName?: string; Key?: { order_id?: string }; QueueUrl?: string };
      if (input.Key?.order_id !== undefined) count(input.Key.order_id);
      if (input.TableName === resources.orders && command instanceof UpdateCommand) {
        onOrderWritten(itemOf(input.Key?.order_id ?? ''));
      }
      if (input.QueueUrl !== undefined) onQueueCalled(input.QueueUrl);
      return response;
    },
  });

  return {
    queues,
    itemOf,
    /** Leaves an order as an earlier release did: its item, its payload and its message. */
    leave: ({ item, payload, message }: LeftOrder): void => {
      tables.put(resources.orders, item);
      onOrderWritten(item);
      if (payload !== undefined) buckets.put(resources.raw, payload.key, payload.bytes);
      if (message !== undefined) queues.send(message.queue, JSON.stringify(message.body));
    },
    clients: {
      dynamodb: watched(tables.client),
      sqs: watched(queues.client),
      s3: watched(buckets.client),
      secrets: watched(createSecrets(secrets).client),
    },
    /** The number of calls so far. */
    calls: (): number => calls,
    count,
    /** The number of calls about each order so far: reads and writes of its item, and what else was counted. */
    callsOf: (orderId: string): number => callsOf.get(orderId) ?? 0,
    /** The number of messages in each queue and dead-letter queue. */
    messages: (): Readonly<Record<string, number>> =>
      Object.fromEntries(
        Object.entries(resources).flatMap(([name, url]) =>
          url.startsWith('https:') ? [[name, queues.size(url)]] : [],
        ),
      ),
    /** Moves all dead letters back to their queues. */
    redrive: (): void => {
      queues.redrive(resources.downloadDeadLetters, resources.download);
      queues.redrive(resources.processingDeadLetters, resources.processing);
    },
  };
};

export type Aws = ReturnType<typeof createAws>;
