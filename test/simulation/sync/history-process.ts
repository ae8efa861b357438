/** Simulates histories of sync runs, each after some of leases, in a process of its own, and sends what is wrong. */
import { readFileSync } from 'node:fs';
import { deserialize } from 'node:v8';
import type { Machine } from '../../../emulator/step-functions/definition';
import { simulateLeases } from '../leases/simulate-leases';
import { createSyncHistory } from './history';
import { simulateSync } from './simulate-sync';

/** A history of leases takes a hundredth of the time of one of runs. */
const leasesPerRun = 20;

const main = async (): Promise<void> => {
  const [machineFile = '', first = '0', histories = '0'] = process.argv.slice(2);
  const machine = deserialize(readFileSync(machineFile)) as Machine;
  for (let seed = Number(first); seed < Number(first) + Number(histories); seed++) {
    const violations: { readonly oracle: string }[] = [];
    for (let next = 0; next < leasesPerRun && violations.length === 0; next++) {
      const ofLeases = await simulateLeases(seed * leasesPerRun + next);
      violations.push(...ofLeases.violations.map(({ oracle }) => ({ oracle: `${oracle} of leases` })));
    }
    if (violations.length === 0) {
      violations.push(...(await simulateSync(createSyncHistory(seed), { machine })).violations);
    }
    process.send?.({ result: { violations } });
  }
  process.disconnect();
};

void main();
