/**
 * Maps items concurrently and yields the results in their order. An item is taken only when its work starts.
 *
 * Settles: when it ends, all work that was started has ended. `mapInOrderFailFast` does the opposite.
 *
 * @param concurrency maximum number of items in work at a time
 * @throws what `work` threw, after the results of the items before it
 */
export async function* mapInOrderSettled<T, R>(
  items: Iterable<T>,
  concurrency: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const running: Promise<R>[] = [];
  try {
    for (const item of items) {
      const result = work(item);
      // Handled when its result is yielded. Until then, it must not count as an unhandled rejection.
      result.catch(() => undefined);
      running.push(result);
      const first = running.length >= concurrency ? running.shift() : undefined;
      if (first !== undefined) yield await first;
    }
    for (const result of running) yield await result;
  } finally {
    await Promise.allSettled(running);
  }
}

/** Like `Promise.all`, but waits for all of them before it throws: nothing continues in the background. */
export const allSettledOrThrow = async <T extends readonly unknown[]>(work: T) => {
  await Promise.allSettled(work);
  return Promise.all(work);
};
