import type { DayCall } from '../../../../local/sample/day';
import type { OrderState } from '../../../../local/start/orders-table';
import { type DayResult, findSurprises, summarize } from '../../../../local/start/summary';

const call = (fields: Partial<DayCall> = {}): DayCall => ({
  name: 'a call',
  method: 'POST',
  path: '/webhooks/qualia',
  headers: {},
  body: '{}',
  authentication: 'basic',
  expectedStatus: 200,
  expectedAnswer: 'queued',
  ...fields,
});

const processed = (orderId: string, ms: number) => ({
  order_id: orderId,
  status: 'PROCESSED',
  notified_at: new Date(0).toISOString(),
  processed_at: new Date(ms).toISOString(),
});

const failed = (orderId: string, code: string) => ({
  order_id: orderId,
  status: 'FAILED',
  notified_at: new Date(0).toISOString(),
  error: { code },
});

const asExpected: DayResult = {
  day: {
    expected: {
      a: { outcome: 'PROCESSED', rounds: 1 },
      b: { outcome: 'FAILED', errorCode: 'UNKNOWN_STATE', rounds: 1 },
    },
  },
  answers: [{ call: call(), status: 200, outcome: 'queued' }],
  closed: new Map<string, OrderState>([
    ['a', processed('a', 120)],
    ['b', failed('b', 'UNKNOWN_STATE')],
  ]),
  internalApi: { posts: 1, distinct_orders: 1, posted_again: {} },
  resumed: false,
};

test('a day as expected has no surprises, and these figures', () => {
  expect(findSurprises(asExpected)).toEqual([]);
  expect(summarize(asExpected)).toEqual({
    orders: { PROCESSED: 1, FAILED: 1 },
    expected: { PROCESSED: 1, FAILED: 1 },
    webhooks: { '200': 1 },
    internal_api: { posts: 1, distinct_orders: 1 },
    end_to_end_ms: { p50: 120, p95: 120 },
  });
});

test.each<[string, Partial<DayResult>, string]>([
  ['a wrong status', { answers: [{ call: call(), status: 500, outcome: undefined }] }, 'answered 500, not 200'],
  ['a wrong answer', { answers: [{ call: call(), status: 200, outcome: 'stale' }] }, 'answered "stale"'],
  ['an open order', { closed: new Map([['b', failed('b', 'UNKNOWN_STATE')]]) }, 'a: still open'],
  [
    'a wrong outcome',
    { closed: new Map<string, OrderState>([...asExpected.closed, ['a', failed('a', 'TIMEOUT')]]) },
    'a: FAILED, not PROCESSED',
  ],
  [
    'a wrong code',
    { closed: new Map<string, OrderState>([...asExpected.closed, ['b', failed('b', 'TIMEOUT')]]) },
    'b: failed with TIMEOUT, not UNKNOWN_STATE',
  ],
  [
    'an order that was never posted',
    { internalApi: { posts: 0, distinct_orders: 0, posted_again: {} } },
    'took posts of 0 orders, not 1',
  ],
  [
    'an order posted twice in one round',
    { internalApi: { posts: 2, distinct_orders: 1, posted_again: { a: 2 } } },
    'a: posted 2 times in 1 rounds',
  ],
])('%s is reported', (_, change, sentence) => {
  expect(findSurprises({ ...asExpected, ...change }).join()).toContain(sentence);
});

test('the newest of two overlapping rounds can be posted again', () => {
  const expected = { ...asExpected.day.expected, a: { outcome: 'PROCESSED' as const, rounds: 2 } };
  const postedAgain = (posts: number) => ({
    ...asExpected,
    day: { expected },
    internalApi: { posts, distinct_orders: 1, posted_again: { a: posts } },
  });
  expect(findSurprises(postedAgain(3))).toEqual([]);
  expect(findSurprises(postedAgain(4))).toEqual(['a: posted 4 times in 2 rounds']);
});

test('the resumed start does not report differences caused by the killed one', () => {
  const resumed = { ...asExpected, resumed: true, internalApi: { posts: 0, distinct_orders: 0, posted_again: {} } };
  expect(findSurprises({ ...resumed, answers: [{ call: call(), status: 200, outcome: 'duplicate' }] })).toEqual([]);
});
