import { setImmediate as nextTurn } from 'node:timers/promises';

export interface Bounds {
  /** At most so many items are worked on at a time. */
  readonly inFlight: number;
  /** At most so many results wait for an earlier one, or for the consumer. */
  readonly window: number;
}

/**
 * Works on many items of a stream at a time and gives the results in the items' order. It works on while the consumer
 * is busy, reads an item only when it is about to start on it, at most one in a turn of the event loop, and holds at most
 * `inFlight + window` of them.
 *
 * The first failure, of the items or of the work, ends it at once: results before it may be lost, and what is in flight
 * then is left to end by itself.
 */
export async function* mapInOrder<T, R>(
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

  const tell = (): void => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  const fail = (error: unknown): void => {
    failed ??= { error };
    ended = true;
    tell();
  };
  const start = async (item: T): Promise<void> => {
    const slot: (typeof slots)[number] = {};
    slots.push(slot);
    running += 1;
    try {
      slot.result = { value: await work(item) };
      running -= 1;
      tell();
    } catch (error) {
      fail(error);
    }
  };
  const readAhead = async (): Promise<void> => {
    while (!ended) {
      if (running >= inFlight || slots.length - running >= window) await changed.promise;
      else {
        // Else a stream that never waits would fill all of `inFlight` before the first answer is looked at.
        await nextTurn();
        const next = await source.next();
        if (next.done) ended = true;
        else if (!ended) void start(next.value);
      }
    }
    tell();
  };

  const reading = readAhead().catch(fail);
  try {
    while (!ended || slots.length > 0) {
      if (failed) throw failed.error;
      const result = slots[0]?.result;
      if (result) {
        slots.shift();
        tell();
        yield result.value;
      } else await changed.promise;
    }
    if (failed) throw failed.error;
  } finally {
    ended = true;
    tell();
    await reading;
    await source.return?.();
  }
}
