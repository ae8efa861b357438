import fc from 'fast-check';
import type { Fault } from '../../../local/simulators/faults';
import { qualiaOrder } from '../../support/qualia-orders';
import type { RecursiveLoops } from '../support/invocation-trace';
import type { StageName } from '../support/pipeline';
import { readRecursiveLoops } from '../support/recursive-loops';
import { startTimeline, type TimelineOptions } from '../support/timeline';

/** More of them before a release: `OUTAGE_RUNS=500 npx jest --selectProjects integration --testPathPatterns back-pressure`. */
const numRuns = Number(process.env.OUTAGE_RUNS ?? 5);
const hourMs = 3_600_000;

type Timeline = Awaited<ReturnType<typeof startTimeline>>;

let timeline: Timeline | undefined;
const stop = async (): Promise<void> => {
  const running = timeline;
  timeline = undefined;
  await running?.stop();
};
afterEach(stop);

/** As deployed: a worker that forgets to allow its loop leaves dead letters here too. */
const recursiveLoops = readRecursiveLoops();

const start = async (options: TimelineOptions): Promise<Timeline> => {
  await stop();
  timeline = await startTimeline({ recursiveLoops, ...options });
  return timeline;
};

const addOrders = async ({ pipeline }: Timeline, count: number): Promise<readonly string[]> => {
  const ids = Array.from({ length: count }, (_, index) => `QO-${index}`);
  await pipeline.qualia.add(...ids.map((id) => ({ ...qualiaOrder(), _id: id, order_number: `MKT-${id}` })));
  for (const id of ids) await pipeline.touch(id);
  return ids;
};

const apiOf = ({ pipeline }: Timeline, stage: StageName) =>
  stage === 'download' ? pipeline.qualia : pipeline.internalApi;

const expectAllProcessedOnce = async ({ pipeline }: Timeline, ids: readonly string[]): Promise<void> => {
  for (const id of ids) {
    expect(await pipeline.orderOf(id)).toMatchObject({ status: 'PROCESSED' });
    expect(await pipeline.internalApi.effectsOf(id)).toBe(1);
  }
};

/** A worker's circuit opens after five failures, and one call probes it every 30 s. */
const expectFewCalls = async (
  line: Timeline,
  stage: StageName,
  { workers, replaced }: Pick<Outage, 'workers' | 'replaced'>,
): Promise<void> => {
  // A new worker begins with a closed circuit.
  if (replaced > 0) return;
  const calls = await apiOf(line, stage).calls();
  expect(calls).toBeLessThanOrEqual(workers * (5 + hourMs / 30_000));
  // More than four for each of them: one had five.
  if (calls > workers * 4) expect(line.pipeline.metrics.added).toContain('CircuitOpen');
};

/** The ways in which an API is down for everybody. */
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

type Outage = { stage: StageName; fault: Fault; orders: number; workers: number; replaced: number; seed: number };

const outage: fc.Arbitrary<Outage> = fc.record({
  stage: fc.constantFrom<StageName>('download', 'processing'),
  fault: fc.constantFrom(...outages),
  orders: fc.integer({ min: 1, max: 4 }),
  workers: fc.integer({ min: 1, max: 6 }),
  replaced: fc.constantFrom(0, 0.1, 1),
  seed: fc.nat(),
});

/** An order at night: it is the probe each time. */
const alone: Outage = {
  stage: 'download',
  fault: { kind: 'server_error' },
  orders: 1,
  workers: 1,
  replaced: 0,
  seed: 1,
};
/** With no circuit, each of them would call on its own. */
const crowd: Outage = { ...alone, stage: 'processing', orders: 6, fault: { kind: 'hang_up' } };
/** Each time it meets a worker whose circuit is closed. */
const aloneAmongStrangers: Outage = { ...alone, stage: 'processing', workers: 6, replaced: 1 };

test(
  'an API down for an hour, whatever worker gets whatever message: no dead letter, no failure, and all drain afterwards',
  async () => {
    await fc.assert(
      fc.asyncProperty(outage, async ({ stage, fault, orders, ...options }) => {
        const line = await start({
          ...options,
          onBatch: (cameBack, errorCodes) => {
            // A message that made no call is not among those that came back, and have one receive less.
            expect(cameBack).toBeLessThanOrEqual(errorCodes.filter((code) => code !== 'CIRCUIT_OPEN').length);
          },
        });
        const { pipeline } = line;
        const ids = await addOrders(line, orders);
        await apiOf(line, stage).setFaults(fault);
        await line.run(hourMs);
        await expectFewCalls(line, stage, options);
        const expected = stage === 'download' ? 'NOTIFIED' : 'DOWNLOADED';
        for (const id of ids) expect(await pipeline.orderOf(id)).toMatchObject({ status: expected });

        await apiOf(line, stage).setFaults();
        await line.run(hourMs);
        await expectAllProcessedOnce(line, ids);
        expect(pipeline.metrics.added).not.toContain('OrderFailed');
        for (const one of ['download', 'processing'] as const) expect(await pipeline.deadLetters(one)).toEqual([]);
      }),
      { numRuns, examples: [[alone], [crowd], [aloneAmongStrangers]] },
    );
  },
  numRuns * 30_000,
);

test.each<[StageName, RecursiveLoops]>([
  ['download', { download: 'Terminate', processing: 'Allow' }],
  ['processing', { download: 'Allow', processing: 'Terminate' }],
])('a %s worker whose loop is not allowed makes dead letters in such an hour', async (stage, loops) => {
  const line = await start({ workers: 1, seed: 1, recursiveLoops: loops });
  const [id = ''] = await addOrders(line, 1);
  await apiOf(line, stage).setFaults({ kind: 'server_error' });
  await line.run(2 * hourMs);
  expect(await line.pipeline.deadLetters(stage)).toHaveLength(1);
  const expected = stage === 'download' ? 'NOTIFIED' : 'DOWNLOADED';
  expect(await line.pipeline.orderOf(id)).toMatchObject({ status: expected });
});

describe("the internal API's 429 with Retry-After is honoured to the second", () => {
  /** @returns the seconds between the calls about one order that was refused so often */
  const gapsSeconds = async (...asked: readonly (number | string)[]): Promise<readonly number[]> => {
    const line = await start({ workers: 1, seed: 1 });
    const [id = ''] = await addOrders(line, 1);
    await line.pipeline.internalApi.setFaults(
      ...asked.map((retry_after) => ({ kind: 'rate_limited', times: 1, retry_after })),
    );
    await line.run(7 * 24 * hourMs);
    await expectAllProcessedOnce(line, [id]);
    const calls = await line.pipeline.internalApi.calledAtMs(id);
    return calls.slice(1).map((atMs, index) => (atMs - (calls[index] ?? 0)) / 1_000);
  };
  /** As the simulator's clock will have it when it answers. */
  const dateIn = (seconds: number) => new Date(Date.parse('2026-01-01T00:00:00Z') + seconds * 1_000).toUTCString();

  test.each([1, 3, 8])('%i s, within the invocation', async (seconds) => {
    expect(await gapsSeconds(seconds)).toEqual([seconds]);
    expect(await gapsSeconds(dateIn(seconds))).toEqual([seconds]);
    expect(timeline?.pipeline.waitsSeconds).toEqual([]);
  });

  test.each([9, 90, 901, 7_200, 43_000])('%i s, as a visibility', async (seconds) => {
    expect(await gapsSeconds(seconds)).toEqual([seconds]);
    expect(await gapsSeconds(dateIn(seconds))).toEqual([seconds]);
    expect(timeline?.pipeline.waitsSeconds).toEqual([seconds]);
  });

  test('by every order of a worker, not by the one that was answered', async () => {
    const line = await start({ workers: 2, seed: 1 });
    const { internalApi } = line.pipeline;
    const ids = await addOrders(line, 40);
    await internalApi.setFaults({ kind: 'rate_limited', retry_after: 600 });
    await line.run(600_000 - 1);
    // The first batch of each was on its way when the first answer came.
    expect(await internalApi.calls()).toBeLessThanOrEqual(2 * 10);
    await internalApi.setFaults();
    await line.run(hourMs);
    await expectAllProcessedOnce(line, ids);
  });

  test('hour after hour, past the last receive', async () => {
    expect(await gapsSeconds(...Array.from({ length: 12 }, () => 3_600))).toEqual(
      Array.from({ length: 12 }, () => 3_600),
    );
  });

  test('whatever is asked one after the other: never called too early', async () => {
    const seconds = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 31, max: 20_000 }));
    await fc.assert(
      fc.asyncProperty(fc.array(seconds, { minLength: 1, maxLength: 12 }), async (asked) => {
        const gaps = await gapsSeconds(...asked);
        expect(gaps).toHaveLength(asked.length);
        for (const [index, gap] of gaps.entries()) expect(gap).toBeGreaterThanOrEqual(asked[index] ?? 0);
      }),
      { numRuns: 15 },
    );
  });
});
