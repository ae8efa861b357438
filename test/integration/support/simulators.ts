import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import type { Fault } from '../../../local/simulators/faults';
import { startInternalApiSimulator } from '../../../local/simulators/internal-api';
import { type QualiaOrder, startQualiaSimulator } from '../../../local/simulators/qualia';
import { secrets } from './secrets';

const ask = async (method: string, url: string, body?: unknown): Promise<unknown> => {
  const answer = await fetch(url, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
  if (!answer.ok && answer.status !== 404) throw new Error(`${method} ${url} was answered ${answer.status}`);
  return answer.json();
};

const requestsSchema = z.object({ total: z.number() });
/** How often a simulator was called. */
const countCalls = async (controlUrl: string): Promise<number> =>
  requestsSchema.parse(await ask('GET', `${controlUrl}/requests?order_id=none`)).total;
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

/** What the internal API got of one order. */
type Posts = z.output<typeof postsSchema>;

/** Qualia, with no order yet. */
export const startQualia = async () => {
  const simulator = await startQualiaSimulator({ credentials: secrets.qualia, orders: [] });
  return {
    url: simulator.url,
    stop: simulator.stop,
    add: (...orders: readonly QualiaOrder[]) => ask('POST', `${simulator.controlUrl}/orders`, orders),
    change: (orderId: string, fields: object) => ask('PATCH', `${simulator.controlUrl}/orders/${orderId}`, fields),
    setFaults: (...faults: readonly Fault[]) => ask('PUT', `${simulator.controlUrl}/faults`, faults),
    setList: (settings: object) => ask('PUT', `${simulator.controlUrl}/list`, settings),
    calls: () => countCalls(simulator.controlUrl),
  };
};

/** The internal API, which has seen nothing yet. */
export const startInternalApi = async () => {
  const stateFolder = mkdtempSync(join(tmpdir(), 'internal-api-'));
  const simulator = await startInternalApiSimulator({ credentials: secrets.internalApi, stateFolder });
  /** Every post about an order, and the body of its newest round; nothing when there was none. */
  const postsOf = async (orderId: string): Promise<Posts> =>
    z.union([postsSchema, noPostsSchema]).parse(await ask('GET', `${simulator.controlUrl}/orders/${orderId}`));
  return {
    url: simulator.url,
    stop: async (): Promise<void> => {
      await simulator.stop();
      rmSync(stateFolder, { recursive: true });
    },
    setFaults: (...faults: readonly Fault[]) => ask('PUT', `${simulator.controlUrl}/faults`, faults),
    postsOf,
    calls: () => countCalls(simulator.controlUrl),
    /** When posts about an order came, in epoch ms, the refused ones included. */
    calledAtMs: async (orderId: string): Promise<readonly number[]> => {
      const { requests } = timesSchema.parse(await ask('GET', `${simulator.controlUrl}/requests?order_id=${orderId}`));
      return requests.map(({ at }) => Date.parse(at));
    },
    /** How many posts about an order had an effect: each idempotency key counts once. */
    effectsOf: async (orderId: string): Promise<number> =>
      (await postsOf(orderId)).posts.filter(({ outcome }) => outcome === 'taken').length,
  };
};
