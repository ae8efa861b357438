import { setTimeout as wait } from 'node:timers/promises';
import { createMiddleware } from 'hono/factory';
import { streamSSE } from 'hono/streaming';

/**
 * Makes every `GET` route live: a request for an event stream gets the route's document whenever it has changed since it
 * was read before. `document` events contain what the route returns, `fault` events its error.
 *
 * @param load requests the document itself
 * @param refreshMsOf how often the document of a path is read
 */
export const live = (load: (request: Request) => Response | Promise<Response>, refreshMsOf: (path: string) => number) =>
  createMiddleware(async (c, next) => {
    if (c.req.method !== 'GET' || c.req.header('accept') !== 'text/event-stream') return next();
    const { url, raw } = c.req;
    const headers = new Headers(raw.headers);
    headers.set('accept', 'application/json');
    return streamSSE(c, async (stream) => {
      const ended = new AbortController();
      stream.onAbort(() => ended.abort());
      let sent: string | undefined;
      // Sends the headers. The page has just read the document.
      await stream.write(': open\n\n');
      for (;;) {
        await wait(refreshMsOf(c.req.path), undefined, { signal: ended.signal }).catch(() => undefined);
        if (ended.signal.aborted) return;
        const response = await load(new Request(url, { headers, signal: ended.signal }));
        const data = await response.text();
        if (data !== sent) await stream.writeSSE({ event: response.ok ? 'document' : 'fault', data });
        sent = data;
      }
    });
  });
