import { readFileSync } from 'node:fs';
import * as z from 'zod';

export const usageSchema = z.object({
  /** From the start of the work to its end. */
  elapsedMs: z.number(),
  /** User and system time of all threads in that time. */
  cpuMs: z.number(),
  /** The most memory that the process ever had, its start included, in MiB. */
  peakMib: z.number(),
});
export type Usage = z.output<typeof usageSchema>;

/**
 * The kernel's high-water mark of this process' resident memory. Not `process.resourceUsage().maxRSS`: to Linux that
 * is the largest of all programs that the process ever was, and before its own it was a copy of its parent.
 *
 * @throws {Error} on a system without `/proc`
 */
const peakMib = (): number => {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  if (kib === undefined) throw new Error('The kernel does not tell the peak of the memory');
  return Number(kib) / 1024;
};

/** Starts to measure this process. @returns says what was used up to then */
export const startUsage = (): (() => Usage) => {
  const startedAtMs = performance.now();
  const startedCpu = process.cpuUsage();
  return () => {
    const elapsedMs = performance.now() - startedAtMs;
    const { user, system } = process.cpuUsage(startedCpu);
    return { elapsedMs, cpuMs: (user + system) / 1_000, peakMib: peakMib() };
  };
};
