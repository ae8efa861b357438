import fc from 'fast-check';
import { ServiceFault } from '../../../../../ops/services/fault';
import {
  type ReplayDependencies,
  type ReplayResult,
  type RoundEnd,
  runReplay,
} from '../../../../../ops/services/replay/run-replay';
import type { OrderId } from '../../../../../shared/orders/order';
import { requestId, round } from '../../../../support/orders';

/** How the n-th order of a replay behaves. */
interface Behavior {
  /** Undefined if its round never ends. */
  readonly latencyMs?: number;
  readonly end?: RoundEnd;
  readonly startFails?: boolean;
}

interface ReplayPlan extends Partial<ReplayDependencies> {
  readonly count: number;
  readonly ratePerSecond?: number;
  readonly behaviorOf?: (index: number) => Behavior;
  readonly signal?: AbortSignal;
  readonly onStart?: (index: number) => void;
}

/** Replays orders in a simulated pipeline with a fake clock. */
const replay = async ({ count, ratePerSecond = 10, behaviorOf = () => ({}), ...dependencies }: ReplayPlan) => {
  let nowMs = 1_000_000;
  const orderIds = Array.from({ length: count }, (_, index) => `QO-${index}` as OrderId);
  const startedAtMs = new Map<OrderId, number>();
  const results: ReplayResult[] = [];
  const waits: number[] = [];
  const ends = (orderId: OrderId): RoundEnd | undefined => {
    const { latencyMs = 100, end = { outcome: 'posted' } } = behaviorOf(orderIds.indexOf(orderId));
    return nowMs >= (startedAtMs.get(orderId) ?? 0) + latencyMs ? end : undefined;
  };
  const summary = await runReplay(
    orderIds,
    {
      start: async (orderId) => {
        const index = orderIds.indexOf(orderId);
        expect(startedAtMs.has(orderId)).toBe(false);
        startedAtMs.set(orderId, nowMs);
        dependencies.onStart?.(index);
        if (behaviorOf(index).startFails) return { error: 'No.' };
        return { requestId: requestId(orderId), round: round(index) };
      },
      readEnds: async (rounds) =>
        new Map(
          [...rounds.keys()].flatMap((orderId) => {
            const end = ends(orderId);
            return end === undefined ? [] : [[orderId, end] as const];
          }),
        ),
      isCircuitOpen: () => false,
      onResult: (result) => results.push(result),
      onWait: (orders) => waits.push(orders),
      onProgress: async () => undefined,
      now: () => nowMs,
      sleep: async (ms) => {
        nowMs += ms;
      },
      ...dependencies,
    },
    { ratePerSecond, signal: dependencies.signal ?? new AbortController().signal },
  );
  const of = (outcome: ReplayResult['outcome']): number =>
    results.filter((result) => result.outcome === outcome).length;
  const startTimes = [...startedAtMs.values()].map((ms) => ms - 1_000_000);
  return { ...summary, results, waits, of, startTimes, endedAtMs: nowMs - 1_000_000 };
};

const failed: RoundEnd = { outcome: 'failed', code: 'UNKNOWN_STATE' };

test('follows every order to its end', async () => {
  const outcomes: RoundEnd[] = [{ outcome: 'posted' }, { outcome: 'unchanged' }, { outcome: 'superseded' }];
  const { stopped, left, of, results } = await replay({
    count: 30,
    behaviorOf: (index) => ({ end: outcomes[index % 3] ?? failed }),
  });
  expect({ stopped, left }).toEqual({ stopped: undefined, left: [] });
  expect([of('posted'), of('unchanged'), of('superseded')]).toEqual([10, 10, 10]);
  expect(results[0]).toEqual({ orderId: 'QO-0', requestId: 'QO-0', round: round(0), outcome: 'posted' });
});

test('starts three orders, and no other until these have ended', async () => {
  const { startTimes } = await replay({
    count: 9,
    ratePerSecond: 100,
    behaviorOf: (index) => ({ latencyMs: index === 1 ? 40_000 : 100 }),
  });
  expect(startTimes.slice(0, 3).every((ms) => ms < 100)).toBe(true);
  expect(startTimes.slice(3).every((ms) => ms > 40_000)).toBe(true);
});

test('stops after the first wave if all of it fails', async () => {
  const { stopped, left, of } = await replay({ count: 100, behaviorOf: () => ({ end: failed }) });
  expect(stopped).toBe('too_many_failed');
  expect(of('failed')).toBe(3);
  expect(left).toHaveLength(97);
});

test('an order that cannot be started counts as failed, and can be continued', async () => {
  const { stopped, left, results } = await replay({ count: 50, behaviorOf: (index) => ({ startFails: index === 1 }) });
  expect(stopped).toBeUndefined();
  expect(left).toEqual(['QO-1']);
  expect(results).toContainEqual({ orderId: 'QO-1', outcome: 'not_started', error: 'No.' });
  expect(await replay({ count: 50, behaviorOf: () => ({ startFails: true }) })).toMatchObject({
    stopped: 'too_many_failed',
    left: { length: 50 },
  });
});

test('stops when a circuit opens, and waits for a while for rounds in flight', async () => {
  let started = 0;
  const { stopped, of, left, waits, endedAtMs } = await replay({
    count: 1_000,
    behaviorOf: (index) => (index < 30 ? {} : { latencyMs: index < 33 ? 5_000 : Number.POSITIVE_INFINITY }),
    onStart: () => started++,
    isCircuitOpen: () => started > 35,
  });
  expect(stopped).toBe('circuit_open');
  expect([of('posted'), of('under_way'), left.length]).toEqual([33, 3, 964]);
  expect(waits).toEqual([6]);
  expect(endedAtMs).toBeLessThan(60_000);
});

test('stops when no order ends any more', async () => {
  const { stopped, of, left } = await replay({
    count: 10,
    behaviorOf: () => ({ latencyMs: Number.POSITIVE_INFINITY }),
  });
  expect(stopped).toBe('nothing_ends');
  expect([of('under_way'), left.length]).toEqual([3, 7]);
});

test('Ctrl-C starts no more orders, and reports the results immediately', async () => {
  const controller = new AbortController();
  const { stopped, of, left, waits, endedAtMs } = await replay({
    count: 100,
    signal: controller.signal,
    onStart: (index) => index === 20 && controller.abort(),
  });
  expect(stopped).toBe('interrupted');
  expect(of('posted') + of('under_way')).toBe(21);
  expect(left).toHaveLength(79);
  expect(waits).toEqual([]);
  expect(endedAtMs).toBeLessThan(20_000);
});

test('stops cleanly when AWS no longer responds', async () => {
  const fault = new ServiceFault('unreachable', 'The token has expired.');
  const { stopped, fault: reported, left } = await replay({ count: 10, readEnds: () => Promise.reject(fault) });
  expect({ stopped, reported, left: left.length }).toEqual({ stopped: 'unreachable', reported: fault, left: 7 });
});

test('a bug is thrown', async () => {
  const bug = () => Promise.reject(new TypeError('a bug'));
  await expect(replay({ count: 10, readEnds: bug })).rejects.toThrow('a bug');
  await expect(replay({ count: 10, start: bug })).rejects.toThrow('a bug');
});

test('reports the remaining orders as it proceeds', async () => {
  const seen: number[] = [];
  await replay({ count: 40, onProgress: async (left) => void seen.push(left().length) });
  expect(seen.at(-1)).toBe(0);
  expect(seen.length).toBeGreaterThan(3);
  expect(seen).toEqual(seen.toSorted((a, b) => b - a));
});

test('property: with any failures, at most three orders and a tenth fail, each starts once, none is omitted, the rate is respected', () =>
  fc.assert(
    fc.asyncProperty(
      fc.record({
        count: fc.integer({ min: 1, max: 300 }),
        ratePerSecond: fc.integer({ min: 1, max: 100 }),
        behaviors: fc.array(
          fc.record({
            latencyMs: fc.integer({ min: 0, max: 60_000 }),
            chance: fc.double({ min: 0, max: 1, noNaN: true }),
          }),
          { minLength: 1, maxLength: 50 },
        ),
        failureShare: fc.constantFrom(0, 0.05, 0.1, 0.5, 1),
        failsFrom: fc.integer({ min: 0, max: 300 }),
      }),
      async ({ count, ratePerSecond, behaviors, failureShare, failsFrom }) => {
        const behaviorOf = (index: number): Behavior => {
          const { latencyMs = 0, chance = 0 } = behaviors[(index * 7) % behaviors.length] ?? {};
          const fails = index >= failsFrom && chance < failureShare;
          return { latencyMs, ...(fails && (chance < failureShare / 2 ? { startFails: true } : { end: failed })) };
        };
        const { stopped, left, results, of, startTimes } = await replay({ count, ratePerSecond, behaviorOf });
        const lost = of('failed') + of('not_started') + of('under_way');
        expect(lost).toBeLessThanOrEqual(3 + Math.floor(count / 10));
        expect(new Set(results.map(({ orderId }) => orderId)).size).toBe(results.length);
        expect(results.length - of('not_started') + left.length).toBe(count);
        if (stopped === undefined) expect(left).toHaveLength(of('not_started'));
        startTimes.forEach((ms, index) => {
          const before = startTimes[index - 1];
          if (before !== undefined) expect(ms - before).toBeGreaterThanOrEqual(1_000 / ratePerSecond - 1e-6);
        });
      },
    ),
    { numRuns: 200 },
  ));
