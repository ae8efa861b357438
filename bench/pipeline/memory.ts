import { sum } from '../statistics';
import { childrenOf, readProcess } from './processes';

const intervalMs = 500;

/**
 * Anonymous memory: what processes share, such as Node's code, does not count. The kernel keeps this number. For a
 * proportional set size it walks through all pages, which took 8 % of this machine while all Lambdas were working.
 */
const memoryMbOf = (pid: number): number => {
  const kib = /^RssAnon:\s+(\d+) kB$/m.exec(readProcess(pid, 'status') ?? '')?.[1];
  return (Number(kib ?? 0) * 1024) / 1e6;
};

/** Highest memory use, in MB (1e6 bytes), of any sample. */
export interface MemoryPeaks {
  /** The process without its children. */
  readonly ownMb: number;
  /** The process and its children together. */
  readonly familyMb: number;
}

/**
 * Samples the memory of a process and its children twice a second, from Linux' `/proc`.
 *
 * @returns a function that stops sampling and returns the peaks
 * @throws {Error} on a system without `/proc`
 */
export const watchMemory = (pid: number): (() => MemoryPeaks) => {
  let ownMb = 0;
  let familyMb = 0;
  const sample = () => {
    const sizesMb = [pid, ...childrenOf(pid)].map(memoryMbOf);
    ownMb = Math.max(ownMb, sizesMb[0] ?? 0);
    familyMb = Math.max(familyMb, sum(sizesMb));
  };
  sample();
  const timer = setInterval(sample, intervalMs);
  return () => {
    clearInterval(timer);
    return { ownMb, familyMb };
  };
};
