import { orderIdSchema } from '../../../shared/orders/order';
import { createOrderLog } from '../order-log/order-log';
import { isOpenOrder } from '../order-log/tries';
import { createOrderService } from '../orders';
import type { StageConnection } from '../stage-connection';
import type { Explanation } from './explanation';
import { explainOrder } from './order';
import { createRunExplainer } from './sync-runs';

const customerId = /^\d+$/;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Explains why an order, a customer or a Netlife subject is, or is not, at its destination. An id that is an order's is
 * explained as that; otherwise its form decides.
 */
export const explain = async (stage: StageConnection, id: string, now: () => number): Promise<Explanation> => {
  const orderId = orderIdSchema.safeParse(id).data;
  const details = orderId === undefined ? undefined : await createOrderService(stage).get(orderId);
  if (details !== undefined) {
    const { order } = details;
    const tries = isOpenOrder(order) ? await createOrderLog(stage, now).triesOf(order) : undefined;
    return explainOrder(order, tries, now());
  }
  const ofRuns = createRunExplainer(stage, now);
  if (uuid.test(id)) return ofRuns.subject(id.toLowerCase());
  if (customerId.test(id)) return ofRuns.customer(id);
  return {
    kind: 'order',
    id,
    destination: 'the internal API',
    answer: 'no',
    summary: 'not known here',
    reasons: [
      {
        text: 'no webhook about it has arrived, and the reconciler has not found it among the open orders',
        command: 'prove',
      },
    ],
  };
};
