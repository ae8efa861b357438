import { simulateLeases } from './simulate-leases';

/**
 * Simulates histories of concurrent runs that only use their leases, and prints the failed ones. A single one is printed
 * with all of its calls.
 *
 * @returns the exit code
 */
export const runLeases = async (firstSeed: number, histories: number): Promise<number> => {
  const startedAtMs = performance.now();
  let [calls, failed, virtualMs] = [0, 0, 0];
  for (let seed = firstSeed; seed < firstSeed + histories; seed++) {
    const result = await simulateLeases(seed, { keepsTrace: histories === 1 });
    calls += result.calls;
    virtualMs += result.virtualMs;
    if (histories === 1) process.stdout.write(`${result.trace.join('\n')}\n`);
    if (result.violations.length === 0) continue;
    failed += 1;
    const faults = result.violations.map(({ oracle, about }) => `  ${oracle}: ${about}\n`).join('');
    process.stdout.write(`FAILED: npm run simulate -- --leases 1 --seed ${seed}\n${faults}`);
  }
  const seconds = (performance.now() - startedAtMs) / 1_000;
  process.stdout.write(
    `Seeds ${firstSeed} … ${firstSeed + histories - 1}: ${calls} calls to vendors, ${(virtualMs / 3_600_000).toFixed(0)} hours in ${seconds.toFixed(1)} s\n` +
      `Tests: ${histories - failed} passed, ${failed} failed\n`,
  );
  return failed > 0 ? 1 : 0;
};
