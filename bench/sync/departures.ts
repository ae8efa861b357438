import { subscribe } from 'node:diagnostics_channel';
import * as z from 'zod';
import { createSlidingSecond } from '../../local/simulators/sliding-second';
import { cpuWaitMs } from './cpu-wait';

/** A stretch of as many calls as the limit allows in a second. */
const stretchSchema = z.object({
  durationMs: z.number(),
  /** Of it, how long the kernel kept this process waiting for a CPU. */
  cpuWaitMs: z.number(),
});
export type Stretch = z.output<typeof stretchSchema>;

export const departuresSchema = z.object({
  calls: z.number(),
  /** From the first call to the last. */
  elapsedMs: z.number(),
  /** The most calls in any second, wherever that second begins. */
  mostInASecond: z.number(),
  stretches: z.array(stretchSchema),
});

const sentSchema = z.object({ request: z.object({ path: z.string() }) });

/**
 * Starts to record when calls leave this process: when undici writes their first bytes to the socket. On loopback a call
 * is at its server at that time.
 *
 * @param path of the calls to record
 */
export const recordDepartures = (path: string, callsInStretch: number): (() => z.output<typeof departuresSchema>) => {
  const second = createSlidingSecond(() => Number.POSITIVE_INFINITY);
  const stretches: Stretch[] = [];
  let began = { atMs: 0, waitMs: 0 };
  let firstAtMs: number | undefined;
  let lastAtMs = 0;
  let calls = 0;
  subscribe('undici:client:sendHeaders', (message) => {
    const atMs = performance.now();
    if (sentSchema.safeParse(message).data?.request.path !== path) return;
    firstAtMs ??= atMs;
    lastAtMs = atMs;
    second.take(atMs);
    if (calls % callsInStretch === 0) {
      const waitMs = cpuWaitMs();
      if (calls > 0) stretches.push({ durationMs: atMs - began.atMs, cpuWaitMs: waitMs - began.waitMs });
      began = { atMs, waitMs };
    }
    calls += 1;
  });
  return () => ({ calls, elapsedMs: lastAtMs - (firstAtMs ?? lastAtMs), mostInASecond: second.most(), stretches });
};
