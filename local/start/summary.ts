import type { MixedDay } from '../sample/day';
import type { OrderState } from './orders-table';
import type { CallAnswer } from './post-calls';

/** How many posts about orders of the day the internal API accepted, and for how many of them. */
export interface InternalApiCounts {
  readonly posts: number;
  readonly distinct_orders: number;
  /** Order ID → number of posts, for orders posted more than once. */
  readonly posted_again: Readonly<Record<string, number>>;
}

export interface Latencies {
  readonly p50: number;
  readonly p95: number;
}

/** What `npm start -- --json` prints. */
export interface Summary {
  readonly orders: { readonly PROCESSED: number; readonly FAILED: number };
  readonly expected: { readonly PROCESSED: number; readonly FAILED: number };
  /** Status → number of webhook calls with this response status. */
  readonly webhooks: Readonly<Record<string, number>>;
  readonly internal_api: Pick<InternalApiCounts, 'posts' | 'distinct_orders'>;
  /** From the webhook's write to PROCESSED. */
  readonly end_to_end_ms: Latencies;
}

export interface DayResult {
  readonly day: Pick<MixedDay, 'expected'>;
  readonly answers: readonly CallAnswer[];
  /** By order id. Orders that are not in it are still open. */
  readonly closed: ReadonlyMap<string, OrderState>;
  /** Undefined where another server is used instead of the simulator. */
  readonly internalApi: InternalApiCounts | undefined;
  /** Part of the day was answered in an earlier start: its answers and posts are not counted here. */
  readonly resumed: boolean;
}

const countBy = <T>(list: Iterable<T>, key: (entry: T) => string): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const entry of list) counts[key(entry)] = (counts[key(entry)] ?? 0) + 1;
  return counts;
};

const outcomes = <T>(list: Iterable<T>, key: (entry: T) => string) => {
  const counts = countBy(list, key);
  return { PROCESSED: counts.PROCESSED ?? 0, FAILED: counts.FAILED ?? 0 };
};

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

const latenciesOf = (orders: Iterable<OrderState>): Latencies => {
  const sorted = [...orders]
    .flatMap(({ notified_at, processed_at }) =>
      processed_at ? Date.parse(processed_at) - Date.parse(notified_at) : [],
    )
    .sort((a, b) => a - b);
  return { p50: percentile(sorted, 0.5), p95: percentile(sorted, 0.95) };
};

/** The figures of a day. */
export const summarize = ({ day, answers, closed, internalApi }: DayResult): Summary => ({
  orders: outcomes(closed.values(), ({ status }) => status),
  expected: outcomes(Object.values(day.expected), ({ outcome }) => outcome),
  webhooks: countBy(answers, ({ status }) => String(status)),
  internal_api: { posts: internalApi?.posts ?? 0, distinct_orders: internalApi?.distinct_orders ?? 0 },
  end_to_end_ms: latenciesOf(closed.values()),
});

/** The figures of a start that posted nothing. */
export const emptySummary: Summary = summarize({
  day: { expected: {} },
  answers: [],
  closed: new Map(),
  internalApi: undefined,
  resumed: false,
});

/**
 * Each order must reach the internal API, and only once if only one round began. When rounds overlap, the older one may
 * be posted as well, and the newest is posted again after it (docs/contracts/internal-api.md).
 */
const wrongPosts = (day: DayResult['day'], closed: DayResult['closed'], internalApi: InternalApiCounts): string[] => {
  const { PROCESSED } = outcomes(closed.values(), ({ status }) => status);
  const { distinct_orders: orders, posted_again: postedAgain } = internalApi;
  const missing = orders === PROCESSED ? [] : [`the internal API took posts of ${orders} orders, not ${PROCESSED}`];
  const repeated = Object.entries(day.expected).flatMap(([orderId, { rounds }]) => {
    const posts = postedAgain[orderId] ?? 1;
    return posts <= 2 * rounds - 1 ? [] : `${orderId}: posted ${posts} times in ${rounds} rounds`;
  });
  return [...missing, ...repeated];
};

/** Everything that differs from what was expected, one sentence each. */
export const findSurprises = ({ day, answers, closed, internalApi, resumed }: DayResult): string[] => {
  const wrongAnswers = answers.flatMap(({ call, status, outcome }) => {
    if (status !== call.expectedStatus) return `${call.name}: answered ${status}, not ${call.expectedStatus}`;
    const isExpected = resumed || call.expectedAnswer === undefined || outcome === call.expectedAnswer;
    return isExpected ? [] : `${call.name}: answered "${outcome}", not "${call.expectedAnswer}"`;
  });
  const wrongOrders = Object.entries(day.expected).flatMap(([orderId, expected]) => {
    const order = closed.get(orderId);
    if (order === undefined) return `${orderId}: still open`;
    if (order.status !== expected.outcome) return `${orderId}: ${order.status}, not ${expected.outcome}`;
    const code = order.error?.code;
    return expected.errorCode === undefined || code === expected.errorCode
      ? []
      : `${orderId}: failed with ${code}, not ${expected.errorCode}`;
  });
  const posts = resumed || internalApi === undefined ? [] : wrongPosts(day, closed, internalApi);
  return [...wrongAnswers, ...wrongOrders, ...posts];
};
