import * as z from 'zod';
import { type MixedDay, mixedDay } from '../sample/day';
import { awaitOrders } from './await-orders';
import { control } from './control';
import type { DayLog, DayPlan } from './day-log';
import { postCalls } from './post-calls';
import type { Progress } from './progress';
import type { DayResult, InternalApiCounts } from './summary';
import { setFaults } from './surroundings';
import type { World } from './world';

const patienceMs = 120_000;

const countsSchema = z.object({
  posts: z.number(),
  distinct_orders: z.number(),
  posted_again: z.record(z.string(), z.number()),
});
const outputsSchema = z.object({ OrdersTableName: z.string() });

/** The day of a plan. */
export const dayOf = (plan: DayPlan): MixedDay => mixedDay(plan);

const readCounts = async ({ internalApi }: World): Promise<InternalApiCounts | undefined> =>
  internalApi && countsSchema.parse(await control(`${internalApi.controlUrl}/orders`, 'GET'));

const countsSince = (before?: InternalApiCounts, after?: InternalApiCounts): InternalApiCounts | undefined =>
  before &&
  after && {
    posts: after.posts - before.posts,
    distinct_orders: after.distinct_orders - before.distinct_orders,
    posted_again: after.posted_again,
  };

/** Posts the webhooks of a day that have no answer yet, and waits until all of its orders are closed. */
export const runDay = async (world: World, plan: DayPlan, log: DayLog, progress: Progress): Promise<DayResult> => {
  const day = dayOf(plan);
  const resumed = log.openDay === plan;
  if (!resumed) log.begin(plan);
  const calls = resumed ? day.calls.filter(({ name }) => !log.answered.has(name)) : day.calls;
  // For a resumed day, `startWorld` set them before it started the embedded AWS.
  if (!resumed) await setFaults(world, day.faults);
  const before = await readCounts(world);

  let answered = day.calls.length - calls.length;
  const answers = await postCalls({
    apiUrl: world.aws.apiUrl,
    secret: world.secrets.WebhookSecret,
    calls,
    onAnswer: ({ call }) => {
      log.recordAnswer(call.name);
      progress.update(`webhooks answered ${++answered} of ${day.calls.length}`);
    },
  });

  const orderIds = Object.keys(day.expected);
  const outputs = Object.entries(world.aws.outputs).find(([stack]) => stack.endsWith('-Data'))?.[1];
  const closed = await awaitOrders({
    endpoint: world.aws.endpoints.dynamodb,
    tableName: outputsSchema.parse(outputs).OrdersTableName,
    orderIds,
    patienceMs,
    onProgress: (done) => {
      const failed = [...done.values()].filter(({ status }) => status === 'FAILED').length;
      progress.update(
        `webhooks answered ${answered} of ${day.calls.length} · orders processed ${done.size - failed}, failed ${failed}, open ${orderIds.length - done.size}`,
      );
    },
  });
  progress.end();

  const internalApi = countsSince(before, await readCounts(world));
  if (closed.size === orderIds.length) log.close();
  return { day, answers, closed, internalApi, resumed };
};
