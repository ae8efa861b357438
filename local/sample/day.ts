import { type BadCall, badCalls } from '../../samples/bad-calls';
import type { QualiaOrder } from '../../samples/orders';
import { sampleOrder } from '../../samples/orders';
import { createRandom, type Random } from '../../samples/random';
import type { WebhookCall } from '../../samples/webhook-call';
import type { Fault } from '../simulators/faults';
import { type OrderStory, orderStories } from './stories';

/** A call of the day, with the response that is expected. */
export interface DayCall extends WebhookCall {
  /** The order of the call; undefined for a bad call, which must not create an order. */
  readonly orderId?: string;
  /** Name of the call whose response must have arrived before this call is sent. */
  readonly after?: string;
  readonly expectedStatus: number;
  /** `status` in the body of a 200 response. */
  readonly expectedAnswer?: 'queued' | 'duplicate' | 'stale';
  /** The expected final state of the order. */
  readonly expectedOutcome?: Outcome;
}

/** The final state of an order. */
type Outcome = 'PROCESSED' | 'FAILED';

/** A day of webhooks, with the orders and faults for the simulators, and the expected outcomes. */
export interface MixedDay {
  readonly calls: readonly DayCall[];
  readonly orders: QualiaOrder[];
  /** For `PUT /_control/faults` of each simulator. */
  readonly faults: { readonly qualia: Fault[]; readonly internalApi: Fault[] };
  /** By order id; `errorCode` only where the contract names one. `rounds` is the number of webhooks that start a round. */
  readonly expected: Record<
    string,
    { readonly outcome: Outcome; readonly errorCode?: string; readonly rounds: number }
  >;
}

/**
 * A day as Qualia can send it: mostly plain orders, and every special case in `stories` and `bad`, by its share. The
 * same input gives the same day.
 *
 * @param options `orders` is the number of orders, default 300; bad calls are added to them. `firstOrder` is the index
 * of the first of them among all sample orders: days that do not overlap share no order. `nowMs` is when the day is
 * posted: notifications carry times shortly before it. Empty `stories` and `bad` give a day of plain orders.
 *
 * @example
 * const day = mixedDay({ orders: 5000, seed: 1, nowMs: Date.now() });
 */
export const mixedDay = (options: {
  readonly orders?: number;
  readonly firstOrder?: number;
  readonly seed: number;
  readonly nowMs: number;
  readonly stories?: readonly OrderStory[];
  readonly bad?: readonly BadCall[];
}): MixedDay => {
  const { orders: count = 300, firstOrder = 0, seed, nowMs, stories = orderStories, bad = badCalls } = options;
  const random = createRandom(seed);
  const day: MixedDay = { calls: [], orders: [], faults: { qualia: [], internalApi: [] }, expected: {} };
  const timeline: { readonly at: number; readonly call: DayCall }[] = [];

  assignStories(count, stories, random).forEach((story, index) => {
    const order = sampleOrder(firstOrder + index);
    const orderId = order._id;
    const outcome = story.outcome ?? 'PROCESSED';
    const served = story.order === undefined ? order : story.order(order);
    if (served !== undefined) day.orders.push(served);
    for (const fault of story.qualiaFaults ?? []) day.faults.qualia.push({ ...fault, match: { order_id: orderId } });
    for (const fault of story.internalApiFaults ?? [])
      day.faults.internalApi.push({ ...fault, match: { order_id: orderId } });
    const sends: NonNullable<OrderStory['sends']> = story.sends ?? [{}];
    const rounds = sends.filter(({ expectedAnswer = 'queued' }) => expectedAnswer === 'queued').length;
    day.expected[orderId] = { outcome, rounds, ...(story.errorCode !== undefined && { errorCode: story.errorCode }) };

    const times = sends.map(() => random.fraction()).sort((a, b) => a - b);
    const newestMs = nowMs - random.integer(1_000, 120_000);
    const timestamp = random.pick(timestampForms);
    const oldestAgeMs = Math.max(...sends.map(({ ageMs = 0 }) => ageMs));
    const callName = (nth: number) =>
      `order ${index + 1} ${story.name}${sends.length > 1 ? ` (${nth + 1} of ${sends.length})` : ''}`;

    sends.forEach(({ ageMs = 0, expectedAnswer = 'queued', shape = story.shape }, nth) => {
      const body =
        shape === 'activity'
          ? activityBody(orderId, random)
          : JSON.stringify({
              order_id: orderId,
              notification_type: ageMs === oldestAgeMs ? 'order.created' : 'order.updated',
              timestamp: timestamp(newestMs - ageMs),
            });
      const call: DayCall = {
        name: callName(nth),
        orderId,
        ...webhook,
        body,
        authentication: random.chance(0.3) ? 'signature' : 'basic',
        ...(nth > 0 ? { after: callName(nth - 1) } : {}),
        expectedStatus: 200,
        expectedAnswer,
        expectedOutcome: outcome,
      };
      timeline.push({ at: times[nth] ?? 1, call });
    });
  });

  for (const { share, name, ...call } of bad) {
    for (let nth = 1; nth <= atLeastOne(count * share); nth += 1) {
      timeline.push({ at: random.fraction(), call: { ...webhook, name: `bad call: ${name} ${nth}`, ...call } });
    }
  }

  return { ...day, calls: timeline.sort((a, b) => a.at - b.at).map(({ call }) => call) };
};

const webhook = { method: 'POST', path: '/webhooks/qualia', headers: { 'content-type': 'application/json' } };

const atLeastOne = (count: number) => Math.max(1, Math.round(count));

/** Chooses a story for each order. A notification needs a `QO-` id, which even indexes have. The other orders are plain. */
const assignStories = (count: number, stories: readonly OrderStory[], random: Random): OrderStory[] => {
  const assigned: OrderStory[] = Array.from(
    { length: count },
    (_, index) => plain[index % 2 === 0 ? 'notification' : 'activity'],
  );
  const indexes = random.shuffle(assigned.map((_, index) => index));
  const free = {
    notification: indexes.filter((index) => index % 2 === 0),
    activity: indexes.filter((index) => index % 2 === 1),
  };
  for (const story of stories) {
    for (const index of free[story.shape].splice(0, atLeastOne(count * story.share))) assigned[index] = story;
  }
  return assigned;
};

const plain: Record<OrderStory['shape'], OrderStory> = {
  notification: { name: 'plain notification', shape: 'notification', share: 0 },
  activity: { name: 'plain activity', shape: 'activity', share: 0 },
};

const timestampForms: readonly [(ms: number) => string, ...((ms: number) => string)[]] = [
  (ms) => new Date(ms).toISOString(),
  (ms) => `${new Date(ms + 2 * 3_600_000).toISOString().slice(0, 23)}+02:00`,
  (ms) => `${new Date(ms - 5 * 3_600_000).toISOString().slice(0, 23)}-05:00`,
];

const activityTypes = [
  'order_request',
  'order_cancelled',
  'order_completed',
  'order_revision_requested',
  'message',
  'documents',
] as const;

const activityBody = (orderId: string, random: Random) => {
  const type = random.pick(activityTypes);
  return JSON.stringify({
    type,
    order_id: orderId,
    description: `Maria Sample sent news about this order (${type})`,
    ...(type === 'message' ? { message_id: `msg${random.integer(10_000, 99_999)}` } : {}),
  });
};
