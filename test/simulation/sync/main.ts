import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { serialize } from 'node:v8';
import type { MutationRun } from '../mutation-run';
import { describeViolations, replay } from '../replay';
import { createSyncHistory } from './history';
import { lists } from './lists';
import { syncMutants } from './mutants';
import { readSyncMachine } from './read-machine';
import { simulateSync } from './simulate-sync';

/**
 * Simulates histories of sync runs, and prints the failed ones. A single one is printed with all of its calls, and shrunk.
 *
 * @returns the exit code
 */
export const runSyncs = async (firstSeed: number, histories: number): Promise<number> => {
  const machine = readSyncMachine();
  if (histories === 1) {
    return replay(createSyncHistory(firstSeed), {
      simulate: (history, options) => simulateSync(history, { machine, ...options }),
      lists,
      describe: (history) => JSON.stringify(history, undefined, 2),
    });
  }
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
    process.stdout.write(
      `FAILED: npm run simulate -- --runs 1 --seed ${seed}\n${describeViolations(result.violations)}`,
    );
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
  const folder = mkdtempSync(path.join(tmpdir(), 'machine-'));
  process.once('exit', () => rmSync(folder, { recursive: true }));
  const machineFile = path.join(folder, 'machine');
  writeFileSync(machineFile, serialize(readSyncMachine()));
  return {
    mutants: syncMutants,
    module: 'sync/history-process.ts',
    args: [machineFile, String(firstSeed), String(histories)],
    only,
  };
};
