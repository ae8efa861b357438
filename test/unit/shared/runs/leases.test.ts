import fc from 'fast-check';
import {
  AlreadyRunning,
  claimMs,
  createLeases,
  type Holder,
  isHeld,
  type Lease,
  type LeaseStore,
  leaseMarginMs,
  leaseMs,
} from '../../../../shared/runs/leases';

const iso = (ms: number) => new Date(ms).toISOString();

describe('isHeld', () => {
  const at = Date.UTC(2026, 10, 27);
  const lease: Lease = { run_id: 'a', generation: 3, claimed_until: iso(at) };
  const holder: Holder = { status: 'RUNNING', lease_generation: 3, leased_until: iso(at), updated_at: iso(at) };

  test.each([
    ['a running run that renews it', lease, holder, at - 1, true],
    ['a running run, shortly after the end', lease, holder, at + leaseMarginMs - 1, true],
    ['a running run that did not renew it', lease, holder, at + leaseMarginMs, false],
    ['a run that has ended', lease, { ...holder, status: 'SUCCEEDED' }, at - 1, false],
    ['a run that was stopped', lease, { ...holder, status: 'STOPPED' }, at - 1, false],
    ['a run that is starting', lease, undefined, at - 1, true],
    ['a run that starts again', { ...lease, generation: 4 }, { ...holder, status: 'FAILED' }, at - 1, true],
    ['a run that died before it started', lease, undefined, at + leaseMarginMs, false],
    [
      'a run that has taken its leases again since, without this one',
      lease,
      { ...holder, lease_generation: 4 },
      at + leaseMarginMs,
      false,
    ],
  ] as const)('%s', (_what, given, by, nowMs, expected) => {
    expect(isHeld(given, by, nowMs)).toBe(expected);
  });
});

/** Runs, leases and a clock in memory. `step` is awaited at every access, so that a scheduler can interleave them. */
const createWorld = (step: () => Promise<unknown>) => {
  let nowMs = Date.UTC(2026, 10, 27);
  const leases = new Map<string, Lease>();
  const runs = new Map<string, Holder>();
  const store: LeaseStore = {
    read: async (name) => {
      await step();
      return leases.get(name);
    },
    swap: async (name, seen, next) => {
      await step();
      const current = leases.get(name);
      const isSame =
        current?.run_id === seen?.run_id &&
        current?.generation === seen?.generation &&
        current?.claimed_until === seen?.claimed_until;
      if (isSame) leases.set(name, next);
      return isSame;
    },
  };
  const readRun = async (id: string) => {
    await step();
    return runs.get(id);
  };
  const { take } = createLeases({ store, readRun, sleep: async () => undefined });

  /** Like a write of the repository: takes the leases again unless they hold. @returns until when they hold */
  const renew = async (id: string, names: readonly string[], mayRevive: boolean): Promise<number | undefined> => {
    const atMs = nowMs;
    await step();
    const run = runs.get(id);
    if (run?.status === 'RUNNING' && (run.leased_until ?? '') > iso(atMs)) {
      runs.set(id, { ...run, leased_until: iso(atMs + leaseMs), updated_at: iso(atMs) });
      return atMs + leaseMs;
    }
    if (run?.status !== 'RUNNING' && !mayRevive) return undefined;
    const generation = (run?.lease_generation ?? 0) + 1;
    await take(id, generation, names, atMs);
    await step();
    runs.set(id, {
      status: 'RUNNING',
      lease_generation: generation,
      leased_until: iso(atMs + claimMs),
      updated_at: iso(atMs),
    });
    return atMs + claimMs;
  };
  const end = async (id: string, status: 'SUCCEEDED' | 'FAILED' | 'STOPPED') => {
    await step();
    const { leased_until: _, ...run } = runs.get(id) ?? { status, updated_at: iso(nowMs) };
    runs.set(id, { ...run, status });
  };
  return { now: () => nowMs, pass: (ms: number) => (nowMs += ms), renew, end };
};

const noSteps = async () => undefined;

test('the second of two runs is refused with the name of the first, and takes none of its leases', async () => {
  const { renew, end } = createWorld(noSteps);
  await renew('first', ['netlife/b'], true);
  await expect(renew('second', ['netlife/b', 'netlife/a'], true)).rejects.toThrow(
    new AlreadyRunning('netlife/b', 'first'),
  );
  await renew('third', ['netlife/a'], true);
  await end('first', 'SUCCEEDED');
  await renew('fourth', ['netlife/b'], true);
});

test('a lease of a dead run is free after its end, and not before', async () => {
  const { renew, pass } = createWorld(noSteps);
  await renew('first', ['iterable'], true);
  await renew('first', ['iterable'], false);
  pass(leaseMs + leaseMarginMs - 1);
  await expect(renew('second', ['iterable'], true)).rejects.toThrow(AlreadyRunning);
  pass(1);
  await renew('second', ['iterable'], true);
  await expect(renew('first', ['iterable'], false)).rejects.toThrow(AlreadyRunning);
});

/**
 * Runs that start, renew, end and start again, in any interleaving, while time passes between any two accesses. A run
 * believes that it holds its leases until the time that its newest write returned, minus the margin.
 */
test('at no time do two runs believe that they hold the same lease', async () => {
  const names = ['netlife/a', 'netlife/b', 'iterable'];
  const action = fc.constantFrom('renew' as const, 'end' as const, 'stop' as const, 'revive' as const);
  const actor = fc.record({
    leases: fc.subarray(names, { minLength: 1 }),
    actions: fc.array(action, { maxLength: 6 }),
  });
  // From a network call to a process that was frozen for longer than a lease.
  const pause = fc.constantFrom(0, 5, 5, 5, 20_000, claimMs + 1, 2 * claimMs, leaseMs, leaseMs + leaseMarginMs);
  await fc.assert(
    fc.asyncProperty(
      fc.array(actor, { minLength: 2, maxLength: 4 }),
      fc.array(pause),
      fc.scheduler(),
      async (actors, pauses, scheduler) => {
        const left = [...pauses];
        const untilMs = actors.map(() => Number.NEGATIVE_INFINITY);
        const check = () => {
          for (const name of names) {
            const holders = actors.filter(
              ({ leases }, index) => leases.includes(name) && (untilMs[index] ?? 0) - leaseMarginMs > world.now(),
            );
            if (holders.length > 1) throw new Error(`${holders.length} runs hold ${name}`);
          }
        };
        const world = createWorld(async () => {
          await scheduler.schedule(Promise.resolve());
          world.pass(left.pop() ?? 5);
          check();
        });
        const work = async (index: number): Promise<void> => {
          const { leases, actions } = actors[index] ?? { leases: [], actions: [] };
          const id = `run-${index}`;
          const believe = (ms: number | undefined) => {
            untilMs[index] = ms ?? Number.NEGATIVE_INFINITY;
            check();
          };
          for (const each of ['revive' as const, ...actions]) {
            // Work on the run has ended before its item says so.
            if (each === 'end' || each === 'stop') {
              believe(undefined);
              await world.end(id, each === 'end' ? 'FAILED' : 'STOPPED');
              continue;
            }
            try {
              believe(await world.renew(id, leases, each === 'revive'));
            } catch (error) {
              if (!(error instanceof AlreadyRunning)) throw error;
              believe(undefined);
            }
          }
        };
        const all = Promise.all(actors.map((_, index) => work(index)));
        await scheduler.waitFor(all);
      },
    ),
    { numRuns: 500 },
  );
});
