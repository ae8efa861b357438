import type { ClientRequest, IncomingMessage } from 'node:http';

/** The timeouts of the SDK's request handler. 0 or undefined: none. */
export interface Timeouts {
  /** To connect. */
  readonly connectionTimeout?: number | undefined;
  /** To the response. Unlike the SDK's, it includes the body, unless the response is streamed. */
  readonly requestTimeout?: number | undefined;
  /** Without a byte in either direction. */
  readonly socketTimeout?: number | undefined;
}

/** Ends a request that takes too long. @returns a function that ends the watch, except that for idle connections */
export const watch = (request: ClientRequest, timeouts: Timeouts): (() => void) => {
  const { connectionTimeout = 0, requestTimeout = 0, socketTimeout = 0 } = timeouts;
  const timers: NodeJS.Timeout[] = [];
  let response: IncomingMessage | undefined;
  request.once('response', (received) => {
    response = received;
  });

  const end = (ms: number, what: string): void => {
    const error = Object.assign(new Error(`AWS: ${what} for ${ms} ms`), { name: 'TimeoutError', code: 'ETIMEDOUT' });
    // The error must reach the reader of a response that has begun.
    (response ?? request).destroy(error);
  };
  const endAfter = (ms: number, what: string): NodeJS.Timeout => {
    const timer = setTimeout(end, ms, ms, what);
    timers.push(timer);
    return timer;
  };

  if (requestTimeout > 0) endAfter(requestTimeout, 'no complete response');
  if (connectionTimeout > 0) {
    request.once('socket', (socket) => {
      if (!socket.connecting) return;
      const timer = endAfter(connectionTimeout, 'no connection');
      socket.once('connect', () => clearTimeout(timer));
    });
  }
  if (socketTimeout > 0) request.setTimeout(socketTimeout, () => end(socketTimeout, 'an idle connection'));
  return () => timers.forEach(clearTimeout);
};
