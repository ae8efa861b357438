import { createSyncHistory } from '../../simulation/sync/history';
import { readSyncMachine } from '../../simulation/sync/read-machine';
import { simulateSync } from '../../simulation/sync/simulate-sync';

/**
 * 117 failed when S3 rejected the write of a part because of another write of it, and 326 when all calls that had waited
 * for the renewal of a lease were sent at once. In 381, an execution is aborted and redriven while its worker still works.
 */
const seeds = [107, 117, 326, 381].map((seed) => ({ seed, isEarly: true }));

describe('histories of sync runs', () => {
  const machine = readSyncMachine();

  it.each(seeds)(
    'end with the newest users, the same files and no limit exceeded: seed $seed',
    async ({ seed, ...options }) => {
      const { violations, statuses } = await simulateSync(createSyncHistory(seed, options), { machine });
      expect(violations).toEqual([]);
      expect(statuses.SUCCEEDED).toBeGreaterThan(1);
    },
  );

  const simulated = (seed: number) => simulateSync(createSyncHistory(seed), { machine });

  it('change the portals, and each run finds what they contained during it; the same seed repeats all of it', async () => {
    const { violations, outputs, traceHash } = await simulated(920_001);
    expect(violations).toEqual([]);
    const found = [...outputs.values()].map((output) => JSON.stringify(output.found));
    expect(new Set(found).size).toBeGreaterThan(3);
    expect((await simulated(920_001)).traceHash).toBe(traceHash);
    expect((await simulated(920_002)).traceHash).not.toBe(traceHash);
  });
});
