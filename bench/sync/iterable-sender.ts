/** Sends users to Iterable as the Lambda does, but without parts: rows are generated on demand, results are dropped. */
import * as z from 'zod';
import { createIterableClient } from '../../shared/iterable/client';
import { pushUsers } from '../../shared/iterable/push';
import { type IterableUser, readRow, toEvent, toProfile } from '../../shared/iterable/rows';
import { keepHeapSmall } from '../../shared/runs/heap';
import { recordDepartures } from './departures';
import { send } from './program';
import { startUsage } from './usage';

const orderSchema = z.object({
  baseUrl: z.string(),
  apiKey: z.string(),
  mode: z.enum(['one_by_one', 'single', 'bulk']),
  users: z.number(),
  /** Records departures of calls about users, in stretches of this many calls. */
  callsInStretch: z.number(),
  /** Overrides Iterable's limits. */
  bulkCallsPerSecond: z.number().optional(),
});
export type IterableOrder = z.output<typeof orderSchema>;

async function* makeUsers(count: number): AsyncGenerator<IterableUser> {
  for (let id = 1; id <= count; id++) {
    const read = readRow({
      id: String(id),
      email: `user${id}@example.com`,
      first_name: 'Ada',
      last_name: `Example ${id}`,
      plan_type: 'pro',
      candidate: id % 3 === 0 ? null : `Candidate ${id}`,
      page: 'pricing',
      device: 'desktop',
      browser: 'Firefox',
      location: 'New York, NY',
      event_time: '2026-01-02 03:04:05',
    });
    if ('user' in read) yield read.user;
  }
}

/** The method of the previous system: one user after the other, two calls each, keep-alive. */
const sendOneByOne = async ({ baseUrl, apiKey, users }: IterableOrder): Promise<number> => {
  const post = async (path: string, body: object): Promise<boolean> => {
    const headers = { 'content-type': 'application/json', 'api-key': apiKey };
    const answer = await fetch(baseUrl + path, { method: 'POST', headers, body: JSON.stringify(body) });
    await answer.text();
    return answer.ok;
  };
  let succeeded = 0;
  for await (const user of makeUsers(users)) {
    const updated = await post('/api/users/update', toProfile(user));
    if (updated && (await post('/api/events/track', toEvent(user)))) succeeded += 1;
  }
  return succeeded;
};

const push = async (order: IterableOrder, mode: 'single' | 'bulk'): Promise<number> => {
  const credential = { api_key: order.apiKey };
  const { bulkCallsPerSecond: rate } = order;
  const client = createIterableClient({
    baseUrl: order.baseUrl,
    credential: { get: async () => credential, refresh: async () => credential },
    useJwt: false,
    now: Date.now,
    ...(rate !== undefined && { callsPerSecond: { updateUsers: rate, trackEvents: rate } }),
  });
  const context = { deadlineMs: Number.POSITIVE_INFINITY, onRetry: () => undefined };
  let succeeded = 0;
  for await (const { record } of pushUsers(makeUsers(order.users), { mode, client, context, now: Date.now })) {
    if (record.overall_success) succeeded += 1;
  }
  await client.close();
  return succeeded;
};

send(orderSchema, async (order) => {
  keepHeapSmall();
  const path = order.mode === 'bulk' ? '/api/users/bulkUpdate' : '/api/users/update';
  const departures = recordDepartures(path, order.callsInStretch);
  const usage = startUsage();
  const succeeded = order.mode === 'one_by_one' ? await sendOneByOne(order) : await push(order, order.mode);
  return { ...usage(), departures: departures(), succeeded };
});
