import * as z from 'zod';
import { type MixedDay, mixedDay } from '../sample/day';
import { awaitOrders } from './await-orders';
import { control } from './control';
import type { DayLog, DayPlan } from './day-log';
import { findOrdersTable } from './orders-table';
import { postCalls } from './post-calls';
import type { DayResult, InternalApiCounts } from './summary';
import { setFaults } from './surroundings';
import type { World } from './world';

const patienceMs = 120_000;

const countsSchema = z.object({
  posts: z.number(),
  distinct_orders: z.number(),
  posted_again: z.record(z.string(), z.number()),
});

/** The day of a plan. */
export const dayOf = (plan: DayPlan): MixedDay => mixedDay(plan);

const readCounts = async (
  { internalApi }: World,
  orderIds: readonly string[],
): Promise<InternalApiCounts | undefined> =>
  internalApi && countsSchema.parse(await control(`${internalApi.controlUrl}/counts`, 'POST', orderIds));

/** Posts the webhooks of a day that have no answer yet, and waits until all of its orders are closed. */
export const runDay = async (
  world: World,
  plan: DayPlan,
  log: DayLog,
  onProgress: (text: string) => void,
): Promise<DayResult> => {
  const day = dayOf(plan);
  const resumed = log.openDay === plan;
  if (!resumed) log.begin(plan);
  const calls = resumed ? day.calls.filter(({ name }) => !log.answered.has(name)) : day.calls;
  // For a resumed day, `startWorld` set them before it started the embedded AWS.
  if (!resumed) await setFaults(world, day.faults);

  let answered = day.calls.length - calls.length;
  const answers = await postCalls({
    apiUrl: world.aws.apiUrl,
    secret: world.secrets.WebhookSecret,
    calls,
    onAnswer: ({ call }) => {
      log.recordAnswer(call.name);
      onProgress(`webhooks answered ${++answered} of ${day.calls.length}`);
    },
  });

  const orderIds = Object.keys(day.expected);
  const closed = await awaitOrders({
    ...findOrdersTable(world.aws),
    orderIds,
    patienceMs,
    onProgress: (done) => {
      const failed = [...done.values()].filter(({ status }) => status === 'FAILED').length;
      onProgress(`orders processed ${done.size - failed}, failed ${failed}, open ${orderIds.length - done.size}`);
    },
  });
  onProgress('');

  const internalApi = await readCounts(world, orderIds);
  if (closed.size === orderIds.length) log.close();
  return { day, answers, closed, internalApi, resumed };
};
