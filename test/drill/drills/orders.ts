import * as z from 'zod';
import { control } from '../../../local/start/control';
import { sampleOrder } from '../../../samples/orders';
import { createQueue } from '../../../shared/aws/queue';
import type { DownloadMessage } from '../../../shared/orders/message';
import type { OrderId, RequestId } from '../../../shared/orders/order';
import { createRoundStarter } from '../../../shared/orders/start-round';
import type { Drill } from '../drill';
import type { DrillStage } from '../stage';

const issuesSchema = z.object({ issues: z.array(z.object({ id: z.string() })) });
const manyOrders = 12;
const slowOrders = 6;
const tenMinutesMs = 10 * 60_000;

/** Runs a pass of the reconciler, as its schedule does. */
const reconcile = async ({ aws }: DrillStage): Promise<void> => {
  const { functionError, payload } = await aws.fireSchedule('hourly');
  if (functionError) throw new Error(`The reconciler failed: ${payload}`);
};

/** Drills of the alarms on orders and on the reconciler. */
export const orderDrills: readonly Drill[] = [
  {
    alarms: { 'orders-failed': /API_REFUSED/, 'many-orders-fail': /API_REFUSED/ },
    cause: 'Qualia refuses our login',
    break: async (stage) => {
      await stage.putSecret('QualiaSecret', { username: 'pipeline', password: 'a revoked password' });
      const ids: string[] = [];
      for (let order = 0; order < manyOrders; order++) ids.push((await stage.newOrder()).id);
      await stage.untilStatus(ids, 'FAILED');
      await stage.untilEmpty('download');
      const { issues } = await stage.query(['issues'], issuesSchema);
      return { 'order id': ids[0] ?? '', issue: issues[0]?.id ?? '' };
    },
    fix: (stage) => stage.putSecret('QualiaSecret'),
  },
  {
    alarms: { 'end-to-end-latency': /notified .*\(1\dm/ },
    cause: 'orders arrive at the internal API ten minutes after their webhooks',
    supplied: 'the times of the webhooks',
    break: async (stage) => {
      const downloadQueue = createQueue<DownloadMessage>(stage.stage.sqs, await stage.queueUrl('download'));
      const startRound = createRoundStarter({
        repository: stage.repository,
        downloadQueue,
        now: () => Date.now() - tenMinutesMs,
      });
      const ids = Array.from({ length: slowOrders }, (_, index) => `QO-slow-${Date.now()}-${index}`);
      const orders = ids.map((_id, index) => ({ ...sampleOrder(index), _id, order_number: _id }));
      await control(`${stage.controlUrl('qualia')}/orders`, 'POST', orders);
      for (const id of ids) {
        await startRound({
          orderId: id as OrderId,
          requestId: crypto.randomUUID() as RequestId,
          notificationType: 'order.created',
        });
      }
      await stage.untilStatus(ids, 'PROCESSED');
      await stage.untilEmpty('processing');
      return { 'order id': ids[0] ?? '' };
    },
    fix: async () => undefined,
  },
  {
    alarms: { 'orders-missing': /QO-unannounced-\d+\s+(reason +)?missing/, 'orders-reconciled': /^missing +WARN/m },
    cause: 'the webhook of a new order was lost',
    break: async (stage) => {
      const id = await stage.addUnannounced(1);
      await reconcile(stage);
      await stage.untilStatus([id], 'PROCESSED');
      return { 'order id': id };
    },
    fix: reconcile,
  },
  {
    alarms: { 'orders-drifted': /QO-unannounced-\d+\s+(reason +)?drifted/ },
    cause: 'the webhook of a changed order was lost',
    break: async (stage) => {
      // A fixed sample: Qualia lists only open orders, and the next new one can be closed.
      const id = await stage.addUnannounced(1);
      await reconcile(stage);
      await stage.untilStatus([id], 'PROCESSED');
      await reconcile(stage);
      await control(`${stage.controlUrl('qualia')}/orders/${id}`, 'PATCH', { status: 'Clear To Close' });
      await reconcile(stage);
      await stage.untilStatus([id], 'PROCESSED');
      return { 'order id': id };
    },
    fix: reconcile,
  },
  {
    alarms: { 'reconciler-not-run': /orders reconciled +complete/ },
    cause: 'the schedule of the reconciler is off',
    break: async (stage) => {
      await stage.aws.advance(3 * 60);
      return {};
    },
    fix: reconcile,
  },
  {
    alarms: { 'reconciler-fails': /BAD_MESSAGE/, 'reconciler-dead-letters': /BAD_MESSAGE/ },
    cause: 'a message of the reconciler cannot be read',
    break: async (stage) => {
      await stage.send('reconciler', 'not one of ours');
      await stage.until('a dead letter', async () => (await stage.depthOf('reconciler-dead-letters')) > 0);
      return {};
    },
    fix: (stage) => stage.purge('reconciler-dead-letters'),
  },
];
