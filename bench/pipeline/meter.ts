import { subscribe } from 'node:diagnostics_channel';
import { IncomingMessage } from 'node:http';
import * as z from 'zod';
import type { LogLine } from '../../emulator/embedded-aws';

/** The measured activity of the functions. */
export interface MeterReport {
  /** AWS call, such as `dynamodb UpdateItem` or `s3 PUT` → count. */
  readonly calls: Readonly<Record<string, number>>;
  /** Function name → number of invocations, and their billed time. */
  readonly invocations: Readonly<Record<string, { readonly count: number; readonly billedMs: number }>>;
  /** Log lines including EMF lines, and their size in UTF-8. */
  readonly logs: { readonly bytes: number; readonly lines: number };
}

const exchangeSchema = z.object({ request: z.instanceof(IncomingMessage) });

/** Every AWS SDK call is signed, and the signature names the service. */
const signedService = /Credential=[^/]+\/\d+\/[^/]+\/([a-z0-9-]+)\/aws4_request/;
const nextInvocation = '/2018-06-01/runtime/invocation/next';
const invocationResult = /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(?:response|error)$/;
const loggedInvocation = /"function_request_id":"([^"]+)"/;

const callOf = ({ headers, method }: IncomingMessage): string | undefined => {
  const service = signedService.exec(headers.authorization ?? '')?.[1];
  const operation = String(headers['x-amz-target'] ?? method).replace(/^.*\./, '');
  return service && `${service} ${operation}`;
};

/**
 * Measures the embedded AWS of this process from outside: the requests to its HTTP servers, and the output of its
 * functions. An invocation lasts from the event that leaves the Runtime API to the result that arrives there. Its log
 * lines identify the function.
 */
export const createMeter = () => {
  let calls: Record<string, number> = {};
  let logs = { bytes: 0, lines: 0 };
  let billedMs = new Map<string, number>();
  let functionNames = new Map<string, string>();
  /** Port of a Runtime API (one per process) → time at which its event left. */
  const deliveredAtMs = new Map<number | undefined, number>();

  subscribe('http.server.request.start', (message) => {
    const { request } = exchangeSchema.parse(message);
    const { url = '', socket } = request;
    const call = callOf(request);
    if (call) calls[call] = (calls[call] ?? 0) + 1;
    const requestId = invocationResult.exec(url)?.[1];
    const startedAtMs = deliveredAtMs.get(socket.localPort);
    if (requestId && startedAtMs !== undefined) {
      billedMs.set(requestId, Math.ceil(performance.now() - startedAtMs));
    }
  });
  subscribe('http.server.response.finish', (message) => {
    const { url, socket } = exchangeSchema.parse(message).request;
    if (url === nextInvocation) deliveredAtMs.set(socket.localPort, performance.now());
  });

  return {
    /** Options for the embedded AWS. */
    onLog: ({ function: functionName, message }: LogLine): void => {
      logs = { bytes: logs.bytes + Buffer.byteLength(message), lines: logs.lines + 1 };
      const requestId = loggedInvocation.exec(message)?.[1];
      // Copy the text: a match shares its line's memory, so it would keep the whole line.
      if (requestId) functionNames.set(Buffer.from(requestId).toString(), functionName);
    },

    /** Returns the measurements since the last report. */
    report: (): MeterReport => {
      const invocations: Record<string, { readonly count: number; readonly billedMs: number }> = {};
      for (const [requestId, ms] of billedMs) {
        const functionName = functionNames.get(requestId) ?? 'without a line';
        const { count, billedMs: before } = invocations[functionName] ?? { count: 0, billedMs: 0 };
        invocations[functionName] = { count: count + 1, billedMs: before + ms };
      }
      const report = { calls, invocations, logs };
      calls = {};
      logs = { bytes: 0, lines: 0 };
      billedMs = new Map();
      functionNames = new Map();
      return report;
    },
  };
};

export type Meter = ReturnType<typeof createMeter>;
