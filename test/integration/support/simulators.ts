import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import type { Fault } from '../../../local/simulators/faults';
import { startInternalApiSimulator } from '../../../local/simulators/internal-api';
import { startQualiaSimulator } from '../../../local/simulators/qualia';
import type { QualiaOrder } from '../../../samples/orders';
import { secrets } from './secrets';

const requestJson = async (method: string, url: string, body?: unknown): Promise<unknown> => {
  const response = await fetch(url, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
  if (!response.ok && response.status !== 404) throw new Error(`${method} ${url} failed with ${response.status}`);
  return response.json();
};

const requestsSchema = z.object({ total: z.number() });
/** Number of requests to a simulator. */
const countCalls = async (controlUrl: string): Promise<number> =>
  requestsSchema.parse(await requestJson('GET', `${controlUrl}/requests?order_id=none`)).total;
const timesSchema = z.object({ requests: z.array(z.object({ at: z.iso.datetime() })) });
const postsSchema = z.object({
  posts: z.array(
    z.object({
      outcome: z.enum(['taken', 'duplicate', 'older_round']),
      round: z.string(),
      idempotency_key: z.string(),
      request_id: z.string(),
    }),
  ),
  body: z.looseObject({ purpose: z.string().optional() }),
});
const noPostsSchema = z.object({ error: z.literal('not_found') }).transform((): Posts => ({ posts: [], body: {} }));

/** The POSTs of one order, and the body of its newest round. */
type Posts = z.output<typeof postsSchema>;

/** Starts Qualia's simulator without orders. */
export const startQualia = async () => {
  const simulator = await startQualiaSimulator({ credentials: secrets.qualia, orders: [] });
  return {
    url: simulator.url,
    stop: simulator.stop,
    add: (...orders: readonly QualiaOrder[]) => requestJson('POST', `${simulator.controlUrl}/orders`, orders),
    change: (orderId: string, fields: object) =>
      requestJson('PATCH', `${simulator.controlUrl}/orders/${orderId}`, fields),
    setFaults: (...faults: readonly Fault[]) => requestJson('PUT', `${simulator.controlUrl}/faults`, faults),
    setList: (settings: object) => requestJson('PUT', `${simulator.controlUrl}/list`, settings),
    calls: () => countCalls(simulator.controlUrl),
  };
};

/** Starts the internal API's simulator without orders. */
export const startInternalApi = async () => {
  const stateFolder = mkdtempSync(join(tmpdir(), 'internal-api-'));
  const simulator = await startInternalApiSimulator({ credentials: secrets.internalApi, stateFolder });
  /** Reads the POSTs of an order; empty if there were none. */
  const postsOf = async (orderId: string): Promise<Posts> =>
    z.union([postsSchema, noPostsSchema]).parse(await requestJson('GET', `${simulator.controlUrl}/orders/${orderId}`));
  return {
    url: simulator.url,
    stop: async (): Promise<void> => {
      await simulator.stop();
      rmSync(stateFolder, { recursive: true });
    },
    setFaults: (...faults: readonly Fault[]) => requestJson('PUT', `${simulator.controlUrl}/faults`, faults),
    postsOf,
    calls: () => countCalls(simulator.controlUrl),
    /** Times of all POSTs of an order, including refused ones, in epoch ms. */
    calledAtMs: async (orderId: string): Promise<readonly number[]> => {
      const { requests } = timesSchema.parse(
        await requestJson('GET', `${simulator.controlUrl}/requests?order_id=${orderId}`),
      );
      return requests.map(({ at }) => Date.parse(at));
    },
    /** Number of POSTs of an order that had an effect: each idempotency key counts once. */
    effectsOf: async (orderId: string): Promise<number> =>
      (await postsOf(orderId)).posts.filter(({ outcome }) => outcome === 'taken').length,
  };
};
