/**
 * Works on items, at most `concurrency` at a time, in their order. After the first failure, or once the time is up, no
 * further item is started; items in work are awaited.
 *
 * @throws the first failure, after all work has ended
 */
export const runPool = async <T>(
  items: readonly T[],
  concurrency: number,
  isTimeUp: () => boolean,
  work: (item: T) => Promise<void>,
): Promise<void> => {
  const queue = items.values();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const item of queue) {
      if (isTimeUp() || failures.length > 0) return;
      try {
        await work(item);
      } catch (failure) {
        failures.push(failure);
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  if (failures.length > 0) throw failures[0];
};
