import { createSlidingSecond } from '../../../local/simulators/sliding-second';
import type { Random } from '../../../samples/random';
import type { HttpReply, Server } from '../connection';

interface QualiaOrder {
  readonly id: string;
  /** The fields that change. Values repeat, so that a change is often changed back. */
  fields: Readonly<Record<string, unknown>>;
  isOpen: boolean;
  version: number;
  /** When it last changed, epoch ms. */
  changedAtMs: number;
  downloads: number;
}

const purposes = ['Purchase', 'Refinance', 'Construction'] as const;

const contentOf = ({ id, fields, isOpen }: QualiaOrder) => ({
  _id: id,
  order_number: `MKT-${id}`,
  vertical: 'Title',
  product_name: 'Full Title Search',
  customer_name: 'Northwind Title',
  ...fields,
  status: isOpen ? 'accepted' : 'completed',
  status_details: { open: isOpen },
});

/** Qualia: orders that change, the query of one order, and the list of the open ones. */
export const createQualia = (options: {
  readonly now: () => number;
  readonly choose: Random;
  readonly callsPerSecond: number;
  readonly isTroubled: (trouble: 'qualia', orderId: string) => boolean;
  /** Called with the order of each download. */
  readonly onDownload: (orderId: string) => void;
}) => {
  const { now, choose, callsPerSecond, isTroubled, onDownload } = options;
  const orders = new Map<string, QualiaOrder>();
  const calls = createSlidingSecond(() => callsPerSecond);
  /** Different in each response, so that two downloads never have the same bytes. */
  let responses = 0;

  const freshFields = (state: string) => ({
    purpose: choose.pick(purposes),
    price: 125,
    properties: [{ address_1: '1 Main St', city: 'Springfield', state }],
  });

  const responseOf = (order: QualiaOrder): string =>
    JSON.stringify({ data: { order: { order: contentOf(order), outstanding_tasks: [`task-${responses}`] } } });

  const ok = (body: string): HttpReply => ({ statusCode: 200, body });

  const respond: Server['respond'] = ({ body }) => {
    responses += 1;
    const { variables } = JSON.parse(body) as { variables: { id?: string; limit: number; offset: number } };
    if (variables.id !== undefined) {
      onDownload(variables.id);
      if (isTroubled('qualia', variables.id)) return { statusCode: 500, body: '' };
      const order = orders.get(variables.id);
      if (order === undefined) return ok(JSON.stringify({ data: { order: null } }));
      order.downloads += 1;
      return ok(responseOf(order));
    }
    const open = [...orders.values()].filter(({ isOpen }) => isOpen);
    const page = open.slice(variables.offset, variables.offset + variables.limit).map((order) => {
      const { _id, status, status_details } = contentOf(order);
      return { _id, status, status_details };
    });
    return ok(JSON.stringify({ data: { orders: { orders: page } } }));
  };

  return {
    server: { respond, onSent: () => void calls.take(now()) } satisfies Server,
    orders,
    /** Creates an order, or changes it. With an unknown state, we cannot map it. */
    change: (id: string, state = 'CA'): QualiaOrder => {
      const order = orders.get(id) ?? { id, fields: {}, isOpen: true, version: 0, changedAtMs: 0, downloads: 0 };
      order.fields = freshFields(state);
      order.isOpen = order.isOpen && !(order.version > 2 && choose.chance(0.1));
      order.version += 1;
      order.changedAtMs = now();
      orders.set(id, order);
      return order;
    },
    /** The response that a download would get now. */
    responseOf: (id: string): Uint8Array | undefined => {
      const order = orders.get(id);
      return order && Buffer.from(responseOf(order));
    },
    /** The maximum number of calls in any second. */
    mostCalls: calls.most,
  };
};

export type Qualia = ReturnType<typeof createQualia>;
