import { subscribe } from 'node:diagnostics_channel';
import * as z from 'zod';
import { createSlidingSecond } from '../../local/simulators/sliding-second';
import { cpuWaitMs } from './cpu-wait';

/** A window of consecutive calls, as many as the limit allows per second. */
const windowSchema = z.object({
  durationMs: z.number(),
  /** Time within the window in which this process waited for a CPU. */
  cpuWaitMs: z.number(),
});
export type CallWindow = z.output<typeof windowSchema>;

export const departuresSchema = z.object({
  calls: z.number(),
  /** From the first call to the last. */
  elapsedMs: z.number(),
  /** Maximum number of calls in any sliding second. */
  maxInASecond: z.number(),
  windows: z.array(windowSchema),
});

const sentSchema = z.object({ request: z.object({ path: z.string() }) });

/**
 * Records when calls leave this process, which is when undici writes their first bytes to the socket. On loopback, a call
 * reaches its server at that time.
 *
 * @param path of the calls to record
 */
export const recordDepartures = (path: string, callsPerWindow: number): (() => z.output<typeof departuresSchema>) => {
  const second = createSlidingSecond(() => Number.POSITIVE_INFINITY);
  const windows: CallWindow[] = [];
  let windowStart = { atMs: 0, waitMs: 0 };
  let firstAtMs: number | undefined;
  let lastAtMs = 0;
  let calls = 0;
  subscribe('undici:client:sendHeaders', (message) => {
    const atMs = performance.now();
    if (sentSchema.safeParse(message).data?.request.path !== path) return;
    firstAtMs ??= atMs;
    lastAtMs = atMs;
    second.take(atMs);
    if (calls % callsPerWindow === 0) {
      const waitMs = cpuWaitMs();
      if (calls > 0) windows.push({ durationMs: atMs - windowStart.atMs, cpuWaitMs: waitMs - windowStart.waitMs });
      windowStart = { atMs, waitMs };
    }
    calls += 1;
  });
  return () => ({ calls, elapsedMs: lastAtMs - (firstAtMs ?? lastAtMs), maxInASecond: second.most(), windows });
};
