/**
 * Runs `work` on the items, at most `concurrency` at a time, and gives the results in the items' order. Items are taken
 * one by one, as they are needed. However it ends, all that was begun has ended too.
 *
 * @throws what `work` threw, after the results of the items before it
 */
export async function* mapInOrder<T, R>(
  items: Iterable<T>,
  concurrency: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const running: Promise<R>[] = [];
  try {
    for (const item of items) {
      const result = work(item);
      // Whoever waits for an earlier item must not be ended by a rejection that nobody handles yet.
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

/** As `Promise.all`, but nothing goes on in the background when one of them fails. */
export const allEnded = async <T extends readonly unknown[]>(work: T) => {
  await Promise.allSettled(work);
  return Promise.all(work);
};
