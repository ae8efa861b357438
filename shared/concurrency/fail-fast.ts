import { setImmediate as nextTick } from 'node:timers/promises';

export interface Bounds {
  /** Maximum number of items in work at a time. */
  readonly inFlight: number;
  /** Maximum number of results that wait for an earlier one, or for the consumer. */
  readonly window: number;
}

/**
 * Maps a stream concurrently and yields the results in the order of the items. Work continues while the consumer is
 * busy. An item is read only when its work starts, at most one per tick of the event loop; at most `inFlight + window`
 * are held.
 *
 * Fails fast: the first failure, of the items or of the work, ends the stream at once. Results before it may be lost,
 * and work in flight is not awaited. `mapInOrderSettled` does the opposite.
 */
export async function* mapInOrderFailFast<T, R>(
  items: AsyncIterable<T>,
  { inFlight, window }: Bounds,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const source = items[Symbol.asyncIterator]();
  const slots: { result?: { readonly value: R } }[] = [];
  let running = 0;
  let ended = false;
  let failed: { readonly error: unknown } | undefined;
  let changed = Promise.withResolvers<void>();

  const notify = (): void => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  const fail = (error: unknown): void => {
    failed ??= { error };
    ended = true;
    notify();
  };
  const start = async (item: T): Promise<void> => {
    const slot: (typeof slots)[number] = {};
    slots.push(slot);
    running += 1;
    try {
      slot.result = { value: await work(item) };
      running -= 1;
      notify();
    } catch (error) {
      fail(error);
    }
  };
  const readAhead = async (): Promise<void> => {
    while (!ended) {
      if (running >= inFlight || slots.length - running >= window) await changed.promise;
      else {
        // Without it, a stream that never waits would fill all of `inFlight` before the first response is handled.
        await nextTick();
        const next = await source.next();
        if (next.done) ended = true;
        else if (!ended) void start(next.value);
      }
    }
    notify();
  };

  const reading = readAhead().catch(fail);
  try {
    while (!ended || slots.length > 0) {
      if (failed) throw failed.error;
      const result = slots[0]?.result;
      if (result) {
        slots.shift();
        notify();
        yield result.value;
      } else await changed.promise;
    }
    if (failed) throw failed.error;
  } finally {
    ended = true;
    notify();
    await reading;
    await source.return?.();
  }
}
