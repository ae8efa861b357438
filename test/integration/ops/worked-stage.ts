import { setTimeout as sleep } from 'node:timers/promises';
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { QualiaOrder } from '../../../samples/orders';
import type { OrderId } from '../../../shared/orders/order';
import { qualiaOrder } from '../../support/qualia-orders';
import { createClients } from '../support/clients';
import { startPipeline } from '../support/pipeline';
import { startStage } from './operators';

const idleMs = 20;

/** A stage with running workers and simulators of Qualia and the internal API. Uses the real clock. */
export const startWorkedStage = async () => {
  const [pipeline, stage, clients] = [await startPipeline({ now: Date.now }), await startStage(), createClients()];
  const { tableName, operationsTableName, bucketName, queues } = pipeline.resources;
  stage.announce({
    outputs: {
      ...stage.outputs,
      'dev-Data': {
        ...stage.outputs['dev-Data'],
        OrdersTableName: tableName,
        OperationsTableName: operationsTableName,
        RawBucketName: bucketName,
      },
      'dev-OrderPipeline': {
        DownloadQueueUrl: queues.download.url,
        DownloadDeadLetterQueueUrl: queues.download.deadLetterUrl,
        ProcessingQueueUrl: queues.processing.url,
        ProcessingDeadLetterQueueUrl: queues.processing.deadLetterUrl,
      },
    },
  });

  let ended = false;
  let paused = false;
  /** @returns the number of messages that the workers have handled */
  const deliver = async (): Promise<number> =>
    (await pipeline.deliver('download')).length + (await pipeline.deliver('processing')).length;
  let delivering = Promise.resolve(0);
  const work = async (): Promise<void> => {
    while (!ended) {
      if (!paused) delivering = deliver();
      if (paused || (await delivering) === 0) await sleep(idleMs);
    }
  };
  const working = work();
  const key = (id: string) => ({ TableName: tableName, Key: { order_id: id } });

  return {
    pipeline,
    stage,
    /** Runs the `pipeline` command with the real clock. */
    operate: (args: readonly string[], options: Parameters<typeof stage.operate>[1] = {}) =>
      stage.operate(args, { now: Date.now, ...options }),

    /** Creates orders at Qualia and processes them once. */
    addProcessed: async (...orders: readonly (string | QualiaOrder)[]): Promise<void> => {
      const added = orders.map((order) =>
        typeof order === 'string' ? { ...qualiaOrder(), _id: order, order_number: `MKT-${order}` } : order,
      );
      const ids = added.map(({ _id }) => _id);
      await pipeline.qualia.add(...added);
      for (const id of ids) await pipeline.startRound(id);
      for (const id of ids) while ((await pipeline.orderOf(id)).status !== 'PROCESSED') await sleep(idleMs);
    },

    /** The number of accepted POSTs of an order, and its newest body. */
    acceptedPostsOf: async (id: string) => {
      const { posts, body } = await pipeline.internalApi.postsOf(id);
      return { posts: posts.filter(({ outcome }) => outcome === 'taken').length, body };
    },

    read: (id: string) => pipeline.repository.read(id as OrderId),
    readItem: async (id: string) => (await clients.documents.send(new GetCommand(key(id)))).Item,
    /** Removes attributes from an order's item, as if an older release had written it. */
    removeAttributes: async (id: string, ...names: readonly string[]): Promise<void> => {
      await clients.documents.send(
        new UpdateCommand({
          ...key(id),
          UpdateExpression: `REMOVE ${names.map((name) => `#${name}`).join(', ')}`,
          ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
        }),
      );
    },
    /** Pauses the workers. What they are working on ends first. */
    pause: async (): Promise<void> => {
      paused = true;
      await delivering;
    },

    stop: async (): Promise<void> => {
      ended = true;
      await working;
      await Promise.all([pipeline.stop(), stage.stop()]);
      clients.destroy();
    },
  };
};

export type WorkedStage = Awaited<ReturnType<typeof startWorkedStage>>;
