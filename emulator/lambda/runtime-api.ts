import type { ServerResponse } from 'node:http';
import { readBody, serveOnLoopback } from '../loopback-server';

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

/** The calls that an execution environment makes to its Runtime API. Payloads are JSON text. */
export interface RuntimeEvents {
  /** The runtime has loaded the handler or finished an invocation, and requests the next invocation. */
  onNext(): void;
  onInitError(payload: string): void;
  onResponse(requestId: string, payload: string): void;
  onError(requestId: string, payload: string): void;
}

/** The Lambda Runtime API of one execution environment. */
export interface RuntimeApi {
  /** The value of `AWS_LAMBDA_RUNTIME_API`: host and port. */
  readonly address: string;
  /** Responds to the waiting `next` call. Call it only after {@link RuntimeEvents.onNext}. */
  deliver(invocation: Invocation): void;
  stop(): Promise<void>;
}

const resultPath = /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/;

/**
 * Serves the Runtime API (version 2018-06-01) to one execution environment, on its own port.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export const startRuntimeApi = async (events: RuntimeEvents): Promise<RuntimeApi> => {
  let waiting: ServerResponse | undefined;

  const server = await serveOnLoopback(async (request, response) => {
    const url = request.url ?? '';
    if (url === '/2018-06-01/runtime/invocation/next') {
      waiting = response;
      events.onNext();
      return;
    }
    const payload = (await readBody(request)).toString();
    response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"OK"}');
    if (url === '/2018-06-01/runtime/init/error') {
      events.onInitError(payload);
      return;
    }
    const [, requestId, kind] = resultPath.exec(url) ?? [];
    if (requestId !== undefined) {
      (kind === 'response' ? events.onResponse : events.onError)(requestId, payload);
    }
  });

  return {
    address: `127.0.0.1:${server.port}`,
    deliver(invocation) {
      waiting
        ?.writeHead(200, {
          'content-type': 'application/json',
          'lambda-runtime-aws-request-id': invocation.requestId,
          'lambda-runtime-deadline-ms': String(invocation.deadlineMs),
          'lambda-runtime-invoked-function-arn': invocation.functionArn,
          'lambda-runtime-trace-id': invocation.traceId,
        })
        .end(invocation.payload);
      waiting = undefined;
    },
    stop: server.stop,
  };
};
