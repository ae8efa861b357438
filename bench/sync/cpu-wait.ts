import { readFileSync } from 'node:fs';

/**
 * How long the main thread of this process could have run and did not, since its start, in ms: the CPU was given to
 * others. Always 0 on a system that does not say.
 */
export const cpuWaitMs = (): number => {
  try {
    const [, waitedNs] = readFileSync('/proc/self/schedstat', 'utf8').split(' ');
    return Number(waitedNs) / 1e6;
  } catch {
    return 0;
  }
};
