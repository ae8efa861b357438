import { BroadcastChannel } from 'node:worker_threads';
import * as z from 'zod';
import type { LogLine } from '../../emulator/embedded-aws';
import { invocationEnds } from '../../emulator/lambda/execution-environment';

/** The measured activity of the functions. */
export interface MeterReport {
  /** AWS call, such as `dynamodb UpdateItem` or `s3 PUT` → count. */
  readonly calls: Readonly<Record<string, number>>;
  /** Function name → number of invocations, and their billed time. */
  readonly invocations: Readonly<Record<string, { readonly count: number; readonly billedMs: number }>>;
  /** Log lines including EMF lines, and their size in UTF-8. */
  readonly logs: { readonly bytes: number; readonly lines: number };
}

const announcementSchema = z.object({ data: z.string() });
const invocationEndSchema = z.object({ functionName: z.string(), durationMs: z.number() });

/** Measures the embedded AWS of this process. `announce-calls.cjs` announces the calls that its threads receive. */
export const createMeter = () => {
  let calls: Record<string, number> = {};
  let invocations: Record<string, { readonly count: number; readonly billedMs: number }> = {};
  let logs = { bytes: 0, lines: 0 };

  const announcements = new BroadcastChannel('aws-calls');
  announcements.unref();
  announcements.onmessage = (message) => {
    const { data } = announcementSchema.parse(message);
    calls[data] = (calls[data] ?? 0) + 1;
  };
  invocationEnds.subscribe((message) => {
    const { functionName, durationMs } = invocationEndSchema.parse(message);
    const { count, billedMs } = invocations[functionName] ?? { count: 0, billedMs: 0 };
    invocations[functionName] = { count: count + 1, billedMs: billedMs + Math.ceil(durationMs) };
  });

  return {
    /** Options for the embedded AWS. */
    onLog: ({ message }: LogLine): void => {
      logs = { bytes: logs.bytes + Buffer.byteLength(message), lines: logs.lines + 1 };
    },

    /** Returns the measurements since the last report. */
    report: (): MeterReport => {
      const report = { calls, invocations, logs };
      calls = {};
      invocations = {};
      logs = { bytes: 0, lines: 0 };
      return report;
    },
  };
};

export type Meter = ReturnType<typeof createMeter>;
