import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';

/** `paused`: changes wait until the user stops scrolling. `offline`: the console cannot be reached. */
export type LiveState = 'live' | 'paused' | 'offline';

const settledAfterMs = 1_200;

let state: LiveState = 'live';
let isScrolling = false;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();
/** The newest documents that arrived while the user scrolled. */
const held = new Map<string, () => void>();

const setState = (next: LiveState): void => {
  if (next === state) return;
  state = next;
  for (const notify of listeners) notify();
};

const onScroll = (): void => {
  isScrolling = true;
  if (state === 'live') setState('paused');
  clearTimeout(timer);
  timer = setTimeout(() => {
    isScrolling = false;
    if (state === 'paused') setState('live');
    for (const apply of held.values()) apply();
    held.clear();
  }, settledAfterMs);
};
// Scroll events do not bubble, but can be captured.
document.addEventListener('scroll', onScroll, { capture: true, passive: true });

const subscribe = (notify: () => void): (() => void) => {
  listeners.add(notify);
  return () => listeners.delete(notify);
};

/** Whether documents are live. */
export const useLiveState = (): LiveState => useSyncExternalStore(subscribe, () => state);

/** What {@link useLive} reads. */
interface LiveSource<T> {
  /** The address of the document: `api.status.$url()`. It is the key of the query. */
  readonly url: URL;
  readonly read: () => Promise<T>;
  /** False: the document is read once, and with `r`. */
  readonly isLive?: boolean;
}

/**
 * Reads a document, and again whenever it changes. Waits while the user scrolls, and while the page is hidden. Each live
 * document is one connection, of which a browser allows six: use at most two in a screen.
 */
export const useLive = <T>({ url: { href: url }, read, isLive = true }: LiveSource<T>) => {
  const client = useQueryClient();
  const query = useQuery({ queryKey: [url], queryFn: read });
  const { isSuccess } = query;
  useEffect(() => {
    if (!isLive || !isSuccess) return;
    let source: EventSource | undefined;
    const open = (): void => {
      source = new EventSource(url);
      source.addEventListener('open', () => setState(isScrolling ? 'paused' : 'live'));
      source.addEventListener('document', ({ data }: MessageEvent<string>) => {
        const apply = (): void => void client.setQueryData([url], JSON.parse(data));
        if (isScrolling) held.set(url, apply);
        else apply();
      });
      // Reads it as a document, which shows the error.
      source.addEventListener('fault', () => void client.invalidateQueries({ queryKey: [url] }));
      source.addEventListener('error', () => setState('offline'));
    };
    const close = (): void => {
      source?.close();
      source = undefined;
      held.delete(url);
    };
    const onVisibility = (): void => {
      close();
      if (document.hidden) return;
      open();
      void client.invalidateQueries({ queryKey: [url] });
    };
    if (!document.hidden) open();
    document.addEventListener('visibilitychange', onVisibility);
    return () => {
      close();
      document.removeEventListener('visibilitychange', onVisibility);
    };
  }, [url, isLive, isSuccess, client]);
  return query;
};
