import { readFileSync } from 'node:fs';
import * as z from 'zod';

export const usageSchema = z.object({
  /** Duration of the work. */
  elapsedMs: z.number(),
  /** User and system time of all threads in that time. */
  cpuMs: z.number(),
  /** Peak memory of the process in MiB, including its start. */
  peakMib: z.number(),
});
export type Usage = z.output<typeof usageSchema>;

/**
 * The kernel's high-water mark of this process' resident memory. Not `process.resourceUsage().maxRSS`: on
 * Linux, that includes the time before exec, when the process was a copy of its parent.
 *
 * @throws {Error} on a system without `/proc`
 */
const peakMib = (): number => {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  if (kib === undefined) throw new Error('The kernel does not report the peak memory');
  return Number(kib) / 1024;
};

/** Starts to measure this process. @returns a function that returns the usage so far */
export const startUsage = (): (() => Usage) => {
  const startedAtMs = performance.now();
  const startedCpu = process.cpuUsage();
  return () => {
    const elapsedMs = performance.now() - startedAtMs;
    const { user, system } = process.cpuUsage(startedCpu);
    return { elapsedMs, cpuMs: (user + system) / 1_000, peakMib: peakMib() };
  };
};
