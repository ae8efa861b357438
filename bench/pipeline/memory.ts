import { sum } from '../statistics';
import { childrenOf, readProcess } from './processes';

const intervalMs = 500;

const megabytesIn = (text: string | undefined, line: RegExp): number =>
  (Number(line.exec(text ?? '')?.[1] ?? 0) * 1024) / 1e6;

/** Proportional set size: a share of the memory that is shared with other processes, such as Node's code. */
const proportionalMb = (pid: number): number => megabytesIn(readProcess(pid, 'smaps_rollup'), /^Pss:\s+(\d+) kB$/m);

/**
 * Memory that is not shared. The kernel keeps this number. For a proportional set size it walks through all pages, which
 * took 8 % of this machine for all Lambdas.
 */
const anonymousMb = (pid: number): number => megabytesIn(readProcess(pid, 'status'), /^RssAnon:\s+(\d+) kB$/m);

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
    const nowMb = proportionalMb(pid);
    ownMb = Math.max(ownMb, nowMb);
    familyMb = Math.max(familyMb, nowMb + sum(childrenOf(pid).map(anonymousMb)));
  };
  sample();
  const timer = setInterval(sample, intervalMs);
  return () => {
    clearInterval(timer);
    return { ownMb, familyMb };
  };
};
