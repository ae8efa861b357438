/**
 * Makes `level` read on the thread that calls it. By itself, it hands each read to a pool of threads; the way there and
 * back takes several times as long as the read.
 *
 * @param level a database of abstract-level
 * @throws {Error} if the database cannot read synchronously
 */
export const readOnThisThread = (level: object): void => {
  const read: unknown = Reflect.get(level, '_getSync');
  if (typeof read !== 'function' || typeof Reflect.get(level, '_get') !== 'function') {
    throw new Error('abstract-level no longer reads with _get and _getSync');
  }
  Reflect.set(level, '_get', async (...args: unknown[]) => Reflect.apply(read, level, args));
};
