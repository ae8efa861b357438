/** Sends users to Iterable like the Lambda, but without parts: rows are generated on demand, and results are dropped. */
import * as z from 'zod';
import { createIterableClient } from '../../shared/iterable/client';
import { pushUsers } from '../../shared/iterable/push';
import { readRow, toEvent, toProfile, type Viewer } from '../../shared/iterable/rows';
import { keepHeapSmall } from '../../shared/runs/heap';
import { recordDepartures } from './departures';
import { madeRow } from './made-row';
import { runProgram } from './program';
import { startUsage } from './usage';

const optionsSchema = z.object({
  baseUrl: z.string(),
  apiKey: z.string(),
  mode: z.enum(['one_by_one', 'single', 'bulk']),
  users: z.number(),
  /** Number of calls per window in the record of departures. */
  callsPerWindow: z.number(),
  /** Overrides Iterable's limits. */
  bulkCallsPerSecond: z.number().optional(),
});
export type IterableSenderOptions = z.output<typeof optionsSchema>;

async function* makeUsers(count: number): AsyncGenerator<Viewer> {
  for (let id = 1; id <= count; id++) {
    const read = readRow(madeRow(id));
    if ('user' in read) yield read.user;
  }
}

/** Sends like the previous system: one user after the other, with two calls each, over one connection. */
const sendOneByOne = async ({ baseUrl, apiKey, users }: IterableSenderOptions): Promise<number> => {
  const post = async (path: string, body: object): Promise<boolean> => {
    const headers = { 'content-type': 'application/json', 'api-key': apiKey };
    const response = await fetch(baseUrl + path, { method: 'POST', headers, body: JSON.stringify(body) });
    await response.text();
    return response.ok;
  };
  let succeeded = 0;
  for await (const user of makeUsers(users)) {
    const updated = await post('/api/users/update', toProfile(user));
    if (updated && (await post('/api/events/track', toEvent(user)))) succeeded += 1;
  }
  return succeeded;
};

const push = async (options: IterableSenderOptions, mode: 'single' | 'bulk'): Promise<number> => {
  const credential = { api_key: options.apiKey };
  const { bulkCallsPerSecond: rate } = options;
  const client = createIterableClient({
    baseUrl: options.baseUrl,
    credential: { get: async () => credential, refresh: async () => credential },
    useJwt: false,
    now: Date.now,
    ...(rate !== undefined && { callsPerSecond: { updateUsers: rate, trackEvents: rate } }),
  });
  const context = { deadlineMs: Number.POSITIVE_INFINITY, onRetry: () => undefined };
  let succeeded = 0;
  for await (const { record } of pushUsers(makeUsers(options.users), { mode, client, context, now: Date.now })) {
    if (record.overall_success) succeeded += 1;
  }
  await client.close();
  return succeeded;
};

runProgram(optionsSchema, async (options) => {
  keepHeapSmall();
  const path = options.mode === 'bulk' ? '/api/users/bulkUpdate' : '/api/users/update';
  const departures = recordDepartures(path, options.callsPerWindow);
  const usage = startUsage();
  const succeeded = options.mode === 'one_by_one' ? await sendOneByOne(options) : await push(options, options.mode);
  return { ...usage(), departures: departures(), succeeded };
});
