import fc from 'fast-check';
import type { Fault } from '../../../local/simulators/faults';
import type { WorkerName } from '../../../shared/orders/order';
import { qualiaOrder } from '../../support/qualia-orders';
import type { RecursiveLoops } from '../support/invocation-trace';
import { readRecursiveLoops } from '../support/recursive-loops';
import { startTimeline, type TimelineOptions } from '../support/timeline';

/**
 * Random outages. Few, because the simulation also runs through outages. Increase it before a release: `OUTAGE_RUNS=500 npx jest
 * --selectProjects integration --testPathPatterns back-pressure`.
 */
const randomOutages = Number(process.env.OUTAGE_RUNS ?? 1);
const hourMs = 3_600_000;

type Timeline = Awaited<ReturnType<typeof startTimeline>>;

let timeline: Timeline | undefined;
const stop = async (): Promise<void> => {
  const running = timeline;
  timeline = undefined;
  await running?.stop();
};
afterEach(stop);

/** The settings of the template. With `Terminate`, a worker would produce dead letters here too. */
const recursiveLoops = readRecursiveLoops();

const start = async (options: TimelineOptions): Promise<Timeline> => {
  await stop();
  timeline = await startTimeline({ recursiveLoops, ...options });
  return timeline;
};

const addOrders = async ({ pipeline }: Timeline, count: number): Promise<readonly string[]> => {
  const ids = Array.from({ length: count }, (_, index) => `QO-${index}`);
  await pipeline.qualia.add(...ids.map((id) => ({ ...qualiaOrder(), _id: id, order_number: `MKT-${id}` })));
  for (const id of ids) await pipeline.startRound(id);
  return ids;
};

const apiOf = ({ pipeline }: Timeline, worker: WorkerName) =>
  worker === 'download' ? pipeline.qualia : pipeline.internalApi;

const expectAllProcessedOnce = async ({ pipeline }: Timeline, ids: readonly string[]): Promise<void> => {
  for (const id of ids) {
    expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
    expect(await pipeline.internalApi.effectsOf(id)).toBe(1);
  }
};

/** An environment's circuit opens after five failures, and one call probes it every 30 s. */
const expectFewCalls = async (
  line: Timeline,
  worker: WorkerName,
  { environments, replacementProbability }: Pick<Outage, 'environments' | 'replacementProbability'>,
): Promise<void> => {
  // A new environment starts with a closed circuit.
  if (replacementProbability > 0) return;
  const calls = await apiOf(line, worker).calls();
  expect(calls).toBeLessThanOrEqual(environments * (5 + hourMs / 30_000));
  // If there are more than four calls per environment, one of them has made five.
  if (calls > environments * 4) expect(line.pipeline.metrics.added).toContain('CircuitOpen');
};

/** Faults that affect every call to an API. */
const outages: readonly Fault[] = [
  { kind: 'server_error' },
  { kind: 'server_error', retry_after: 120 },
  { kind: 'hang_up' },
  { kind: 'client_error', status: 408 },
  { kind: 'rate_limited' },
  { kind: 'rate_limited', retry_after: 3 },
  { kind: 'rate_limited', retry_after: 9 },
  { kind: 'rate_limited', retry_after: 1_800 },
];

type Outage = {
  worker: WorkerName;
  fault: Fault;
  orders: number;
  environments: number;
  replacementProbability: number;
  seed: number;
};

const outage: fc.Arbitrary<Outage> = fc.record({
  worker: fc.constantFrom<WorkerName>('download', 'processing'),
  fault: fc.constantFrom(...outages),
  orders: fc.integer({ min: 1, max: 4 }),
  environments: fc.integer({ min: 1, max: 6 }),
  replacementProbability: fc.constantFrom(0, 0.1, 1),
  seed: fc.nat(),
});

/** A single order, whose calls are the probes of the circuit. */
const singleOrder: Outage = {
  worker: 'download',
  fault: { kind: 'server_error' },
  orders: 1,
  environments: 1,
  replacementProbability: 0,
  seed: 1,
};
/** Several orders. Without a circuit, each would make its own calls. */
const severalOrders: Outage = { ...singleOrder, worker: 'processing', orders: 6, fault: { kind: 'hang_up' } };
/** A single order that always gets an environment with a closed circuit. */
const singleOrderInNewEnvironments: Outage = {
  ...singleOrder,
  worker: 'processing',
  environments: 6,
  replacementProbability: 1,
};
const examples: [Outage][] = [[singleOrder], [severalOrders], [singleOrderInNewEnvironments]];

test(
  'an API is down for an hour: no dead letter and no failed order, and all orders are processed afterwards',
  async () => {
    await fc.assert(
      fc.asyncProperty(outage, async ({ worker, fault, orders, ...options }) => {
        const line = await start({
          ...options,
          onBatch: (returnedCount, errorCodes) => {
            // A message for which no call was made is replaced by a fresh copy. It does not return and lose a receive.
            expect(returnedCount).toBeLessThanOrEqual(errorCodes.filter((code) => code !== 'CIRCUIT_OPEN').length);
          },
        });
        const { pipeline } = line;
        const ids = await addOrders(line, orders);
        await apiOf(line, worker).setFaults(fault);
        await line.run(hourMs);
        await expectFewCalls(line, worker, options);
        const expected = worker === 'download' ? 'NOTIFIED' : 'DOWNLOADED';
        for (const id of ids) expect(await pipeline.orderOf(id)).toMatchObject({ status: expected });

        await apiOf(line, worker).setFaults();
        await line.run(hourMs);
        await expectAllProcessedOnce(line, ids);
        expect(pipeline.metrics.added).not.toContain('OrderFailed');
        for (const one of ['download', 'processing'] as const) expect(await pipeline.deadLetters(one)).toEqual([]);
      }),
      // The examples count as runs.
      { numRuns: examples.length + randomOutages, examples },
    );
  },
  (examples.length + randomOutages) * 60_000,
);

test.each<[WorkerName, RecursiveLoops]>([
  ['download', { download: 'Terminate', processing: 'Allow' }],
  ['processing', { download: 'Allow', processing: 'Terminate' }],
])('without `RecursiveLoop: Allow`, the %s worker produces dead letters in an outage', async (worker, loops) => {
  const line = await start({ environments: 1, seed: 1, recursiveLoops: loops });
  const [id = ''] = await addOrders(line, 1);
  await apiOf(line, worker).setFaults({ kind: 'server_error' });
  await line.run(2 * hourMs);
  expect(await line.pipeline.deadLetters(worker)).toHaveLength(1);
  const expected = worker === 'download' ? 'NOTIFIED' : 'DOWNLOADED';
  expect(await line.pipeline.orderOf(id)).toMatchObject({ status: expected });
});

describe("the internal API's 429 with Retry-After is respected to the second", () => {
  /** Posts one order, which is refused once per value of `retryAfters`. @returns the seconds between its calls */
  const gapsSeconds = async (...retryAfters: readonly (number | string)[]): Promise<readonly number[]> => {
    const line = await start({ environments: 1, seed: 1 });
    const [id = ''] = await addOrders(line, 1);
    await line.pipeline.internalApi.setFaults(
      ...retryAfters.map((retry_after) => ({ kind: 'rate_limited', times: 1, retry_after })),
    );
    await line.run(7 * 24 * hourMs);
    await expectAllProcessedOnce(line, [id]);
    const calls = await line.pipeline.internalApi.calledAtMs(id);
    return calls.slice(1).map((atMs, index) => (atMs - (calls[index] ?? 0)) / 1_000);
  };
  /** The HTTP date this many seconds after the start of the timeline. */
  const dateIn = (seconds: number) => new Date(Date.parse('2026-01-01T00:00:00Z') + seconds * 1_000).toUTCString();

  test.each([1, 3, 8])('%i s: the worker waits within the invocation', async (seconds) => {
    expect(await gapsSeconds(seconds)).toEqual([seconds]);
    expect(await gapsSeconds(dateIn(seconds))).toEqual([seconds]);
    expect(timeline?.pipeline.waitsSeconds).toEqual([]);
  });

  test.each([9, 90, 901, 7_200, 43_000])('%i s: the message is hidden', async (seconds) => {
    expect(await gapsSeconds(seconds)).toEqual([seconds]);
    expect(await gapsSeconds(dateIn(seconds))).toEqual([seconds]);
    expect(timeline?.pipeline.waitsSeconds).toEqual([seconds]);
  });

  test('by all orders of a worker, not only by the refused one', async () => {
    const line = await start({ environments: 2, seed: 1 });
    const { internalApi } = line.pipeline;
    const ids = await addOrders(line, 40);
    await internalApi.setFaults({ kind: 'rate_limited', retry_after: 600 });
    await line.run(600_000 - 1);
    // The first batches were already being posted when the first response arrived.
    expect(await internalApi.calls()).toBeLessThanOrEqual(2 * 10);
    await internalApi.setFaults();
    await line.run(hourMs);
    await expectAllProcessedOnce(line, ids);
  });

  test('for twelve hours, beyond the usual last receive', async () => {
    expect(await gapsSeconds(...Array.from({ length: 12 }, () => 3_600))).toEqual(
      Array.from({ length: 12 }, () => 3_600),
    );
  });

  test('for any sequence of values: no call is too early', async () => {
    const seconds = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 31, max: 20_000 }));
    await fc.assert(
      fc.asyncProperty(fc.array(seconds, { minLength: 1, maxLength: 12 }), async (waits) => {
        const gaps = await gapsSeconds(...waits);
        expect(gaps).toHaveLength(waits.length);
        for (const [index, gap] of gaps.entries()) expect(gap).toBeGreaterThanOrEqual(waits[index] ?? 0);
      }),
      { numRuns: 15 },
    );
  });
});
