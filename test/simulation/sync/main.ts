import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { serialize } from 'node:v8';
import type { MutationRun } from '../mutation-run';
import { maxShrinkMs } from '../shrink';
import { createSyncHistory } from './history';
import { syncMutants } from './mutants';
import { readSyncMachine } from './read-machine';
import { shrinkSync } from './shrink-sync';
import { type SyncResult, simulateSync } from './simulate-sync';

const describeViolations = ({ violations }: SyncResult): string =>
  violations
    .slice(0, 10)
    .map(({ oracle, about }) => `  ${oracle}: ${about}\n`)
    .join('');

/**
 * Simulates one history of sync runs and prints every call. Shrinks a history that fails.
 *
 * @returns the exit code
 */
const replaySync = async (seed: number): Promise<number> => {
  const machine = readSyncMachine();
  const history = createSyncHistory(seed);
  const result = await simulateSync(history, { machine, keepsTrace: true });
  process.stdout.write(`${result.trace.join('\n')}\nSeed ${seed}: trace ${result.traceHash}, `);
  if (result.violations.length === 0) {
    process.stdout.write('no violation\nTests: 1 passed, 0 failed\n');
    return 0;
  }
  process.stdout.write(`${result.violations.length} violations\n${describeViolations(result)}`);
  process.stdout.write(`Shrinking, for at most ${maxShrinkMs / 1_000} s …\n`);
  const endsAtMs = performance.now() + maxShrinkMs;
  const shortest = await shrinkSync(history, machine, result, () => performance.now() > endsAtMs);
  const shortResult = await simulateSync(shortest, { machine, keepsTrace: true });
  process.stdout.write(`${shortResult.trace.join('\n')}\n`);
  process.stdout.write(`Seed ${seed}, shrunk to:\n${JSON.stringify(shortest, undefined, 2)}\n`);
  process.stdout.write(`${describeViolations(shortResult)}Tests: 0 passed, 1 failed\n`);
  return 1;
};

/**
 * Simulates histories of sync runs, and prints the failed ones.
 *
 * @returns the exit code
 */
export const runSyncs = async (firstSeed: number, histories: number): Promise<number> => {
  if (histories === 1) return replaySync(firstSeed);
  const machine = readSyncMachine();
  const before = process.cpuUsage();
  const statuses: Record<string, number> = {};
  let [calls, invocations, failed, virtualMs] = [0, 0, 0, 0];
  for (let seed = firstSeed; seed < firstSeed + histories; seed++) {
    const result = await simulateSync(createSyncHistory(seed), { machine });
    calls += result.calls;
    invocations += result.invocations;
    virtualMs += result.virtualMs;
    for (const [status, count] of Object.entries(result.statuses)) statuses[status] = (statuses[status] ?? 0) + count;
    if (result.violations.length === 0) continue;
    failed += 1;
    process.stdout.write(`FAILED: npm run simulate -- --runs 1 --seed ${seed}\n${describeViolations(result)}`);
  }
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = (user + system) / 1e6;
  const executions = Object.entries(statuses).map(([status, count]) => `${count} ${status}`);
  process.stdout.write(
    `Seeds ${firstSeed} … ${firstSeed + histories - 1}: ${executions.join(', ')}, ${invocations} invocations, ${calls} calls to vendors, ` +
      `${(virtualMs / 3_600_000).toFixed(0)} hours, ${(cpuSeconds / histories).toFixed(2)} CPU seconds per history\n` +
      `Tests: ${histories - failed} passed, ${failed} failed\n`,
  );
  return failed > 0 ? 1 : 0;
};

/** The mutation run of the sync jobs: the copies do not synthesise the template again. */
export const syncMutationRun = (firstSeed: number, histories: number, only: string): MutationRun => {
  const machineFile = path.join(mkdtempSync(path.join(tmpdir(), 'machine-')), 'machine');
  writeFileSync(machineFile, serialize(readSyncMachine()));
  return {
    mutants: syncMutants,
    module: 'sync/history-process.ts',
    args: [machineFile, String(firstSeed), String(histories)],
    only,
  };
};
