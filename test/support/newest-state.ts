import * as z from 'zod';
import { bodyHashOf } from '../../shared/internal-api/body';
import { mapOrder } from '../../shared/internal-api/mapping';
import type { InternalOrder } from '../../shared/internal-api/order';
import type { Order } from '../../shared/orders/order';
import { readOrder } from '../../shared/qualia/order';

/** The URLs of both simulators' control APIs. */
interface ControlUrls {
  readonly qualiaUrl: string;
  readonly internalApiUrl: string;
}

const postedSchema = z.object({ body: z.custom<InternalOrder>((value) => typeof value === 'object') });
const concurrency = 32;

const get = async (url: string): Promise<string> => (await fetch(url)).text();

/** Whether the internal API's newest body of an order equals the mapping of Qualia's current state. */
export const hasNewestState = async (orderId: string, { qualiaUrl, internalApiUrl }: ControlUrls): Promise<boolean> => {
  const order = await get(`${qualiaUrl}/orders/${orderId}`);
  const source = readOrder(Buffer.from(`{"data":{"order":{"order":${order}}}}`));
  const mapping = source && mapOrder(source);
  const posted = postedSchema.safeParse(JSON.parse(await get(`${internalApiUrl}/orders/${orderId}`)));
  return mapping?.kind === 'mapped' && posted.success && bodyHashOf(mapping.order) === bodyHashOf(posted.data.body);
};

/** Finds PROCESSED orders for which the internal API does not have Qualia's newest state. */
export const findStale = async (orders: readonly Order[], urls: ControlUrls): Promise<ReadonlySet<string>> => {
  const stale = new Set<string>();
  const queue = orders.filter(({ status }) => status === 'PROCESSED').values();
  const checkOrders = async (): Promise<void> => {
    for (const { order_id } of queue) if (!(await hasNewestState(order_id, urls))) stale.add(order_id);
  };
  await Promise.all(Array.from({ length: concurrency }, checkOrders));
  return stale;
};
