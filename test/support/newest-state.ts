import * as z from 'zod';
import { bodyHashOf } from '../../shared/internal-api/body';
import { mapOrder } from '../../shared/internal-api/mapping';
import type { InternalOrder } from '../../shared/internal-api/order';
import type { Order } from '../../shared/orders/order';
import { readOrder } from '../../shared/qualia/order';

/** The control APIs of both simulators. */
interface Sides {
  readonly qualiaUrl: string;
  readonly internalApiUrl: string;
}

const heldSchema = z.object({ body: z.custom<InternalOrder>((value) => typeof value === 'object') });
const concurrent = 32;

const get = async (url: string): Promise<string> => (await fetch(url)).text();

/** Whether the internal API's newest body of an order equals the mapping of Qualia's current state. */
export const hasNewestState = async (orderId: string, { qualiaUrl, internalApiUrl }: Sides): Promise<boolean> => {
  const order = await get(`${qualiaUrl}/orders/${orderId}`);
  const source = readOrder(Buffer.from(`{"data":{"order":{"order":${order}}}}`));
  const mapping = source && mapOrder(source);
  const held = heldSchema.safeParse(JSON.parse(await get(`${internalApiUrl}/orders/${orderId}`)));
  return mapping?.kind === 'mapped' && held.success && bodyHashOf(mapping.order) === bodyHashOf(held.data.body);
};

/** Finds orders that are PROCESSED although the internal API does not have Qualia's newest state. */
export const findStale = async (orders: readonly Order[], sides: Sides): Promise<ReadonlySet<string>> => {
  const stale = new Set<string>();
  const queue = orders.filter(({ status }) => status === 'PROCESSED').values();
  const checker = async (): Promise<void> => {
    for (const { order_id } of queue) if (!(await hasNewestState(order_id, sides))) stale.add(order_id);
  };
  await Promise.all(Array.from({ length: concurrent }, checker));
  return stale;
};
