import { readFileSync } from 'node:fs';

/**
 * Time in ms since its start in which the main thread of this process was ready to run but waited for a CPU. Always 0 on a
 * system that does not report it.
 */
export const cpuWaitMs = (): number => {
  try {
    const [, waitedNs] = readFileSync('/proc/self/schedstat', 'utf8').split(' ');
    return Number(waitedNs) / 1e6;
  } catch {
    return 0;
  }
};
