import type { ChildProcess } from 'node:child_process';
import * as z from 'zod';

/** One event for an execution environment. */
export interface Invocation {
  readonly requestId: string;
  /** The event as JSON text. */
  readonly payload: string;
  readonly functionArn: string;
  /** `Root=…;Parent=…;Sampled=…` */
  readonly traceId: string;
  /** Unix time in ms at which the process is killed. */
  readonly deadlineMs: number;
}

/** What the runtime of a process reports. Payloads are JSON text. */
export interface RuntimeEvents {
  /** The runtime waits for the next invocation. It has loaded the handler or finished an invocation. */
  onNext(): void;
  onInitError(payload: string): void;
  onResponse(requestId: string, payload: string): void;
  onError(requestId: string, payload: string): void;
}

const messageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('next') }),
  z.object({ kind: z.literal('initError'), payload: z.string() }),
  z.object({ kind: z.literal('response'), requestId: z.string(), payload: z.string() }),
  z.object({ kind: z.literal('error'), requestId: z.string(), payload: z.string() }),
]);

/**
 * Connects to the runtime of a process over its IPC channel. Lambda's runtime makes HTTP calls to a Runtime API instead;
 * they would be a third of the requests that the embedded AWS serves.
 * @returns a function that sends an invocation. Call it only after {@link RuntimeEvents.onNext}.
 */
export const connectRuntime = (child: ChildProcess, events: RuntimeEvents): ((invocation: Invocation) => void) => {
  child.on('message', (received) => {
    const message = messageSchema.parse(received);
    switch (message.kind) {
      case 'next':
        return events.onNext();
      case 'initError':
        return events.onInitError(message.payload);
      case 'response':
        events.onResponse(message.requestId, message.payload);
        // One message instead of two: a runtime that has responded waits for the next invocation.
        return events.onNext();
      case 'error':
        return events.onError(message.requestId, message.payload);
    }
  });
  // It fails when the process dies. The exit event reports that.
  return (invocation) => void child.send(invocation, () => undefined);
};
